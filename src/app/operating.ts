import type { Settings } from '../config/settings.ts';
import type { Observatory } from '../http/server-context.ts';
import { watchEventLoop } from '../metrics/process.ts';
import { startActivity } from './activity.ts';
import { listenForMetrics } from './metrics-listener.ts';
import { makeObservatory } from './observatory.ts';
import type { Application } from './open.ts';
import { listenTrouble, StartTrouble } from './start-trouble.ts';
import { readHeaders, startTracing } from './tracing.ts';

/** What shows operators how the server does, beside requests, until stopped. */
export type Operating = {
  readonly observatory: Observatory;
  /** Address of the listener for metrics; null: there is none. */
  readonly metricsUrl: string | null;
  /** Writes what was counted and sends what was traced. */
  stop(): Promise<void>;
};

type OperatingSettings = Pick<Settings, 'metricsListen' | 'otlpEndpoint' | 'otlpHeadersFile'>;

function headersFor({ otlpHeadersFile }: OperatingSettings): Readonly<Record<string, string>> {
  if (otlpHeadersFile === null) return {};
  try {
    return readHeaders(otlpHeadersFile);
  } catch (error) {
    throw new StartTrouble(`the headers for the collector cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

function listenAt(address: string, observatory: Observatory): Bun.Server<undefined> {
  try {
    return listenForMetrics(address, observatory);
  } catch (error) {
    throw listenTrouble(address, '--metrics', error);
  }
}

/** Begins to watch. @throws StartTrouble where the listener's address is taken or the collector's headers cannot be read */
export async function startOperating({ ctx, clock, meters, hashing, tracer }: Application, settings: OperatingSettings): Promise<Operating> {
  const headers = headersFor(settings);
  const activity = startActivity(ctx.store, clock, ctx.log, meters.totals);
  const observatory = makeObservatory({ store: ctx.store, clock, meters, hashing, unwritten: activity.unwritten });
  const listener = settings.metricsListen === null ? null : listenAt(settings.metricsListen, observatory);
  const unwatch = watchEventLoop(meters);
  const tracing = tracer === null || settings.otlpEndpoint === null ? null : await startTracing(tracer, settings.otlpEndpoint, headers, ctx, meters);
  return {
    observatory,
    metricsUrl: listener === null ? null : new URL('/metrics', listener.url).href,
    async stop() {
      unwatch();
      await listener?.stop(true);
      await activity.stop();
      await tracing?.stop();
    },
  };
}
