import worker from './aside-worker.txt' with { type: 'text' };

type Answer = { readonly ok: true; readonly rows: readonly Readonly<Record<string, unknown>>[] } | { readonly ok: false; readonly message: string };

/**
 * Runs one statement on a file over a connection and a thread of its own: what takes minutes leaves this thread free to
 * tell how far it is, and to stop. @throws Error with SQLite's words
 */
export async function runAside(path: string, sql: string, parameters: readonly string[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const address = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));
  const thread = new Worker(address);
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      // The worker is ours, a few lines away: these are the only messages that it sends.
      thread.addEventListener('message', ({ data }) => resolve(data as Answer));
      thread.addEventListener('error', ({ message }) => reject(new Error(message)));
      thread.postMessage({ path, sql, parameters });
    });
    if (!answer.ok) throw new Error(answer.message);
    return answer.rows;
  } finally {
    thread.terminate();
    URL.revokeObjectURL(address);
  }
}
