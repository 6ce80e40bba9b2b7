/** An application's side of calls from outside, on this machine: what arrives is kept, and answered as the test says. */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One call that arrived. */
export type Received = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string };

export type Receiver = {
  readonly port: number;
  readonly calls: Received[];
  /** What the next calls are answered with; `hang`: nothing, ever. */
  answer: number | 'hang' | 'endless';
  /** Extra headers of the answer. */
  headers: Readonly<Record<string, string>>;
  /** The most calls that were open at once. */
  most: number;
  close(): Promise<void>;
};

/** Starts one. @param tls PEM; null: plain http */
export async function startReceiver(tls: { readonly key: string; readonly cert: string } | null = null): Promise<Receiver> {
  let open = 0;
  const receiver = { port: 0, calls: [] as Received[], answer: 200 as Receiver['answer'], headers: {}, most: 0 };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    open += 1;
    receiver.most = Math.max(receiver.most, open);
    response.on('close', () => {
      open -= 1;
    });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.calls.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (receiver.answer === 'hang') return;
      if (receiver.answer === 'endless') {
        response.writeHead(200, receiver.headers);
        const pour = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536))) { /* until the other side has enough */ }
        };
        response.on('drain', pour);
        pour();
        return;
      }
      response.writeHead(receiver.answer, receiver.headers);
      response.end(receiver.answer === 204 ? undefined : 'whatever');
    });
  };
  const server: Server = tls === null ? createHttp(listener) : createHttps(tls, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  receiver.port = (server.address() as AddressInfo).port;
  return Object.assign(receiver, {
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  });
}
