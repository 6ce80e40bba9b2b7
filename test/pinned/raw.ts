/** Bytes on a socket, for what no HTTP client would send. */

export type Listening = {
  readonly port: number;
  /** Sends text as it is and returns everything that comes back until the other end closes. */
  readonly send: (text: string) => Promise<string>;
  readonly stop: () => Promise<void>;
};

/** A bare server of Bun's around a handler. */
export function listen(fetch: (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>, maxRequestBodySize = 1024): Listening {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', development: false, maxRequestBodySize, fetch });
  const { port } = server;
  if (port === undefined) throw new Error('no port');
  return {
    port,
    send: (text) => sendTo(port, text),
    async stop() {
      await server.stop(true);
    },
  };
}

async function sendTo(port: number, text: string): Promise<string> {
  const closed = Promise.withResolvers<string>();
  let answer = '';
  await Bun.connect({
    hostname: '127.0.0.1', port,
    socket: {
      open: (socket) => void socket.write(text),
      data: (_socket, bytes) => { answer += bytes.toString('latin1'); },
      close: () => closed.resolve(answer),
      error: (_socket, error) => closed.reject(error),
    },
  });
  return closed.promise;
}

/** A request that closes its connection. @param head lines after the first */
export function requestOf(line: string, ...head: string[]): string {
  return [line, ...head, 'Connection: close', '', ''].join('\r\n');
}

/** The body of an answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}
