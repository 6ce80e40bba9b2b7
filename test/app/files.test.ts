import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles, FileTrouble, loadMasterKeys, prepareDataDirectory } from '../../src/app/files.ts';
import { openApplication } from '../../src/app/open.ts';
import { ensureDefaultTenant } from '../../src/app/first-tenant.ts';
import { UnsealError } from '../../src/keys/seal.ts';
import { removeFolder, settingsFor, temporaryFolder } from '../helpers/server.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => removeFolder(folder));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const posix = process.platform !== 'win32';

describe('CR-09 · files for their owner alone', () => {
  test.if(posix)('CR-09 a new data directory is 0700, and what comes into it 0600', async () => {
    const data = join(folder, 'a', 'data');
    const application = await openApplication(settingsFor(data));
    expect(modeOf(data)).toBe('700');
    const files = readdirSync(data).sort();
    expect(files).toContain('assay.db-wal');
    expect(files.map((file) => [file, modeOf(join(data, file))])).toEqual(files.map((file) => [file, '600']));
    await application.close();
  });

  test.if(posix)('CR-09 too open modes are tightened', async () => {
    const first = await openApplication(settingsFor(folder));
    await first.close();
    const { database, masterKey } = dataFiles(folder);
    for (const file of [database, masterKey]) chmodSync(file, 0o644);
    chmodSync(folder, 0o755);
    const second = await openApplication(settingsFor(folder));
    await second.close();
    expect([modeOf(folder), modeOf(database), modeOf(masterKey)]).toEqual(['700', '600', '600']);
  });

  test.if(posix)('CR-09 stricter modes stay', () => {
    chmodSync(folder, 0o500);
    prepareDataDirectory(folder);
    expect(modeOf(folder)).toBe('500');
    chmodSync(folder, 0o700);
  });

  test('a data directory that cannot be made', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => prepareDataDirectory(join(folder, 'file', 'data'))).toThrow(FileTrouble);
  });
});

describe('JK-07 · the master key', () => {
  const path = () => join(folder, 'master.key');

  test('JK-07 a first start makes it, a second reads it', () => {
    const first = loadMasterKeys(path(), false);
    const second = loadMasterKeys(path(), true);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.keys[0]?.bytes.equals(first.keys[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
    expect(readFileSync(path(), 'utf8')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(readdirSync(folder)).toEqual(['master.key']);
  });

  test('JK-07 missing beside data: refused with what to do, and nothing is made', () => {
    expect(() => loadMasterKeys(path(), true)).toThrow(/ASSAY_MASTER_KEY_FILE/);
    expect(existsSync(path())).toBe(false);
  });

  test.each(['', 'short', Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64'), 'not base64 at all, but long enough for a key?'])('JK-07 %p is no master key', (text) => {
    writeFileSync(path(), text);
    expect(() => loadMasterKeys(path(), false)).toThrow(FileTrouble);
  });

  test('JK-07 a folder that cannot be written', () => {
    expect(() => loadMasterKeys(join(folder, 'missing', 'master.key'), false)).toThrow(FileTrouble);
  });

  test('JK-07 the wrong one: the data does not open, and says why', async () => {
    await (await openApplication(settingsFor(folder))).close();
    rmSync(path());
    loadMasterKeys(path(), false);
    const opening = openApplication(settingsFor(folder));
    expect(opening).rejects.toThrow(UnsealError);
    expect(opening).rejects.toThrow(/another master key.*ASSAY_MASTER_KEY_FILE/);
  });

  test('JK-07 it may lie elsewhere', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const settings = settingsFor(join(folder, 'data'), { masterKeyFile: join(elsewhere, 'key') });
    await (await openApplication(settings)).close();
    expect(readdirSync(elsewhere)).toEqual(['key']);
    expect(existsSync(join(folder, 'data', 'master.key'))).toBe(false);
    await (await openApplication(settings)).close();
    expect(openApplication(settingsFor(join(folder, 'data')))).rejects.toThrow(FileTrouble);
  });

  test('JK-07, OP-05 first starts at once agree on one key', async () => {
    const program = `
      import { loadMasterKeys } from ${JSON.stringify(join(import.meta.dir, '../../src/app/files.ts'))};
      const at = Number(process.argv[1]);
      while (Date.now() < at);
      console.log(loadMasterKeys(${JSON.stringify(path())}, false).keys[0].id);`;
    const at = String(Date.now() + 400);
    const ids = await Promise.all(Array.from({ length: 4 }, () =>
      new Response(Bun.spawn([process.execPath, '-e', program, at], { stdout: 'pipe', stderr: 'inherit' }).stdout).text()));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]?.trim()).toHaveLength(8);
    expect(readdirSync(folder)).toEqual(['master.key']);
  });
});

describe('the first start', () => {
  test('OP-05, JK-03 two at once on one folder: one tenant default, one key that signs', async () => {
    const both = await Promise.all([openApplication(settingsFor(folder)), openApplication(settingsFor(folder))]);
    await Promise.all(both.map((application) => ensureDefaultTenant(application, 'await')));
    for (const { ctx } of both) {
      const tenants = await ctx.store.listTenants();
      expect(tenants.map(({ slug, layout, preset }) => [slug, layout, preset])).toEqual([['default', 'root', 'standard']]);
      const keys = await ctx.store.listKeys(tenants[0]?.id ?? '');
      expect(keys.filter(({ status }) => status === 'active')).toHaveLength(1);
      expect(keys.some(({ status }) => status === 'next')).toBe(true);
    }
    for (const application of both) await application.close();
  });

  test('CR-07 random text has as many bytes as were asked for, and never repeats', async () => {
    const application = await openApplication(settingsFor(folder));
    const texts = Array.from({ length: 1000 }, () => application.ctx.random.text(16));
    await application.close();
    expect(new Set(texts).size).toBe(1000);
    for (const text of texts) expect(Buffer.from(text, 'base64url')).toHaveLength(16);
  });

  test('LG-02 fingerprints are the same after a restart', async () => {
    const names: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      const application = await openApplication(settingsFor(folder));
      names.push(application.ctx.fingerprint('token'));
      await application.close();
    }
    expect(names[0]).toBe(names[1] as string);
  });
});
