import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Difference, MemberDifference, Plan } from '../core/configuration/difference.ts';
import { secretKey } from '../core/configuration/difference.ts';
import { isObject, type Json } from '../core/configuration/json.ts';
import type { Configuration, Entry, Place, Problem } from '../core/configuration/read.ts';
import { findOverrideFault } from '../pages/text.ts';
import { locales } from '../pages/views.ts';
import type { Secrets, Wish } from '../service/configuration/apply.ts';
import { withData, type Call, type Work } from './call.ts';
import { readInput } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { plain, styleFor } from './text.ts';

/** Nothing is different, and something is. */
const SAME = 0;
const DIFFERENT = 3;
const PRIVATE = 0o600;
/** Longest value that is shown of a member. */
const SHOWN = 160;

const file = ['<FILE>', 'configuration in YAML or JSON, or "-" to read it from standard input'] as const;
const prune: FlagRow = ['--prune', 'delete what is there and the file does not speak of: tenants too, and within a tenant every kind that the file lists'];
const notes = 'A file says `version: 1` and `tenants:`, each with slug, its settings and lists of clients, resources, roles and webhooks; members are called as in --json.\n'
  + 'What a file does not say stays as it is. Secrets are referred to: `secret: {env: NAME}` or `secret: {file: PATH}`.\nStart from `assay export`.';

function showPlace(place: Place): string {
  return place.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('').replace(/^\./, '') || 'the file';
}

/** What a text of one's own may not say. */
function findWordingProblems(configuration: Configuration): readonly Problem[] {
  return configuration.tenants.flatMap(({ members }, index) => {
    const own = members['messages'];
    if (!isObject(own)) return [];
    return Object.entries(own).flatMap(([locale, texts]): readonly Problem[] => {
      const place: Place = ['tenants', index, 'messages', locale];
      if (!locales.some((known) => known === locale)) return [{ place, text: `the languages are ${locales.join(', ')}` }];
      return Object.entries(isObject(texts) ? texts : {}).flatMap(([key, text]) => {
        const fault = typeof text === 'string' ? findOverrideFault(key, text) : 'must be a text';
        return fault === null ? [] : [{ place: [...place, key], text: fault }];
      });
    });
  });
}

async function readText(path: string): Promise<string> {
  const { MOST_CONFIGURATION_BYTES } = await import('../config/configuration-text.ts');
  if (path === '-') return readInput('the configuration');
  try {
    if (statSync(path).size > MOST_CONFIGURATION_BYTES) throw new CommandFailure('invalid_request', `${path} is too large: at most ${MOST_CONFIGURATION_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new CommandFailure('invalid_request', code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read: ${code}`);
  }
}

/** Reads and checks a file; every problem at once, each with its line. @throws CommandFailure */
async function readFile(path: string): Promise<Configuration> {
  const [{ parseConfiguration }, { readConfiguration }] = await Promise.all([import('../config/configuration-text.ts'), import('../core/configuration/read.ts')]);
  const text = await parseConfiguration(await readText(path));
  const called = path === '-' ? 'what came on standard input' : path;
  if (!text.ok) throw new CommandFailure('invalid_request', `${called} cannot be read as YAML or JSON`, text.problems);
  const reading = readConfiguration(text.value);
  const problems = reading.ok ? findWordingProblems(reading.configuration) : reading.problems;
  if (reading.ok && problems.length === 0) return reading.configuration;
  throw new CommandFailure('invalid_request', `${called} is not what it should be`, problems.map(({ place, text: words }) => {
    const line = text.lineOf(place);
    return `${line === null ? '' : `line ${line}, `}${showPlace(place)}: ${words}`;
  }));
}

/** The secrets that a file refers to; every one that is missing is told. Paths are seen from the file. @throws CommandFailure */
function readSecrets(configuration: Configuration, path: string, warn: (text: string) => void): Secrets {
  const folder = path === '-' ? '.' : dirname(path);
  const secrets = new Map<string, string>();
  const problems: string[] = [];
  const take = (kind: 'client' | 'webhook', tenant: string, { name, secret }: Entry<unknown>): void => {
    if (secret === null) return;
    const where = `${kind} ${tenant}/${name}`;
    const found = secret.from === 'env' ? process.env[secret.name] : readSecretFile(resolve(folder, secret.name), warn);
    const text = found?.replace(/\r?\n$/, '');
    if (text === undefined || text === '') problems.push(`${where}: ${secret.from === 'env' ? `the variable ${secret.name} is not set` : `the file ${secret.name} cannot be read, or is empty`}`);
    else secrets.set(secretKey(kind, tenant, name), text);
  };
  for (const tenant of configuration.tenants) {
    for (const client of tenant.clients ?? []) take('client', tenant.name, client);
    for (const webhook of tenant.webhooks ?? []) take('webhook', tenant.name, webhook);
  }
  if (problems.length > 0) throw new CommandFailure('invalid_request', 'there are secrets that the file refers to and that are not there', problems);
  return secrets;
}

function readSecretFile(path: string, warn: (text: string) => void): string | undefined {
  try {
    if ((statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') warn(`others on this machine may read ${path}: chmod 600 would keep it to its owner`);
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function readWish(call: Call): Promise<Wish> {
  const path = call.args[0] ?? '';
  const configuration = await readFile(path);
  return { configuration, secrets: readSecrets(configuration, path, call.out.warn), prune: call.flags.on('prune') };
}

const signs = { create: '+', update: '~', delete: '-' } as const;

function showValue(value: Json | undefined): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 8)})`;
}

function showMember({ name, before, after }: MemberDifference, action: Difference['action']): string {
  return action === 'create' ? `      ${name}: ${showValue(after)}` : `      ${name}: ${showValue(before)} → ${showValue(after)}`;
}

/** @param next how it is done; null: it is done */
function renderPlan({ differences, unmentioned }: Plan, styled: boolean, next: string | null): string {
  const { bold, dim } = styleFor(styled);
  const lines = differences.flatMap(({ action, kind, tenant, name, members, secret }) => [
    bold(plain(`  ${signs[action]} ${kind} ${kind === 'tenant' ? name : `${tenant}/${name}`}`)),
    ...members.map((member) => plain(showMember(member, action))),
    ...(secret ? ['      secret: (the one that the file refers to)'] : []),
  ]);
  const count = (wanted: Difference['action']): number => differences.filter(({ action }) => action === wanted).length;
  const counts = `${count('create')} to create, ${count('update')} to change, ${count('delete')} to delete`;
  const kept = unmentioned.length === 0 ? [] : [dim(`${unmentioned.length === 1 ? 'One thing is' : `${unmentioned.length} things are`} there that the file does not speak of; --prune would delete ${unmentioned.length === 1 ? 'it' : 'them'}: ${plain(unmentioned.slice(0, 5).map((one) => `${one.kind} ${one.tenant}${one.kind === 'tenant' ? '' : `/${one.name}`}`).join(', '))}${unmentioned.length > 5 ? ', …' : ''}`)];
  if (differences.length === 0) return ['Everything is as the file wants it.', ...kept].join('\n');
  return [...lines, '', next === null ? `Applied: ${counts.replaceAll('to create', 'created').replaceAll('to change', 'changed').replaceAll('to delete', 'deleted')}.` : `${counts}. ${next}.`, ...kept].join('\n');
}

function planDocument({ differences, unmentioned }: Plan): object {
  return {
    changes: differences.map(({ action, kind, tenant, name, members, secret }) => ({
      action, kind, tenant, name, members: members.map(({ name: member, before, after }) => ({ name: member, before: before ?? null, after })), secret,
    })),
    unmentioned,
  };
}

/** `--prune` and what is different decide how it ends. */
function plan(quiet: boolean): CommandRow['run'] {
  return async (call) => {
    const wish = await readWish(call);
    let code = SAME;
    await withData(call, async ({ ctx, out, take }) => {
      const { planChanges, rehearseChanges } = await import('../service/configuration/apply.ts');
      // A plan that cannot be applied is none; whether something drifted is asked every few minutes, and must be cheap.
      const outcome = take(await (quiet ? planChanges : rehearseChanges)(ctx, wish));
      const count = outcome.differences.length;
      if (count > 0) code = DIFFERENT;
      await out.document(quiet ? { drift: count > 0, ...planDocument(outcome) } : planDocument(outcome));
      await out.print(quiet ? driftLine(outcome) : renderPlan(outcome, out.styled, wish.prune ? '`assay apply --prune` does it' : '`assay apply` does it'));
    });
    return code;
  };
}

function driftLine({ differences }: Plan): string {
  if (differences.length === 0) return 'no drift';
  const names = differences.slice(0, 5).map(({ kind, tenant, name, members }) => `${kind} ${kind === 'tenant' ? name : `${tenant}/${name}`}${members.length === 0 ? '' : ` (${members.map((member) => member.name).join(', ')})`}`);
  return plain(`drift: ${differences.length} ${differences.length === 1 ? 'thing is' : 'things are'} not as the file says: ${names.join('; ')}${differences.length > 5 ? '; …' : ''}`);
}

async function apply(call: Call): Promise<number> {
  const wish = await readWish(call);
  return withData(call, async ({ ctx, out, take }) => {
    const { applyChanges } = await import('../service/configuration/apply.ts');
    const outcome = take(await applyChanges(ctx, wish));
    await out.document({ ok: true, ...planDocument(outcome) });
    await out.print(renderPlan(outcome, out.styled, null));
  });
}

/** Written beside, and put in place in one piece. */
function writePrivate(path: string, text: string): void {
  const beside = `${path}.new-${process.pid}`;
  try {
    const handle = openSync(beside, 'w', PRIVATE);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new CommandFailure('output_unavailable', `${path} cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'}`);
  }
}

async function writeExport(work: Work, format: 'yaml' | 'json', output: string | undefined, slugs: readonly string[] | null): Promise<void> {
  const { ctx, out } = work;
  const [{ exportConfiguration }, { writeConfiguration }] = await Promise.all([import('../service/configuration/export.ts'), import('../config/configuration-text.ts')]);
  const { value, remarks } = await exportConfiguration(ctx, slugs);
  for (const remark of remarks) out.warn(remark);
  const text = format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : await writeConfiguration(value);
  if (output !== undefined) {
    writePrivate(output, text);
    await out.document({ ok: true, file: output });
    await out.print(`Wrote ${output}.`);
    return;
  }
  await out.document(value);
  await out.print(text.replace(/\n$/, ''));
}

/** `assay export`, `plan`, `apply`, `drift` */
export const configurationCommands: readonly CommandRow[] = [
  {
    name: 'export', summary: 'Write down tenants, clients, resources, roles and webhooks as configuration, without secrets and people',
    flags: [
      ['--format <FORMAT>', 'yaml or json (default: yaml)'],
      ['--output <FILE>', 'write it there (default: standard output)'],
      ['--only <SLUG>', 'only this tenant', 'repeat'],
    ],
    notes: 'Examples:\n  assay export --output assay.yaml\n  assay plan assay.yaml',
    run: (call) => {
      const format = call.flags.oneOf('format', ['yaml', 'json']) ?? 'yaml';
      const slugs = call.flags.list('only') ?? null;
      return withData(call, async (work) => {
        const known = new Set((await work.ctx.store.listTenants()).map(({ slug }) => slug));
        const missing = slugs?.find((slug) => !known.has(slug));
        if (missing !== undefined) throw new UsageError(`there is no tenant ${JSON.stringify(missing)}; \`assay tenant list\` shows all`);
        await writeExport(work, format, call.flags.text('output'), slugs);
      });
    },
  },
  { name: 'plan', summary: 'Show what applying a configuration would change; exit code 0: nothing, 3: something', args: [file], flags: [prune], notes, run: plan(false) },
  { name: 'apply', summary: 'Make everything as a configuration says, in one transaction', args: [file], flags: [prune], notes, run: apply },
  { name: 'drift', summary: 'Tell in one line whether anything is not as a configuration says; exit code 0: no, 3: yes', args: [file], flags: [prune], notes: 'For monitoring: run it every few minutes with the file that was applied last.', run: plan(true) },
];
