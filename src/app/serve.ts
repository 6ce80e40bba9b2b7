import { readFileSync } from 'node:fs';
import { checkRateLimits } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { auditEvent } from '../core/audit-event.ts';
import { parseOrigin } from '../core/issuer.ts';
import { makeRequestHandler } from '../http/app.ts';
import type { RequestHandler } from '../http/gate.ts';
import { parseTrustedProxies } from '../http/peer.ts';
import type { Readiness } from '../http/server-context.ts';
import { deriveOrigin, settleOrigin } from '../service/manage-origin.ts';
import { version } from '../version.ts';
import { ensureDefaultTenant } from './first-tenant.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Application } from './open.ts';

/** The outer wall: a body beyond it never reaches us (bytes). Our reader refuses far smaller ones with an answer. */
const MAX_REQUEST_BODY = 1_048_576;
/** A connection without traffic is closed after so long (seconds). */
const IDLE_TIMEOUT_S = 30;
/** What is under way may finish for so long after the signal to stop (HT-21). */
const GRACE_MS = 10_000;

export type ServeOptions = {
  /** Called once requests are answered. */
  readonly onReady: (info: { readonly url: string }) => void | Promise<void>;
};

/** The server cannot start; the message says why and what to do. */
export class StartTrouble extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartTrouble';
  }
}

type Tls = { readonly cert: string; readonly key: string };

function readTls(settings: Settings): Tls | null {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === null && tlsKey === null) return null;
  if (tlsCert === null || tlsKey === null) throw new StartTrouble('--tls-cert and --tls-key belong together: give both');
  try {
    return { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
  } catch (error) {
    throw new StartTrouble(`the TLS files cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

function listen(settings: Settings, tls: Tls | null, fetch: (request: Request, server: Bun.Server<undefined>) => Promise<Response> | Response): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: settings.host,
      port: settings.port,
      maxRequestBodySize: MAX_REQUEST_BODY,
      idleTimeout: IDLE_TIMEOUT_S,
      development: false,
      // Outside of development Bun shares ports by default: two servers would answer in turn, and nobody would be told.
      reusePort: false,
      ...(tls !== null && { tls }),
      fetch,
      error: () => new Response('{"error":"server_error"}', { status: 500, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' } }),
    });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    throw new StartTrouble(code === 'EADDRINUSE'
      ? `${settings.host}:${settings.port} is taken by another program: stop it, or choose another --port`
      : `cannot listen on ${settings.host}:${settings.port}: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

/**
 * Listens and answers until told to stop, then finishes what is under way and closes the data.
 * @returns the exit code
 * @throws StartTrouble, StoreError
 */
export async function serve(application: Application, settings: Settings, options: ServeOptions): Promise<number> {
  const { ctx, clock } = application;
  const proxies = parseTrustedProxies(settings.trustProxy);
  if (proxies === null) throw new StartTrouble('--trust-proxy takes addresses or CIDR ranges, as in 10.0.0.0/8');
  const tls = readTls(settings);
  const readiness: Readiness = { stopping: false, clockBehindMs: () => clock.behindMs() };

  let handler: RequestHandler | null = null;
  const starting = Promise.withResolvers<void>();
  const server = listen(settings, tls, (request, connection) =>
    handler === null ? starting.promise.then(() => answer(request, connection)) : handler(request, connection));
  const answer = (request: Request, connection: Bun.Server<undefined>): Promise<Response> | Response =>
    handler === null ? new Response(null, { status: 503 }) : handler(request, connection);

  const limits = checkRateLimits(settings, parseOrigin(settings.origin ?? '') ?? ctx.origin());
  if (limits !== null) {
    await server.stop(true);
    throw new StartTrouble(limits);
  }
  const origin = await settleOrigin(ctx, settings.origin, deriveOrigin(settings.host, server.port ?? settings.port, tls !== null), settings.moveOrigin);
  if (!origin.ok) {
    await server.stop(true);
    throw new StartTrouble(origin.description);
  }
  if (origin.changed && application.ctx.origin().url !== origin.origin.url && !application.createdMasterKey) {
    ctx.log.warn('the origin of this data changed', {
      from: application.ctx.origin().url, to: origin.origin.url,
      fix: 'tokens issued before are inactive here, and another server that still runs on this data keeps the old origin until it is started again: give --origin to keep one',
    });
  }
  application.setOrigin(origin.origin);
  if (origin.origin.scheme === 'http' && !origin.origin.loopback) {
    ctx.log.warn('tokens and secrets travel in clear', { origin: origin.origin.url, fix: 'serve https with --tls-cert and --tls-key, or put a proxy that does in front and say so with --origin https://…' });
  }
  await ensureDefaultTenant(application, 'background');
  handler = makeRequestHandler(ctx, {
    proxies, readiness, docs: settings.docs === 'on', bootId: ctx.random.text(6), logRequests: settings.logLevel === 'debug',
  });
  starting.resolve();
  await ctx.store.recordAudit([auditEvent({ timeMs: clock.now(), type: 'server_started', actor: 'server', subject: origin.origin.url, reason: version })]);
  ctx.log.info('started', { version, origin: origin.origin.url, host: server.hostname ?? settings.host, port: server.port ?? settings.port, tls: tls !== null });
  const housekeeping = startHousekeeping(application);
  const stop = awaitStopSignal();
  await options.onReady({ url: origin.origin.url });

  const signal = await stop;
  readiness.stopping = true;
  ctx.log.info('stopping', { signal });
  await Promise.race([server.stop(), Bun.sleep(GRACE_MS)]);
  await server.stop(true);
  await housekeeping.stop();
  await application.close();
  return 0;
}

function awaitStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
