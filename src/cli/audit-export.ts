import { open, rm } from 'node:fs/promises';
import type { AuditSearch } from '../core/operations-store.ts';
import { exportAudit, type ExportFormat } from '../service/manage-audit.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import type { Work } from './call.ts';
import { CommandFailure } from './failure.ts';
import { writeOut } from './output.ts';
import { makeProgress } from './progress.ts';

/** Writes events out, piece by piece: what is not written yet is not read yet. @param path null: standard output */
export async function exportEvents(work: Work, search: AuditSearch, format: ExportFormat, path: string | null): Promise<void> {
  const { ctx, out } = work;
  if (typeof search.tenant === 'string' && (await ctx.store.pageAudit({ after: null, limit: 1 }, { tenant: search.tenant })).items.length === 0) {
    work.take(await requireTenant(ctx, search.tenant));
  }
  let events = 0;
  const line = makeProgress(out.json);
  const pieces = exportAudit(ctx, search, format, (count) => {
    events = count;
    line.tell('events', count, null);
  });
  if (path === null) {
    for await (const piece of pieces) await writeOut(piece);
    line.end();
    return;
  }
  await writeFile(path, pieces);
  line.end();
  await out.document({ ok: true, file: path, events });
  await out.print(`Wrote ${events} events to ${path}.`);
}

/** A file that was not there before, 0600, whole or not at all. @throws CommandFailure */
async function writeFile(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    throw new CommandFailure('file_unavailable', code === 'EEXIST' ? `${path} is there already: nothing is overwritten, choose another name` : `${path} cannot be written: ${error instanceof Error ? error.message : 'unknown reason'}`);
  });
  try {
    // Whatever the umask.
    await file.chmod(0o600);
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
