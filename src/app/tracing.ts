import { readFileSync } from 'node:fs';
import type { Context } from '../service/context.ts';
import type { Meters } from '../metrics/meters.ts';
import { makeSpanQueue } from '../metrics/span-queue.ts';
import type { Tracer } from '../metrics/spans.ts';
import { version } from '../version.ts';

/** Trouble with the collector is told so often, milliseconds: it comes with every batch. */
const REPORT_EVERY_MS = 60_000;

/** A header: its name and its value (RFC 9110 §5.5), without the spaces around it. */
const headerForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\x21-\x7E](?:[\x20-\x7E\t]*[\x21-\x7E])?)[\t ]*$/;

/**
 * Headers for the collector out of a file, one `Name: value` a line; empty lines and lines that begin with # are left out.
 * @throws Error that says which line is wrong, and never what it holds
 */
export function readHeaders(path: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [index, line] of readFileSync(path, 'utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, value] = headerForm.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`line ${index + 1} of ${path} is not "Name: value"`);
    headers[name] = value;
  }
  return headers;
}

/** Sends traces until stopped. */
export type Tracing = { stop(): Promise<void> };

/**
 * Connects the tracer to the collector; what is sent is lost where there is none, and no request notices.
 * @param headers as `readHeaders` gives them
 */
export async function startTracing(
  tracer: Tracer, endpoint: string, headers: Readonly<Record<string, string>>, ctx: Pick<Context, 'log' | 'clock' | 'random'>, meters: Pick<Meters, 'spans'>,
): Promise<Tracing> {
  const { makeOtlpSender } = await import('../metrics/otlp.ts');
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  const send = makeOtlpSender({ endpoint, headers, version, instance: ctx.random.text(9) }, (why) => {
    if (ctx.clock.monotonic() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = ctx.clock.monotonic();
    ctx.log.warn('traces were not taken', { why, fix: 'look whether the collector at ASSAY_OTLP_ENDPOINT answers' });
  });
  const queue = makeSpanQueue(send, (result, count) => meters.spans(result, count));
  tracer.connect((span) => queue.add(span));
  return {
    async stop() {
      tracer.connect(null);
      await queue.stop();
    },
  };
}
