import { readFileSync } from 'node:fs';
import { checkLoopbackOnly } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { auditEvent } from '../core/audit-event.ts';
import { parseOrigin } from '../core/issuer.ts';
import { makeRequestHandler } from '../http/app.ts';
import type { RequestHandler } from '../http/gate.ts';
import { parseTrustedProxies } from '../http/peer.ts';
import type { DemoSite, Readiness } from '../http/server-context.ts';
import { deriveOrigin, settleOrigin } from '../service/manage-origin.ts';
import { version } from '../version.ts';
import { openCarriers, startDelivery } from './delivery.ts';
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
  /** A demo: lives at `http://localhost`, at every address that browsers try for that name. */
  readonly demo?: DemoSite;
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

/** What a browser may take `localhost` for, where the machine has it. Another program there would get the demo's visitors. */
const OTHER_LOOPBACK = '::1';

type Answering = Parameters<typeof listen>[2];

/** The same at the other address of `localhost`, where the machine has one. @throws StartTrouble */
async function listenBeside(first: Bun.Server<undefined>, settings: Settings, tls: Tls | null, fetch: Answering): Promise<readonly Bun.Server<undefined>[]> {
  const beside = { ...settings, host: OTHER_LOOPBACK };
  try {
    await listen({ ...beside, port: 0 }, null, fetch).stop(true);
  } catch {
    return [first];
  }
  try {
    return [first, listen({ ...beside, port: first.port ?? settings.port }, tls, fetch)];
  } catch (error) {
    await first.stop(true);
    throw error;
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
  const fetch: Answering = (request, connection) =>
    handler === null ? starting.promise.then(() => answer(request, connection)) : handler(request, connection);
  const server = listen(settings, tls, fetch);
  const answer = (request: Request, connection: Bun.Server<undefined>): Promise<Response> | Response =>
    handler === null ? new Response(null, { status: 503 }) : handler(request, connection);

  const servers = options.demo === undefined ? [server] : await listenBeside(server, settings, tls, fetch);
  const stopServers = (now: boolean): Promise<unknown> => Promise.all(servers.map((one) => one.stop(now)));
  const limits = checkLoopbackOnly(settings, parseOrigin(settings.origin ?? '') ?? ctx.origin());
  if (limits !== null) {
    await stopServers(true);
    throw new StartTrouble(limits);
  }
  const origin = await settleOrigin(ctx, settings.origin, deriveOrigin(options.demo === undefined ? settings.host : 'localhost', server.port ?? settings.port, tls !== null), settings.moveOrigin);
  if (!origin.ok) {
    await stopServers(true);
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
    proxies, readiness, docs: settings.docs === 'on', mailbox: settings.smtpUrl === null, ...(options.demo !== undefined && { demo: options.demo }), bootId: ctx.random.text(6), logRequests: settings.logLevel === 'debug',
  });
  starting.resolve();
  await ctx.store.recordAudit([auditEvent({ timeMs: clock.now(), type: 'server_started', actor: 'server', subject: origin.origin.url, reason: version })]);
  ctx.log.info('started', { version, origin: origin.origin.url, host: server.hostname ?? settings.host, port: server.port ?? settings.port, tls: tls !== null });
  const housekeeping = startHousekeeping(application);
  const delivery = startDelivery(ctx, openCarriers(settings, origin.origin.host));
  const stop = awaitStopSignal();
  await options.onReady({ url: origin.origin.url });

  const signal = await stop;
  readiness.stopping = true;
  ctx.log.info('stopping', { signal });
  await Promise.race([stopServers(false), Bun.sleep(GRACE_MS)]);
  await stopServers(true);
  await delivery.stop();
  await housekeeping.stop();
  await application.close();
  return 0;
}

function awaitStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
