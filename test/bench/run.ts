/**
 * Measures the compiled executable, and what the same machine allows at the same moment.
 *
 *   bun run bench [--quick] [--rounds N] [--seconds N] [--only WORD] [--binary FILE] [--write]
 *
 * `--only` measures the rows whose name has the word in it, `--only sign-ins` the table of people who sign in; `--write` puts the report into README.md between its marks.
 * A report: it never fails because a machine is slow, only when something cannot be measured at all.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from '../binary/build.ts';
import { needProgram } from '../helpers/programs.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { formHead, withBody, type LoadJob } from './load.ts';
import { freePort, measureJob, measureShot, onCore, residentMemory, run, startListener, type Listener, type Measure, type Shot } from './machine.ts';
import { measurePeople, peopleTitle } from './people.ts';
import { median, renderReport, writeIntoReadme, type Fact, type Row, type Sample } from './report.ts';
import { seed, seedCodes, type Seeds } from './seed.ts';

const root = resolve(import.meta.dir, '../..');
const CONNECTIONS = 32;
const CHANGE_CONNECTIONS = 64;
const GARBAGE = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm90LWEtc2lnbmF0dXJl';

const { values } = parseArgs({
  args: Bun.argv.slice(2),
  options: {
    quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' },
    only: { type: 'string' }, binary: { type: 'string' }, write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 2 : 5));
const revocations = values.quick ? 4_000 : 20_000;
/** Codes live a minute: no more than can be redeemed in it. */
const codes = values.quick ? 2_000 : 10_000;
const REDEEM_S = 40;

/** One row of the report: what is sent, and what is hoped for, as parts of the ceiling unless it says otherwise. */
type Plan = Omit<Row, 'samples'> & (
  { readonly shot: (seeds: Seeds) => Shot } | { readonly job: (seeds: Seeds, port: number, data: string) => LoadJob | Promise<LoadJob> });

const introspection = (seeds: Seeds, token: string): Shot =>
  ({ path: '/oauth2/introspect', authorization: seeds.api.authorization, form: `token=${token}` });

function issuance(algorithm: keyof Seeds['issuers']): (seeds: Seeds) => Shot {
  return ({ issuers }) => ({ path: issuers[algorithm].path, authorization: issuers[algorithm].caller.authorization, form: 'grant_type=client_credentials' });
}

function revocation(authorization: string, tokens: readonly string[], port: number): LoadJob {
  const head = formHead(port, '/oauth2/revoke', authorization);
  return { port, connections: CHANGE_CONNECTIONS, seconds: 60, work: { kind: 'list', requests: tokens.map((token) => withBody(head, `token=${token}`)) } };
}

const es256Token = (seeds: Seeds, port: number): string => formHead(port, seeds.issuers.ES256.path, seeds.web.authorization);

function refreshment(tokens: (seeds: Seeds) => readonly string[]): (seeds: Seeds, port: number) => LoadJob {
  return (seeds, port) => ({
    port, connections: CHANGE_CONNECTIONS, seconds, work: { kind: 'refresh', head: es256Token(seeds, port), tokens: tokens(seeds) },
  });
}

const plans: readonly Plan[] = [
  { name: 'introspect a live JWT', connections: CONNECTIONS, must: 0.5, aim: 0.8, shot: (seeds) => introspection(seeds, seeds.liveJwt) },
  { name: 'introspect a live opaque token', connections: CONNECTIONS, must: 0.45, aim: 0.75, shot: (seeds) => introspection(seeds, seeds.liveOpaque) },
  { name: 'introspect a revoked JWT', connections: CONNECTIONS, must: 0.45, aim: 0.8, shot: (seeds) => introspection(seeds, seeds.revokedJwt) },
  { name: 'introspect garbage', connections: CONNECTIONS, must: 0.45, aim: 0.8, shot: (seeds) => introspection(seeds, GARBAGE) },
  { name: 'issue a JWT, RS256', connections: CONNECTIONS, must: '0.9 × one thread', aim: 'both cores', shot: issuance('RS256') },
  { name: 'issue a JWT, ES256', connections: CONNECTIONS, must: 0.12, aim: 0.3, shot: issuance('ES256') },
  { name: 'issue a JWT, EdDSA', connections: CONNECTIONS, must: null, aim: null, shot: issuance('EdDSA') },
  {
    name: 'refresh with rotation, ES256, durable', connections: CHANGE_CONNECTIONS, must: '2,000/s', aim: 0.12,
    job: refreshment(({ refreshTokens }) => refreshTokens.plain),
  },
  {
    name: 'refresh with rotation and ID token, ES256, durable', connections: CHANGE_CONNECTIONS, must: null, aim: null,
    job: refreshment(({ refreshTokens }) => refreshTokens.openid),
  },
  {
    name: 'redeem a code (ID, access and refresh token), ES256, durable', connections: CHANGE_CONNECTIONS, must: null, aim: null,
    job: async (seeds, port, data) => {
      const head = es256Token(seeds, port);
      return { port, connections: CHANGE_CONNECTIONS, seconds: REDEEM_S, work: { kind: 'list', requests: (await seedCodes(data, codes)).map((form) => withBody(head, form)) } };
    },
  },
  {
    name: 'revoke a JWT, RS256, durable', connections: CHANGE_CONNECTIONS, must: '3,000/s', aim: 0.3,
    job: ({ api, jwts }, port) => revocation(api.authorization, jwts, port),
  },
  {
    name: 'revoke an opaque token, durable', connections: CHANGE_CONNECTIONS, must: '3,000/s', aim: 0.3,
    job: ({ opaque, opaques }, port) => revocation(opaque.authorization, opaques, port),
  },
];

const folder = temporaryFolder();
try {
  const report = renderReport(await measureAll());
  console.log(report);
  if (values.write) await writeIntoReadme(join(root, 'README.md'), report);
} finally {
  removeFolder(folder);
}

async function measureAll(): Promise<Parameters<typeof renderReport>[0]> {
  const wrk = await needProgram('wrk');
  const [binary, ceilingBinary] = [values.binary === undefined ? join(folder, 'assay') : resolve(values.binary), join(folder, 'ceiling')];
  tell('building');
  if (values.binary === undefined) await build(undefined, binary);
  await build(undefined, ceilingBinary, 'test/bench/ceiling.ts');

  const starts = await measureStarts(binary);
  const port = await freePort();
  const data = join(folder, 'data');
  mkdirSync(data);
  const compiled = [binary, 'serve', '--data', data, '--port', String(port)];
  let server = await startListener(compiled, { port, folder, paths: ['/readyz'] });
  const idle = residentMemory(server.pid);
  const chosen = plans.filter(({ name }) => values.only === undefined || name.includes(values.only));
  tell('making tokens');
  const application = await openData(data);
  const seeds = await seed(application, chosen.some(({ name }) => name.startsWith('revoke')) ? revocations : 0, CHANGE_CONNECTIONS);
  await application.close();

  const live = introspection(seeds, seeds.liveJwt);
  const ceiling = await startCeiling(ceilingBinary, server, live);
  const options = { wrk, seconds, folder };
  const measureCeiling = (): Promise<Measure> => measureShot(ceiling, live, { ...options, connections: CONNECTIONS });
  const rows = chosen.length === 0 ? [] : await measureRows(chosen, server, seeds, { ...options, data }, measureCeiling);
  const fromSource = values.only === undefined ? await measureSource() : null;
  await server.stop();
  await ceiling.stop();
  const people = values.only === undefined || peopleTitle.includes(values.only)
    ? await measurePeople({ binary, ceilingBinary, folder, wrk, rounds, seconds, connections: CONNECTIONS, tell })
    : null;

  async function measureSource(): Promise<number> {
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const before = await measureShot(server, live, { ...options, connections: CONNECTIONS });
      await server.stop();
      server = await startListener([process.execPath, join(root, 'src/main.ts'), ...compiled.slice(1)], { port, folder, paths: ['/readyz'] });
      tell('from source');
      const source = await measureShot(server, live, { ...options, connections: CONNECTIONS });
      await server.stop();
      server = await startListener(compiled, { port, folder, paths: ['/readyz'] });
      const after = await measureShot(server, live, { ...options, connections: CONNECTIONS });
      samples.push((before.perSecond + after.perSecond) / 2 / source.perSecond);
    }
    return median(samples);
  }

  const signing = JSON.parse(await run(onCore(0, [ceilingBinary, 'sign']))) as { readonly perSecond: number };
  return {
    machine: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${navigator.hardwareConcurrency} cores, ${process.platform} ${process.arch}, Bun ${Bun.version}; ${rounds} × ${seconds} s each, ${wrk === undefined ? 'our own load generator' : 'wrk'}`,
    rows,
    people,
    facts: [
      { name: 'exec to the first 200 (/healthz), empty database', value: `${starts.live.toFixed(0)} ms`, must: '150 ms', aim: '80 ms' },
      { name: 'exec to ready (/readyz: RSA keys made), empty database', value: `${starts.ready.toFixed(0)} ms`, must: '–', aim: '–' },
      { name: 'exec to ready, existing database', value: `${starts.again.toFixed(0)} ms`, must: '–', aim: '–' },
      { name: 'resident memory, idle', value: mebibytes(idle), must: '90 MiB', aim: '60 MiB' },
      { name: 'executable', value: mebibytes(statSync(binary).size / 2 ** 20), must: `Bun (${mebibytes(statSync(process.execPath).size / 2 ** 20)}) + 10 MiB`, aim: '–' },
      { name: 'RS256 signatures of one thread', value: `${Math.round(signing.perSecond).toLocaleString('en')}/s`, must: '–', aim: '–' },
      ...(fromSource === null ? [] : [{ name: 'compiled ÷ `bun src/main.ts`, live JWT', value: fromSource.toFixed(2), must: '0.97', aim: '1.0' } satisfies Fact]),
    ],
  };
}

/** Rounds of ceiling and row, so that a ratio compares neighbours in time; one-time lists run once. */
async function measureRows(
  chosen: readonly Plan[], server: Listener, seeds: Seeds, options: { readonly wrk: string | undefined; readonly seconds: number; readonly folder: string; readonly data: string }, measureCeiling: () => Promise<Measure>,
): Promise<Row[]> {
  const samples = new Map<Plan, Sample[]>(chosen.map((plan) => [plan, []]));
  const ceilings: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const plan of chosen) {
      const oneTime = 'job' in plan;
      if (oneTime && round > 0) continue;
      tell(`round ${round + 1}: ${plan.name}`);
      const before = await measureCeiling();
      ceilings.push({ ...before, ceiling: before.perSecond, ceilingP99: before.p99 });
      const measure = oneTime
        ? await measureJob(server, await plan.job(seeds, server.port, options.data), options.folder)
        : await measureShot(server, plan.shot(seeds), { ...options, connections: plan.connections });
      const after = await measureCeiling();
      samples.get(plan)?.push({ ...measure, ceiling: (before.perSecond + after.perSecond) / 2, ceilingP99: (before.p99 + after.p99) / 2 });
    }
  }
  return [
    { name: 'ceiling: a bare `Bun.serve`', connections: CONNECTIONS, must: null, aim: null, samples: ceilings },
    ...chosen.map((plan) => ({ name: plan.name, connections: plan.connections, must: plan.must, aim: plan.aim, samples: samples.get(plan) ?? [] })),
  ];
}

/** The ceiling answers what the server answered. */
async function startCeiling(binary: string, server: Listener, shot: Shot): Promise<Listener> {
  const response = await fetch(`http://127.0.0.1:${server.port}${shot.path}`, {
    method: 'POST', body: shot.form, headers: { authorization: shot.authorization, 'content-type': 'application/x-www-form-urlencoded' },
  });
  const body = await response.text();
  if (!body.startsWith('{"active":true')) throw new Error(`introspection answers ${response.status} ${body}`);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !['date', 'content-length'].includes(name)));
  const port = await freePort();
  return startListener([binary], { port, folder, env: { CEILING_PORT: String(port), CEILING_ANSWER: JSON.stringify({ status: 200, headers, body }) }, paths: ['/'] });
}

async function measureStarts(binary: string): Promise<{ readonly live: number; readonly ready: number; readonly again: number }> {
  tell('starting');
  const empty: (readonly number[])[] = [];
  const again: number[] = [];
  for (let attempt = 0; attempt < (values.quick ? 3 : 7); attempt += 1) {
    const port = await freePort();
    const command = [binary, 'serve', '--data', join(folder, `start-${attempt}`), '--port', String(port)];
    const first = await startListener(command, { port, folder, paths: ['/healthz', '/readyz'] });
    empty.push(first.readyInMs);
    await first.stop();
    const second = await startListener(command, { port, folder, paths: ['/readyz'] });
    again.push(second.readyInMs[0] ?? 0);
    await second.stop();
  }
  return { live: median(empty.map(([live = 0]) => live)), ready: median(empty.map(([, ready = 0]) => ready)), again: median(again) };
}

function mebibytes(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(0)} MiB`;
}

function tell(step: string): void {
  process.stderr.write(`${step}\n`);
}
