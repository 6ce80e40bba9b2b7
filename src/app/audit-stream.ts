import { write } from 'node:fs';
import { startAuditStream, type AuditSink, type AuditStream } from '../audit/stream.ts';
import { openSyslog, parseSyslogTarget } from '../audit/syslog.ts';
import { jsonLine } from '../core/json-line.ts';
import type { Context } from '../service/context.ts';
import { auditRowDocument } from '../service/documents.ts';

const STDOUT = 1;
/** How long to wait for a reader that is slower than we are, milliseconds. */
const FULL_PIPE_MS = 10;

/** @returns how many bytes went out; 0 when the pipe is full. Waits beside everything else, however slow the reader. */
function writeSome(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(STDOUT, bytes, (error, written) => {
      if (error === null) resolve(written);
      else if (error.code === 'EAGAIN') resolve(0);
      else reject(error);
    });
  });
}

/** Standard output, one JSON line per event. */
function openStdout(): AuditSink {
  return {
    async send(rows) {
      let rest: Uint8Array = new TextEncoder().encode(rows.map((row) => `${jsonLine(auditRowDocument(row))}\n`).join(''));
      while (rest.length > 0) {
        const written = await writeSome(rest);
        rest = rest.subarray(written);
        if (written === 0) await Bun.sleep(FULL_PIPE_MS);
      }
    },
    close: () => undefined,
  };
}

/** Streams the audit trail. @param where `stdout` or a syslog URL, as the setting says */
export function streamAudit(ctx: Pick<Context, 'store' | 'clock' | 'log'>, where: string): Promise<AuditStream> {
  return startAuditStream(ctx, where === 'stdout' ? openStdout() : openSyslog(parseSyslogTarget(where), auditRowDocument, () => ctx.clock.monotonic()));
}
