/** Why a body was not read. `status` and `description` are the answer. */
export type BodyFault = { readonly status: 400 | 413 | 503; readonly description: string };

/** Longest body (HT-04), bytes. */
const MAX_BODY = 65_536;
/** From the first byte of the request to the last of its body (HT-06), milliseconds. */
const BODY_DEADLINE_MS = 10_000;
/** Bodies that may be on their way at once: they bound what slow senders can make us keep. */
const MAX_AWAITED = 10_000;

const missing: BodyFault = { status: 400, description: 'the request body did not arrive' };
const tooLarge: BodyFault = { status: 413, description: 'the request body is larger than 64 KiB' };
const crowded: BodyFault = { status: 503, description: 'too many request bodies are on their way' };

type AwaitedBody = { readonly sinceMs: number; readonly giveUp: () => void };

/** Bodies that are being waited for, oldest first. One timer watches all, so that a request costs none. */
const awaited = new Set<AwaitedBody>();
const WATCH_EVERY_MS = 1_000;
let watch: ReturnType<typeof setInterval> | null = null;

function watchBodies(): void {
  const nowMs = performance.now();
  for (const body of awaited) {
    if (nowMs - body.sinceMs < BODY_DEADLINE_MS) break;
    awaited.delete(body);
    body.giveUp();
  }
  if (awaited.size === 0 && watch !== null) {
    clearInterval(watch);
    watch = null;
  }
}

/** Reads a body of unknown length, and stops where it is too long. @throws when it breaks off */
async function readCounted(body: ReadableStream<Uint8Array>): Promise<string | BodyFault> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.byteLength;
    if (size > MAX_BODY) {
      // The answer does not wait for this, and does not depend on it.
      reader.cancel().catch(() => undefined);
      return tooLarge;
    }
    chunks.push(step.value);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Bodies that were waited for before anybody looked at them. */
const early = new WeakMap<Request, Promise<string | BodyFault>>();

/** Waits until a request's body is there, or will not come; `readBody` then gives it at once. */
export async function awaitBody(request: Request): Promise<void> {
  const reading = readBody(request);
  early.set(request, reading);
  await reading;
}

/**
 * A request's body as text, with U+FFFD for bytes that are no UTF-8. Never more than 64 KiB of it are waited for: what
 * says that it is longer is not read at all, what does not say is counted.
 * @returns the fault when it is too long, too late or broken off, or when too many others are waited for
 */
export function readBody(request: Request): Promise<string | BodyFault> {
  const known = early.get(request);
  if (known !== undefined) return known;
  const length = Number(request.headers.get('content-length') ?? Number.NaN);
  if (length > MAX_BODY) return Promise.resolve(tooLarge);
  return new Promise((resolve) => {
    const body: AwaitedBody = { sinceMs: performance.now(), giveUp: () => resolve(missing) };
    const settle = (result: string | BodyFault): void => {
      awaited.delete(body);
      resolve(result);
    };
    if (awaited.size < MAX_AWAITED) {
      awaited.add(body);
      watch ??= setInterval(watchBodies, WATCH_EVERY_MS);
    } else {
      // A body that came together with its head is there before this turn of the loop is over.
      setImmediate(resolve, crowded);
    }
    const reading = length <= MAX_BODY || request.body === null ? request.text() : readCounted(request.body);
    reading.then(settle, () => settle(missing));
  });
}
