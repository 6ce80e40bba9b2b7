import { isStoreError } from '../core/ports.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import type { ServerContext } from './server-context.ts';

/** A finding holds for so long, so that strangers cannot make the disk work (milliseconds). */
const KEPT_MS = 1000;

/** Health answers, for any Host (HT-01, HT-22). */
export type Health = {
  /** The process lives. */
  live(requestId: string): Response;
  /** It can do its work: database writable, keys there and unsealed, clock sane, not stopping. */
  ready(requestId: string): Promise<Response>;
};

type Finding = { readonly ready: boolean; readonly problems: readonly string[] };

export function makeHealth(server: ServerContext): Health {
  const { ctx, respond, readiness } = server;
  let kept: { readonly atMs: number; readonly finding: Promise<Finding> } | null = null;

  async function examine(): Promise<Finding> {
    const problems: string[] = [];
    if (readiness.clockBehindMs() > 0) problems.push('clock');
    try {
      await ctx.store.probe();
      const tenant = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
      if (tenant === null || (await ctx.rings.of(tenant.id)).signer === null) problems.push('keys');
    } catch (error) {
      problems.push(isStoreError(error) ? 'database' : 'keys');
    }
    return { ready: problems.length === 0, problems };
  }

  return {
    live: (requestId) => respond.json(200, '{"status":"ok"}', requestId),
    async ready(requestId) {
      const nowMs = ctx.clock.monotonic();
      if (kept === null || nowMs - kept.atMs > KEPT_MS) kept = { atMs: nowMs, finding: examine() };
      const finding = await kept.finding;
      // A server that is not ready yet is about to be: the next question deserves a fresh look.
      if (!finding.ready) kept = null;
      const problems = readiness.stopping ? ['stopping', ...finding.problems] : finding.problems;
      return problems.length === 0
        ? respond.json(200, '{"status":"ready"}', requestId)
        : respond.json(503, JSON.stringify({ status: 'not_ready', problems }), requestId, { 'Retry-After': '1' });
    },
  };
}
