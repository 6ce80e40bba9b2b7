/**
 * People who sign in through the pages, each with an account and, every time, a new browser of their own: the
 * application's request, the form with name and password, and the code back to the application.
 *
 *   bun test/bench/sign-ins.ts JOB.json     prints one line of JSON, a SignInResult
 */
import { newPerson } from '../helpers/person.ts';

export type SignInJob = {
  /** Origin of the server. */
  readonly url: string;
  /** Path and query of an application's request. */
  readonly request: string;
  /** One for each of the people, who come all at once, and again as long as it lasts. */
  readonly usernames: readonly string[];
  readonly password: string;
  /** Seconds that do not count, before those that do. */
  readonly warmUp: number;
  readonly seconds: number;
};

/** `busy`: told to come again, which they do; `failed`: anything but a code. */
export type SignInResult = { readonly perSecond: number; readonly p50: number; readonly p99: number; readonly signIns: number; readonly busy: number; readonly failed: number };

const AGAIN_MS = 1_000;

/** Runs a job to its end; whoever is on the way then does not count. */
async function runSignIns({ url, request, usernames, password, warmUp, seconds }: SignInJob): Promise<SignInResult> {
  const from = performance.now() + warmUp * 1000;
  const until = from + seconds * 1000;
  const latencies: number[] = [];
  let busy = 0;
  let failed = 0;
  const counts = (atMs: number): boolean => atMs >= from && atMs < until;

  await Promise.all(usernames.map(async (username) => {
    while (performance.now() < until) {
      const beganMs = performance.now();
      const person = newPerson(url);
      await person.open(request);
      let page = await person.submit({ username, password }, { form: { step: 'password' } });
      while (page.status === 503 && performance.now() < until) {
        if (counts(performance.now())) busy += 1;
        await Bun.sleep(AGAIN_MS);
        page = await person.submit({ username, password }, { form: { step: 'password' } });
      }
      const endedMs = performance.now();
      if (!counts(endedMs)) continue;
      if (page.location !== null && new URL(page.location).searchParams.has('code')) latencies.push(endedMs - beganMs);
      else failed += 1;
    }
  }));
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
  return { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), signIns: latencies.length, busy, failed };
}

if (import.meta.main) {
  const job = await Bun.file(Bun.argv[2] ?? '').json() as SignInJob;
  console.log(JSON.stringify(await runSignIns(job)));
}
