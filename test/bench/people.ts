/** What signing in costs: against the bare hash that it must compute, and to those who ask about tokens meanwhile. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, measureShot, measureSignIns, onCore, run, startListener, type Listener, type Placement } from './machine.ts';
import { median, type PeopleTable } from './report.ts';
import { seedPeople, type People } from './seed.ts';

/** What `--only` is compared with. */
export const peopleTitle = 'sign-ins';

/** As many as the bare hashes of ceiling.ts. */
const AT_ONCE = 16;
const CROWD = 100;
const WARM_UP_S = 1.5;
/** Sign-ins are few per second: shorter says nothing. */
const LEAST_SECONDS = 4;

export type PeopleOptions = {
  readonly binary: string;
  readonly ceilingBinary: string;
  readonly folder: string;
  readonly wrk: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  /** Of those who ask about tokens. */
  readonly connections: number;
  readonly tell: (step: string) => void;
};

type Figures = {
  readonly hashes: number;
  readonly signIns: number;
  readonly signInP50: number;
  readonly quiet: { readonly perSecond: number; readonly p99: number };
  readonly crowded: { readonly perSecond: number; readonly p99: number; readonly signIns: number; readonly busy: number };
  readonly failed: number;
};

/** Measures with the server on a core of its own, then with server and load wherever there is room. */
export async function measurePeople(options: PeopleOptions): Promise<PeopleTable> {
  const data = join(options.folder, 'people');
  mkdirSync(data);
  let people: People | null = null;
  const port = await freePort();
  const placements = ['apart', 'anywhere'] as const satisfies readonly Placement[];
  const columns: Figures[][] = [];
  for (const placement of placements) {
    // From one address everybody would be one network: without limits.
    const server = await startListener([options.binary, 'serve', '--data', data, '--port', String(port)], {
      port, folder: options.folder, paths: ['/readyz'], env: { ASSAY_RATE_LIMITS: 'off' }, placement,
    });
    people ??= await seedPeople(data, CROWD);
    const figures: Figures[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      options.tell(`round ${round + 1}: ${peopleTitle}, ${placement}`);
      figures.push(await measureRound(server, people, options));
    }
    columns.push(figures);
    await server.stop();
  }
  return render(columns);
}

async function measureRound(server: Listener, people: People, { ceilingBinary, folder, wrk, seconds, connections }: PeopleOptions): Promise<Figures> {
  const span = Math.max(seconds, LEAST_SECONDS);
  const job = { url: `http://127.0.0.1:${server.port}`, request: people.request, password: people.password, warmUp: WARM_UP_S, seconds: span };
  const measureHashes = async (): Promise<number> =>
    (JSON.parse(await run(onCore(0, [ceilingBinary, 'hash'], server.placement))) as { readonly perSecond: number }).perSecond;
  const shot = { path: '/oauth2/introspect', authorization: people.api.authorization, form: `token=${people.liveJwt}` };
  const ask = (): ReturnType<typeof measureShot> => measureShot(server, shot, { wrk, seconds: span, connections, folder });

  const hashesBefore = await measureHashes();
  const alone = await measureSignIns(server, { ...job, usernames: people.usernames.slice(0, AT_ONCE) }, folder);
  const hashesAfter = await measureHashes();

  const before = await ask();
  const [crowd, crowded] = await Promise.all([
    measureSignIns(server, { ...job, usernames: people.usernames }, folder),
    Bun.sleep(WARM_UP_S * 1000).then(ask),
  ]);
  const after = await ask();
  return {
    hashes: (hashesBefore + hashesAfter) / 2, signIns: alone.perSecond, signInP50: alone.p50,
    quiet: { perSecond: (before.perSecond + after.perSecond) / 2, p99: (before.p99 + after.p99) / 2 },
    crowded: { perSecond: crowded.perSecond, p99: crowded.p99, signIns: crowd.perSecond, busy: crowd.busy },
    failed: alone.failed + crowd.failed + before.failed + crowded.failed + after.failed,
  };
}

function render(columns: readonly (readonly Figures[])[]): PeopleTable {
  const line = (name: string, read: (figures: Figures) => number, show: (value: number) => string) =>
    ({ name, values: columns.map((figures) => show(median(figures.map(read)))) });
  const rate = (value: number): string => `${value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(1)}/s`;
  const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
  const part = (value: number): string => value.toFixed(2);
  const failed = columns.flat().reduce((sum, figures) => sum + figures.failed, 0);
  return {
    columns: ['server on one core, load on the other', 'server and load on all cores'],
    lines: [
      line(`argon2id (19 MiB, 2 passes) and nothing else, ${AT_ONCE} at once`, ({ hashes }) => hashes, rate),
      line(`sign-ins through the pages, ${AT_ONCE} people at once${failed > 0 ? ` (**${failed} failed**)` : ''}`, ({ signIns }) => signIns, rate),
      line('sign-ins ÷ argon2id and nothing else', ({ signIns, hashes }) => signIns / hashes, part),
      line('median sign-in', ({ signInP50 }) => signInP50, milliseconds),
      line('introspect a live JWT, nobody signs in: p99', ({ quiet }) => quiet.p99, milliseconds),
      line(`introspect a live JWT while ${CROWD} people sign in: p99`, ({ crowded }) => crowded.p99, milliseconds),
      line('p99 with them ÷ p99 without', ({ quiet, crowded }) => crowded.p99 / quiet.p99, part),
      line('introspections per second with them ÷ without', ({ quiet, crowded }) => crowded.perSecond / quiet.perSecond, part),
      line('their sign-ins meanwhile', ({ crowded }) => crowded.signIns, rate),
      line('told to come again meanwhile', ({ crowded }) => crowded.busy, (value) => value.toFixed(0)),
    ],
    note: `${CROWD} people come at once and, signed in, again in a new browser; whoever is told to come again does so after a second. Passwords are hashed on threads of their own that come after the one that answers, one fewer at once than there are cores, at least one and at most four. In the first column all of them take turns on one core, the worst that sign-ins can do to answers; in the second the server shares every core with its load, and argon2id and nothing else has every thread of the pool.`,
  };
}
