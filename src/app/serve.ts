import { checkLoopbackOnly } from '../config/read-settings.ts';
import type { SettingKey, Settings } from '../config/settings.ts';
import { auditEvent } from '../core/audit-event.ts';
import { parseOrigin } from '../core/issuer.ts';
import { makeRequestHandler } from '../http/app.ts';
import type { RequestHandler } from '../http/gate.ts';
import { parseTrustedProxies } from '../http/peer.ts';
import type { DemoSite, Readiness } from '../http/server-context.ts';
import { makeSetupLink } from '../service/manage-administrators.ts';
import { deriveOrigin, settleOrigin } from '../service/manage-origin.ts';
import { version } from '../version.ts';
import { ensureAdminResource } from './admin-resource.ts';
import { makeRetention } from './audit-retention.ts';
import { openCarriers, startDelivery } from './delivery.ts';
import { ensureDefaultTenant } from './first-tenant.ts';
import { followTls } from './follow-tls.ts';
import { startHousekeeping } from './housekeeping.ts';
import { openPostJson, startWebhooks } from './webhooks.ts';
import { listen, listenBeside, readServableTls, type Answering } from './listen.ts';
import type { Application } from './open.ts';
import { startOperating } from './operating.ts';
import { StartTrouble } from './start-trouble.ts';
import { describeSettings } from './setting-facts.ts';

/** What is under way may finish for so long after the signal to stop (HT-21). */
const GRACE_MS = 10_000;

export type ServeOptions = {
  /** Called once requests are answered. */
  readonly onReady: (info: {
    readonly url: string;
    /** Where the first administrator makes their account, once and within a day; null: there is one, or no console. Whoever has it becomes that. */
    readonly setupUrl: string | null;
  }) => void | Promise<void>;
  /** Who said what a setting is; left out: nobody knows. */
  readonly given?: Readonly<Partial<Record<SettingKey, string>>>;
  /** A demo: lives at `http://localhost`, at every address that browsers try for that name. */
  readonly demo?: DemoSite;
};

/**
 * Listens and answers until told to stop, then finishes what is under way and closes the data.
 * @returns the exit code
 * @throws StartTrouble, StoreError
 */
export async function serve(application: Application, settings: Settings, options: ServeOptions): Promise<number> {
  const { ctx, clock } = application;
  const proxies = parseTrustedProxies(settings.trustProxy);
  if (proxies === null) throw new StartTrouble('--trust-proxy takes addresses or CIDR ranges, as in 10.0.0.0/8');
  const tls = readServableTls(settings);
  const readiness: Readiness = { stopping: false, clockBehindMs: () => clock.behindMs() };

  let handler: RequestHandler | null = null;
  const starting = Promise.withResolvers<void>();
  const fetch: Answering = (request, connection) =>
    handler === null ? starting.promise.then(() => answer(request, connection)) : handler(request, connection);
  const server = listen(settings, tls, fetch);
  const answer = (request: Request, connection: Bun.Server<undefined>): Promise<Response> | Response =>
    handler === null ? new Response(null, { status: 503 }) : handler(request, connection);

  const servers = options.demo === undefined ? [server] : await listenBeside(server, settings, tls, fetch);
  const followed = tls === null ? null : followTls({ settings, server, tls, fetch, log: ctx.log });
  const stopServers = async (now: boolean): Promise<void> => {
    followed?.end();
    await Promise.all([...servers.map((one) => one.stop(now)), followed?.stop(now)]);
  };
  const limits = checkLoopbackOnly(settings, parseOrigin(settings.origin ?? '') ?? ctx.origin());
  if (limits !== null) {
    await stopServers(true);
    throw new StartTrouble(limits);
  }
  const operating = await startOperating(application, settings).catch(async (error: unknown) => {
    await stopServers(true);
    throw error;
  });
  const origin = await settleOrigin(ctx, settings.origin, deriveOrigin(options.demo === undefined ? settings.host : 'localhost', server.port ?? settings.port, tls !== null), settings.moveOrigin);
  if (!origin.ok) {
    await stopServers(true);
    await operating.stop();
    throw new StartTrouble(origin.description);
  }
  if (origin.changed && application.ctx.origin().url !== origin.origin.url && !application.isNew) {
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
  if (settings.admin === 'on') await ensureAdminResource(ctx);
  handler = makeRequestHandler(ctx, {
    proxies, readiness, docs: settings.docs === 'on', admin: settings.admin === 'on', settings: describeSettings(settings, options.given ?? {}), mailbox: settings.smtpUrl === null, ...(options.demo !== undefined && { demo: options.demo }), bootId: ctx.random.text(6), logRequests: settings.logLevel === 'debug',
    observatory: operating.observatory, spans: application.tracer,
  });
  starting.resolve();
  const auditStream = settings.auditStream === null ? null : await (await import('./audit-stream.ts')).streamAudit(ctx, settings.auditStream);
  await ctx.store.recordAudit([auditEvent({ timeMs: clock.now(), type: 'server_started', actor: 'server', subject: origin.origin.url, reason: version })]);
  ctx.log.info('started', { version, origin: origin.origin.url, host: server.hostname ?? settings.host, port: server.port ?? settings.port, tls: tls !== null, ...(operating.metricsUrl !== null && { metrics: operating.metricsUrl }) });
  const housekeeping = startHousekeeping(application);
  const retention = makeRetention(ctx, settings.auditRetention);
  const delivery = startDelivery(ctx, openCarriers(settings, origin.origin.host));
  const webhooks = startWebhooks(ctx, openPostJson(settings));
  const endsWithTerminal = options.demo !== undefined && process.stdin.isTTY;
  const stop = awaitStopSignal(endsWithTerminal ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT']);
  // Left to the system it would end the server in the middle of things.
  const hungUp = (): void => {
    if (tls === null) ctx.log.info('nothing to read again', { signal: 'SIGHUP', note: 'there is no TLS certificate, and settings are read at the start' });
  };
  process.on('SIGHUP', hungUp);
  const setup = settings.admin === 'on' && options.demo === undefined ? await makeSetupLink({ ...ctx, by: { actor: 'server', ip: null, requestId: null } }) : null;
  await options.onReady({ url: origin.origin.url, setupUrl: setup?.url ?? null });

  const signal = await stop;
  readiness.stopping = true;
  ctx.log.info('stopping', { signal });
  await Promise.race([stopServers(false), Bun.sleep(GRACE_MS)]);
  await stopServers(true);
  await Promise.all([delivery.stop(), webhooks.stop()]);
  await retention.stop();
  await housekeeping.stop();
  process.off('SIGHUP', hungUp);
  await auditStream?.stop();
  await operating.stop();
  await application.close();
  return 0;
}

/** @param signals a demo at a terminal ends with it, and leaves nothing behind; any other server goes on (HT-21) */
function awaitStopSignal(signals: readonly ('SIGTERM' | 'SIGINT' | 'SIGHUP')[]): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve(signal));
  });
}
