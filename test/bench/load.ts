/**
 * A load generator for what wrk cannot do: every request once, and chains where each request needs the answer before.
 * Raw sockets, one request at a time per connection.
 *
 *   bun test/bench/load.ts JOB.json     prints one line of JSON, a LoadResult
 */

/** What to send. Requests are whole HTTP/1.1 messages. */
export type LoadJob = {
  readonly port: number;
  readonly connections: number;
  /** Stops then; lists stop when they are through. */
  readonly seconds: number;
  readonly work:
    /** The same over and over. */
    | { readonly kind: 'same'; readonly request: string }
    /** Each of them once. */
    | { readonly kind: 'list'; readonly requests: readonly string[] }
    /** One chain per connection: `head` and the form of a refresh with the token of the answer before. */
    | { readonly kind: 'refresh'; readonly head: string; readonly tokens: readonly string[] };
};

/** Latencies in milliseconds; `failed` are answers that are no 200, or lack what the next request needs. Only the others count per second. */
export type LoadResult = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly requests: number;
  readonly failed: number;
};

/** A request with a form, as bytes on the wire. `head` ends before Content-Length. */
export function withBody(head: string, form: string): string {
  return `${head}Content-Length: ${Buffer.byteLength(form)}\r\n\r\n${form}`;
}

/** Everything of a POST before its Content-Length. */
export function formHead(port: number, path: string, authorization: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${authorization}\r\n`
    + 'Content-Type: application/x-www-form-urlencoded\r\n';
}

/** Runs a job to its end. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const latencies: number[] = [];
  const tokens = job.work.kind === 'refresh' ? [...job.work.tokens] : [];
  let failed = 0;
  let taken = 0;
  let open = job.connections;
  const began = performance.now();
  const until = began + job.seconds * 1000;
  const over = Promise.withResolvers<void>();

  function next(connection: number): string | undefined {
    const { work } = job;
    if (performance.now() >= until) return undefined;
    if (work.kind === 'same') return work.request;
    if (work.kind === 'list') return work.requests[taken++];
    const token = tokens[connection];
    return token === undefined ? undefined : withBody(work.head, `grant_type=refresh_token&refresh_token=${token}`);
  }

  for (let connection = 0; connection < job.connections; connection += 1) {
    let buffer = '';
    let sentAt = 0;
    const send = (socket: Bun.Socket): void => {
      const request = next(connection);
      if (request === undefined) {
        socket.end();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    await Bun.connect({
      hostname: '127.0.0.1',
      port: job.port,
      socket: {
        open: send,
        data(socket, bytes) {
          buffer += bytes.toString('latin1');
          const end = buffer.indexOf('\r\n\r\n');
          if (end === -1) return;
          const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(buffer)?.[1] ?? 0);
          if (buffer.length < end + 4 + length) return;
          latencies.push(performance.now() - sentAt);
          const token = job.work.kind === 'refresh' ? /"refresh_token":"([^"]+)"/.exec(buffer)?.[1] : undefined;
          if (token !== undefined) tokens[connection] = token;
          if (!buffer.startsWith('HTTP/1.1 200') || (job.work.kind === 'refresh' && token === undefined)) failed += 1;
          buffer = '';
          send(socket);
        },
        close() {
          open -= 1;
          if (open === 0) over.resolve();
        },
      },
    });
  }
  await over.promise;
  const seconds = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
  return { perSecond: (latencies.length - failed) / seconds, p50: at(0.5), p99: at(0.99), requests: latencies.length, failed };
}

if (import.meta.main) {
  const job = await Bun.file(Bun.argv[2] ?? '').json() as LoadJob;
  console.log(JSON.stringify(await runLoad(job)));
}
