import type { ChainFault } from '../core/audit-chain.ts';
import { chainDocument } from '../service/documents.ts';
import { verifyChain, verifyChains, type ChainHead, type ChainReport } from '../service/manage-audit.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import type { Work } from './call.ts';
import { UsageError } from './failure.ts';
import { writeErr } from './output.ts';
import { makeProgress } from './progress.ts';
import { table } from './text.ts';

/** What each fault means to who reads it. */
const faultWords: Readonly<Record<ChainFault, string>> = {
  mismatch: 'it or one before it was changed, taken away or moved',
  out_of_order: 'it is not where it was',
  unhashed: 'its hash was taken away',
};

/** A head as it was printed. @throws UsageError */
export function readHead(value: string | undefined): ChainHead | null {
  if (value === undefined) return null;
  const parts = /^([0-9]{1,15}):([A-Za-z0-9_-]{43})$/.exec(value);
  if (parts === null) throw new UsageError('--head is NUMBER:HASH, as `assay audit verify` printed it');
  return { number: Number(parts[1]), hash: parts[2] ?? '' };
}

function nameOf({ tenant }: ChainReport): string {
  return tenant ?? '(server)';
}

/** Verifies and says what came of it. @param tenant slug; null: the server's own chain; undefined: all. @returns the exit code */
export async function verify(work: Work, tenant: string | null | undefined, noted: ChainHead | null): Promise<number> {
  const { ctx, out } = work;
  const line = makeProgress(out.json);
  const progress = (events: number): void => line.tell('events', events, null);
  const reports = tenant === undefined
    ? await verifyChains(ctx, { noted, progress })
    : [await verifyChain(ctx, tenant, { noted, progress })];
  line.end();
  // A name that only events still know is no mistake.
  if (typeof tenant === 'string' && reports[0]?.head === null && reports[0].unhashed === 0) work.take(await requireTenant(ctx, tenant));
  const broken = reports.filter((report) => report.broken !== null);
  const holds = noted === null || reports.some(({ holdsNoted }) => holdsNoted);
  const ok = broken.length === 0 && holds;
  await out.document({ ok, ...(noted !== null && { holds_head: holds }), items: reports.map(chainDocument) });
  await out.print(table(out.styled, ['CHAIN', 'EVENTS', 'STATE', 'HEAD'], reports.map((report) => [
    nameOf(report), String(report.events), report.broken === null ? `fine${report.pruned === null ? '' : `; retention took those up to ${report.pruned}`}` : `broken at ${report.broken.number}`, report.head === null ? '–' : `${report.head.number}:${report.head.hash}`,
  ])));
  if (out.json) return ok ? 0 : 1;
  for (const report of broken) {
    if (report.broken !== null) writeErr(`error: event ${report.broken.number} of ${nameOf(report)} is not as it was written: ${faultWords[report.broken.fault]}\n`);
  }
  if (!holds && noted !== null) writeErr(`error: ${describeLost(noted, reports)}\n`);
  return ok ? 0 : 1;
}

function describeLost({ number }: ChainHead, reports: readonly ChainReport[]): string {
  const taken = reports.some(({ pruned }) => pruned !== null && pruned > number);
  return `the head ${number} is not in the trail${taken ? '; retention took events beyond it, so it may have gone with them: note a newer one' : ': its end was cut off, or it was written anew'}`;
}
