import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileTrouble, parseMasterKeys, replaceMasterKeys } from '../../src/app/files.ts';
import { ensureDefaultTenant } from '../../src/app/first-tenant.ts';
import { chooseMasterKeySource } from '../../src/app/master-key.ts';
import { openApplication, type Application } from '../../src/app/open.ts';
import { rotateMasterKey } from '../../src/app/rotate-master.ts';
import type { Settings } from '../../src/config/settings.ts';
import { splitCommand } from '../../src/config/split-command.ts';
import { sealedFor } from '../../src/core/sealed.ts';
import { generateMasterKey, seal, sealerOf, unseal, UnsealError, type MasterKey } from '../../src/keys/seal.ts';
import { failureOf, must } from '../helpers/fixture.ts';
import { removeFolder, settingsFor, temporaryFolder } from '../helpers/server.ts';
import { listAudit } from '../helpers/trail.ts';

let folder: string;
const open: Application[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const application of open.splice(0)) await application.close();
  removeFolder(folder);
});

const text = ({ bytes }: MasterKey): string => bytes.toString('base64');
const keyFile = (): string => join(folder, 'master.key');
const listed = (): readonly string[] => (parseMasterKeys(readFileSync(keyFile(), 'utf8')) ?? []).map(({ id }) => id);
const fast = { toFile: null, settleMs: 0, noticeMs: 0 } as const;

async function start(changes: Partial<Settings> = {}): Promise<Application> {
  const application = await openApplication(settingsFor(folder, changes));
  open.push(application);
  await ensureDefaultTenant(application, 'await');
  return application;
}

/** Ids of the keys that anything is sealed under. */
async function sealers({ ctx }: Application): Promise<readonly string[]> {
  const items = await ctx.store.listSealedOtherwise('--------', 1_000);
  return [...new Set(items.map(({ sealed }) => sealerOf(sealed) ?? ''))].toSorted();
}

/** All of it opens with what this process has. */
async function opens({ ctx }: Application): Promise<number> {
  const items = await ctx.store.listSealedOtherwise('--------', 1_000);
  for (const { context, sealed } of items) unseal(ctx.master, context, sealed);
  return items.length;
}

describe('CR-08 · where the master key comes from', () => {
  const key = generateMasterKey();

  test('CR-08 a command: run without a shell, no file is made, and the data opens again with it alone', async () => {
    const script = join(folder, 'vault');
    writeFileSync(script, `#!/bin/sh\nprintf '%s' "$1" | cut -c2-\necho secret-on-stderr >&2\n`, { mode: 0o700 });
    const masterKeyCommand = `"${script}" 'x${text(key)}' ; echo $HOME`;
    const application = await start({ masterKeyCommand });
    expect(application.ctx.master.id).toBe(key.id);
    expect([application.isNew, application.madeMasterKey, existsSync(keyFile())]).toEqual([true, false, false]);
    await start({ masterKeyCommand });
    expect(await failureOf(openApplication(settingsFor(folder, { masterKeyCommand: `echo ${text(generateMasterKey())}` })))).toBeInstanceOf(UnsealError);
    expect(existsSync(keyFile())).toBe(false);
  });

  const commands: readonly (readonly [command: string, what: RegExp])[] = [
    ['/nowhere/vault', /cannot be started/],
    ['false', /exit code 1/],
    ['echo hello', /did not print a master key/],
    [`echo ${text(key)} ${'x'.repeat(44)}`, /did not print a master key/],
    ['head -c 100000 /dev/zero', /printed more than 4096 bytes/],
  ];
  test.each(commands)('CR-08 %p: says what is wrong, and nothing of what was printed', async (masterKeyCommand, what) => {
    const failure = await failureOf(openApplication(settingsFor(folder, { masterKeyCommand })));
    expect(failure).toBeInstanceOf(FileTrouble);
    expect(String(failure)).toMatch(what);
    expect(String(failure)).not.toContain('hello');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('CR-08 from the environment: gone from it at once, and the command of another never sees it', async () => {
    process.env['ASSAY_MASTER_KEY'] = text(key);
    const application = await start({ masterKey: text(key) });
    expect([application.ctx.master.id, application.ctx.settings.masterKeySource]).toEqual([key.id, 'environment']);
    expect(process.env['ASSAY_MASTER_KEY']).toBeUndefined();
    expect(existsSync(keyFile())).toBe(false);
    expect(await new Response(Bun.spawn(['env'], { stdout: 'pipe' }).stdout).text()).not.toContain(text(key));
    process.env['ASSAY_MASTER_KEY'] = text(key);
    const source = chooseMasterKeySource({ data: folder, masterKeyFile: null, masterKey: null, masterKeyCommand: 'sh -c "echo $ASSAY_MASTER_KEY"' }, true);
    expect(String(await failureOf(source.load()))).toContain('did not print');
    delete process.env['ASSAY_MASTER_KEY'];
  });

  test('CR-08 two sources: refused by name', () => {
    expect(() => chooseMasterKeySource({ data: folder, masterKeyFile: '/x', masterKey: text(key), masterKeyCommand: null }, true)).toThrow('keep one of ASSAY_MASTER_KEY_FILE and ASSAY_MASTER_KEY');
  });

  const splits: readonly (readonly [text: string, words: readonly string[] | null])[] = [
    ['vault kv get', ['vault', 'kv', 'get']], ['  a   b ', ['a', 'b']], ['a "b c" \'d "e\'', ['a', 'b c', 'd "e']], ['a\\ b', ['a b']], ['a"b"c', ['abc']],
    ['echo $HOME | cat; `id` *', ['echo', '$HOME', '|', 'cat;', '`id`', '*']], ['', null], ['   ', null], ['a "b', null], ['a \'b', null], ['""', ['']],
  ];
  test.each(splits)('%p is split without a shell', (command, words) => {
    expect(splitCommand(command)).toEqual(words === null ? null : [...words]);
  });
});

describe('JK-08 · another master key', () => {
  test('JK-08 everything is sealed anew, kids stay, servers that are open go on, and the former key opens nothing', async () => {
    const [application, beside] = [await start(), await start()];
    const former = application.ctx.master.id;
    const kids = (await application.ctx.store.listKeys((await application.ctx.store.listTenants())[0]?.id ?? '')).map(({ kid, status }) => [kid, status]);
    const outcome = must(await rotateMasterKey(application, folder, fast));
    expect(outcome).toMatchObject({ formerIds: [former], resealed: 3, resumed: false });
    expect([application.ctx.master.id, beside.ctx.master.id]).toEqual([outcome.id, outcome.id]);
    expect(await opens(beside)).toBe(3);
    expect(await sealers(beside)).toEqual([outcome.id]);
    expect(listed()).toEqual([outcome.id]);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    const tenant = (await beside.ctx.store.listTenants())[0];
    expect((await beside.ctx.store.listKeys(tenant?.id ?? '')).map(({ kid, status }) => [kid, status])).toEqual(kids);
    expect((await beside.ctx.rings.of(tenant?.id ?? '')).signer).not.toBeNull();
    expect(await listAudit(beside.ctx.store, { type: 'master_key_rotated', limit: 9 })).toMatchObject([{ subject: outcome.id, reason: `was_${former}`, actor: 'operator' }]);
    expect([(await start()).ctx.codeKey]).toEqual([application.ctx.codeKey]);
    expect(must(await rotateMasterKey(await start(), folder, fast)).formerIds).toEqual([outcome.id]);
  });

  test('JK-08 what is sealed under the former key meanwhile is found by the second look', async () => {
    const application = await start();
    const { store } = application.ctx;
    const late = seal(application.ctx.master, sealedFor.reply('ak_1', 'digest'), 'late');
    const rotating = rotateMasterKey(application, folder, { ...fast, settleMs: 300 });
    await Bun.sleep(100);
    await store.claimReply({ caller: 'ak_1', keyDigest: 'digest', requestDigest: 'request', atMs: 1 });
    await store.settleReply('ak_1', 'digest', { status: 201, sealedBody: late });
    const { id, resealed } = must(await rotating);
    expect(resealed).toBe(4);
    expect(await sealers(application)).toEqual([id]);
    expect(await opens(await start())).toBe(4);
  });

  type State = { readonly keys: (fresh: MasterKey, former: MasterKey) => readonly MasterKey[]; readonly named: (fresh: MasterKey, former: MasterKey) => string; readonly half: boolean };
  const states: readonly (readonly [name: string, state: State])[] = [
    ['the file lists both', { keys: (fresh, former) => [fresh, former], named: (_fresh, former) => former.id, half: false }],
    ['the new key is announced', { keys: (fresh, former) => [fresh, former], named: (fresh, former) => `${former.id} ${fresh.id}`, half: false }],
    ['the new key seals', { keys: (fresh, former) => [fresh, former], named: (fresh, former) => `${fresh.id} ${former.id}`, half: false }],
    ['half is sealed anew', { keys: (fresh, former) => [fresh, former], named: (fresh, former) => `${fresh.id} ${former.id}`, half: true }],
  ];
  test.each(states)('JK-08 cut short when %s: the data opens, and running it again ends it', async (_name, state) => {
    const first = await start();
    const [former] = first.masterKeys.known();
    if (former === undefined) throw new Error('no key');
    const fresh = generateMasterKey();
    replaceMasterKeys(keyFile(), state.keys(fresh, former));
    await first.ctx.store.writeMeta('master_key_id', state.named(fresh, former), []);
    if (state.half) {
      const [item] = await first.ctx.store.listSealedOtherwise(fresh.id, 1);
      if (item !== undefined) await first.ctx.store.replaceSealed([{ ...item, resealed: seal(fresh, item.context, unseal(former, item.context, item.sealed)) }], []);
    }
    const again = await start();
    expect(await opens(again)).toBe(3);
    expect(await opens(first)).toBe(3);
    expect(must(await rotateMasterKey(again, folder, fast))).toMatchObject({ id: fresh.id, formerIds: [former.id], resumed: true });
    expect([listed(), await sealers(again)]).toEqual([[fresh.id], [fresh.id]]);
    expect(await opens(await start())).toBe(3);
    expect(await opens(first)).toBe(3);
  });

  test('JK-08 cut short at the very end: the former key is dropped, and nothing else happens', async () => {
    const first = await start();
    const [current] = first.masterKeys.known();
    if (current === undefined) throw new Error('no key');
    replaceMasterKeys(keyFile(), [current, generateMasterKey()]);
    expect(must(await rotateMasterKey(await start(), folder, fast))).toMatchObject({ id: current.id, resealed: 0, resumed: true });
    expect(listed()).toEqual([current.id]);
    expect(await listAudit(first.ctx.store, { type: 'master_key_rotated', limit: 9 })).toEqual([]);
  });

  test('JK-08 two at once: one is told to wait', async () => {
    const [application, beside] = [await start(), await start()];
    const rotating = rotateMasterKey(application, folder, { ...fast, settleMs: 200 });
    expect(await rotateMasterKey(beside, folder, fast)).toMatchObject({ ok: false, error: 'conflict' });
    expect(must(await rotating).id).toBe(beside.ctx.master.id);
  });

  test('JK-08 the new key may be made in, or taken from, another file', async () => {
    const elsewhere = join(folder, 'new.key');
    const { id } = must(await rotateMasterKey(await start(), folder, { ...fast, toFile: elsewhere }));
    expect(parseMasterKeys(readFileSync(elsewhere, 'utf8'))?.map((key) => key.id)).toEqual([id]);
    expect(listed()).toEqual([id]);
    expect((await start({ masterKeyFile: elsewhere })).ctx.master.id).toBe(id);
    expect(await rotateMasterKey(await start(), folder, { ...fast, toFile: keyFile() })).toMatchObject({ ok: false, error: 'invalid_request', member: 'toFile' });
    const given = generateMasterKey();
    replaceMasterKeys(elsewhere, [given]);
    expect(must(await rotateMasterKey(await start(), folder, { ...fast, toFile: elsewhere })).id).toBe(given.id);
  });

  test('JK-08 from a command: a server asks again when the new key is announced, before anything is sealed under it', async () => {
    const vault = join(folder, 'vault');
    const [former, fresh] = [generateMasterKey(), generateMasterKey()];
    writeFileSync(vault, text(former));
    const settings = { masterKeyCommand: `cat ${vault}` };
    const server = await start(settings);
    expect(await rotateMasterKey(await start(settings), folder, fast)).toMatchObject({ ok: false, error: 'conflict' });
    writeFileSync(vault, `${text(fresh)}\n${text(former)}\n`);
    const application = await start(settings);
    const rotating = rotateMasterKey(application, folder, { ...fast, noticeMs: 500 });
    await Bun.sleep(200);
    expect(await server.ctx.store.readMeta('master_key_id')).toBe(`${former.id} ${fresh.id}`);
    expect(server.ctx.master.id).toBe(former.id);
    expect(await server.masterKeys.look()).toBe(true);
    expect(must(await rotating).id).toBe(fresh.id);
    expect(server.ctx.master.id).toBe(fresh.id);
    expect(await opens(server)).toBe(3);
    writeFileSync(vault, text(fresh));
    expect(await opens(await start(settings))).toBe(3);
  });

  test('JK-08, CR-12 a server that cannot have the new key says so, and seals nothing that it could not open', async () => {
    const [former, fresh] = [generateMasterKey(), generateMasterKey()];
    const server = await start({ masterKey: text(former) });
    must(await rotateMasterKey(await start({ masterKey: `${text(fresh)},${text(former)}` }), folder, fast));
    expect(await server.masterKeys.look()).toBe(false);
    expect(() => seal(server.ctx.master, 'x', 'y')).toThrow(UnsealError);
    expect(await failureOf(openApplication(settingsFor(folder, { masterKey: text(former) })))).toBeInstanceOf(UnsealError);
  });

  test('JK-08, CR-12 something damaged: it says what, and the former key is kept', async () => {
    const application = await start();
    const former = application.ctx.master.id;
    await application.ctx.store.claimReply({ caller: 'ak_1', keyDigest: 'digest', requestDigest: 'request', atMs: 1 });
    await application.ctx.store.settleReply('ak_1', 'digest', { status: 201, sealedBody: `v1.${former}.AAAA` });
    expect(String(await failureOf(rotateMasterKey(application, folder, fast)))).toMatch(/reply \["ak_1","digest"\] is damaged/);
    expect(listed()).toContain(former);
    await application.ctx.store.dropReply('ak_1', 'digest');
    await application.ctx.store.replaceSealed([{ kind: 'reply', ref: '["ak_1","digest"]', context: '', sealed: `v1.${former}.AAAA`, resealed: '' }], []);
    expect(must(await rotateMasterKey(application, folder, fast)).formerIds).toEqual([former]);
  });
});

test('JK-08 whoever seals names it in core/sealed.ts, where the change of the master key finds it', async () => {
  const found: string[] = [];
  for await (const path of new Bun.Glob('**/*.{ts,tsx}').scan(join(import.meta.dir, '../../src'))) {
    if (path === 'keys/seal.ts' || path === 'service/reseal.ts') continue;
    const source = await Bun.file(join(import.meta.dir, '../../src', path)).text();
    if (!/from '.*\/keys\/seal\.ts'/.test(source) && !source.includes("from './seal.ts'")) continue;
    for (const [, context] of source.matchAll(/\b(?:un)?seal\([^,()]+, ([^,]+)/g)) if (context?.startsWith('sealedFor.') !== true && context !== 'context') found.push(`${path}: ${context}`);
  }
  expect(found).toEqual([]);
});

test('JK-08 a column that is called sealed is one that the change of the master key knows', async () => {
  await start();
  const db = new Database(join(folder, 'assay.db'), { readonly: true });
  const columns = db.query<{ at: string }, []>("SELECT tables.name || '.' || columns.name AS at FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' AND columns.name LIKE '%seal%'").all();
  db.close();
  // The last is sealed under the token that it succeeds, which nobody keeps.
  expect(columns.map(({ at }) => at).toSorted()).toEqual(['proofs.sealed_data', 'refresh_tokens.successor_sealed', 'replies.sealed_body', 'signing_keys.sealed_private', 'totp.sealed_secret']);
});
