import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupPlace, takeBackup, type Backup } from '../../src/app/backup.ts';
import type { Application } from '../../src/app/open.ts';
import { restoreBackup, UnfitBackup, type RestoreReport } from '../../src/app/restore.ts';
import type { Tenant } from '../../src/core/model.ts';
import { introspect } from '../../src/service/introspect.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { createApiKey, revokeApiKey } from '../../src/service/manage-access.ts';
import { verifyChains } from '../../src/service/manage-audit.ts';
import { createClient, deleteClient, requireClient, rotateSecret, setClientEnabled } from '../../src/service/manage-clients.ts';
import { revokeKey } from '../../src/service/manage-keys.ts';
import { createOrganization, putMember, requireMember } from '../../src/service/manage-organizations.ts';
import { createRole, requireRole, updateRole } from '../../src/service/manage-roles.ts';
import { createTenant, requireTenant } from '../../src/service/manage-tenants.ts';
import { revokeToken } from '../../src/service/manage-tokens.ts';
import { createUser, deleteUser, requireUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { must } from '../helpers/fixture.ts';
import { openData, removeFolder, settingsFor, temporaryFolder } from '../helpers/server.ts';

const silent = (): void => undefined;
let data: string;
let backups: string;
beforeEach(() => {
  data = temporaryFolder();
  backups = temporaryFolder();
});
afterEach(() => {
  removeFolder(data);
  removeFolder(backups);
});

async function within<T>(work: (application: Application, tenant: Tenant) => Promise<T>): Promise<T> {
  const application = await openData(data);
  try {
    const found = await requireTenant(application.ctx, 'acme');
    return await work(application, found.ok ? found.value : must(await createTenant(application.ctx, 'acme', { algorithm: 'ES256' })));
  } finally {
    await application.close();
    leave();
  }
}

/** What this process had open it has open until the collector comes by; what lies in the folder now nobody has. */
function leave(): void {
  const database = join(data, 'assay.db');
  copyFileSync(database, `${database}.copy`);
  for (const end of ['-wal', '-shm']) rmSync(database + end, { force: true });
  renameSync(`${database}.copy`, database);
}

const issue = async ({ ctx }: Application, tenant: Tenant, client: string, user: string | null = null): Promise<string> =>
  must(await issueToken(ctx, tenant, { client, user, org: null, session: null, scopes: null, audience: [] })).access_token;
const isActive = async ({ ctx }: Application, tenant: Tenant, client: string, token: string): Promise<boolean> =>
  (await introspect(ctx, tenant, must(await requireClient(ctx, tenant, client)), token)).active;
const take = (): Promise<Backup> => takeBackup(data, backupPlace(backups, data), Date.now(), silent);
const restore = (file: string, wish: { readonly withoutManifest?: boolean; readonly replaceDamaged?: boolean } = {}): Promise<RestoreReport> =>
  restoreBackup(settingsFor(data), { file, withoutManifest: false, replaceDamaged: false, ...wish }, Date.now(), silent);
const newClient = async ({ ctx }: Application, tenant: Tenant, id: string): Promise<void> => {
  must(await createClient(ctx, tenant, { id, public: false, change: { grants: ['client_credentials', 'authorization_code', 'refresh_token'], redirectUris: ['https://app.example.com/cb'], scopes: ['offline_access', 'a'] }, secret: { supplied: null, ttl: null } }));
};
const newUser = async ({ ctx }: Application, tenant: Tenant, username: string): Promise<string> =>
  must(await createUser(ctx, tenant, null, { username, email: `${username}@example.com` })).id;

/** One of everything; then a backup; then all that must not come back. */
async function liveThrough(): Promise<{ readonly backup: Backup; readonly tokens: readonly string[]; readonly key: string; readonly keptKey: string; readonly lastNumber: number; readonly kid: string; readonly user: string; readonly gone: string }> {
  const before = await within(async (application, tenant) => {
    const { ctx } = application;
    for (const id of ['svc', 'off', 'bye']) await newClient(application, tenant, id);
    const [user, gone] = [await newUser(application, tenant, 'ada'), await newUser(application, tenant, 'bob')];
    const keys = [must(await createApiKey(ctx, { scopes: ['admin'], tenantId: null }, { name: 'k', scopes: ['admin'], tenant: null, ttl: null })), must(await createApiKey(ctx, { scopes: ['admin'], tenantId: null }, { name: 'kept', scopes: ['admin'], tenant: null, ttl: null }))];
    const tokens = [await issue(application, tenant, 'svc'), await issue(application, tenant, 'svc'), await issue(application, tenant, 'svc', user), await issue(application, tenant, 'off')];
    return { user, gone, key: keys[0]?.key.id ?? '', keptKey: keys[1]?.key.id ?? '', tokens };
  });
  const backup = await take();
  return within(async (application, tenant) => {
    const { ctx } = application;
    const kid = (await ctx.store.listKeys(tenant.id)).find((key) => key.status === 'active')?.kid ?? '';
    const later = await issue(application, tenant, 'svc');
    must(await revokeToken(ctx, tenant, before.tokens[0] ?? ''));
    must(await revokeKey(ctx, tenant, kid));
    must(await revokeApiKey(ctx, { scopes: ['admin'], tenantId: null }, before.key));
    must(await rotateSecret(ctx, tenant, 'svc', { supplied: null, ttl: null }, 0));
    must(await setClientEnabled(ctx, tenant, 'off', false));
    must(await deleteClient(ctx, tenant, 'bye'));
    must(await setUserEnabled(ctx, tenant, before.user, false));
    must(await deleteUser(ctx, tenant, before.gone));
    await newClient(application, tenant, 'lost');
    await newUser(application, tenant, 'eve');
    return { backup, ...before, tokens: [...before.tokens, later], kid, lastNumber: await ctx.store.lastAuditNumber() };
  });
}

describe('OP-07 a restore is no travel in time', () => {
  test('what was issued, revoked or taken away before stays so; what was lost is listed; numbers go on', async () => {
    const lived = await liveThrough();
    const secrets = await within(async ({ ctx }, tenant) => must(await requireClient(ctx, tenant, 'svc')).secrets);
    const report = await restore(lived.backup.path);
    expect(report.restored.compared).toBe(true);
    expect(report.failed).toEqual([]);
    const again = report.again.map(({ what, subject }) => [what, subject]);
    expect(again).toEqual(expect.arrayContaining([
      ['client disabled', 'off'], ['client deleted', 'bye'], ['user disabled', lived.user], ['user deleted', lived.gone], ['API key revoked', lived.key],
      ['client secret ends sooner', 'svc'], ['client secret added', 'svc'],
    ]));
    expect(again).not.toContainEqual(['API key revoked', lived.keptKey]);
    expect(report.lost.map(({ type, clientId, subject }) => [type, clientId ?? subject])).toEqual(expect.arrayContaining([['client_created', 'lost']]));
    expect(report.lost.some(({ type }) => type === 'user_created')).toBe(true);
    await within(async (application, tenant) => {
      const { ctx } = application;
      for (const token of lived.tokens) expect(await isActive(application, tenant, 'svc', token)).toBe(false);
      expect(must(await requireClient(ctx, tenant, 'svc')).secrets).toEqual(secrets);
      expect(must(await requireClient(ctx, tenant, 'off')).disabledAtMs).not.toBeNull();
      expect((await requireClient(ctx, tenant, 'bye')).ok).toBe(false);
      expect(must(await requireUser(ctx, tenant, lived.user)).disabledAtMs).not.toBeNull();
      const keys = await ctx.store.listKeys(tenant.id);
      expect(keys.find(({ kid }) => kid === lived.kid)).toMatchObject({ status: 'revoked', sealedPrivate: '' });
      expect(keys.filter(({ status }) => status !== 'revoked').map(({ status }) => status).toSorted()).toEqual(['active', 'next']);
      const apiKeys = await ctx.store.listApiKeys();
      expect(apiKeys.filter(({ revokedAtMs }) => revokedAtMs === null).map(({ id }) => id)).toEqual([lived.keptKey]);
      const fresh = await issue(application, tenant, 'svc');
      expect(await isActive(application, tenant, 'svc', fresh)).toBe(true);
      const [event] = await ctx.store.readAudit({ types: ['server_restored'], after: 0, limit: 9 });
      expect(event?.number).toBe(report.restored.number);
      expect(event?.number).toBeGreaterThan(lived.lastNumber);
      expect((await verifyChains(ctx)).filter(({ broken }) => broken !== null)).toEqual([]);
      expect(await ctx.store.readMeta('restored_at_ms')).toBe(String(report.restored.atMs));
    });
    expect(readdirSync(data).filter((name) => name.startsWith('restoring-') || name.endsWith('-wal'))).toEqual([]);
    expect(report.replaced === null ? 0 : statSync(report.replaced).mode & 0o777).toBe(0o600);
  });

  test('nobody may do more again than in the end', async () => {
    const before = await within(async (application, acme) => {
      const { ctx } = application;
      const home = must(await requireTenant(ctx, 'default'));
      const [boss, moved] = [await newUser(application, home, 'boss'), await newUser(application, home, 'moved')];
      for (const userId of [boss, moved]) await ctx.store.putAdministrator({ userId, tenantId: null, scopes: ['admin'], createdAtMs: ctx.clock.now() }, home.id, []);
      const member = await newUser(application, acme, 'ada');
      must(await createRole(ctx, acme, 'owner', ['things:write', 'things:read']));
      must(await createOrganization(ctx, acme, 'org', 'Org'));
      must(await putMember(ctx, acme, 'org', member, ['owner']));
      return { boss, moved, member };
    });
    const backup = await take();
    await within(async (application, acme) => {
      const { ctx } = application;
      const home = must(await requireTenant(ctx, 'default'));
      const later = must(await createTenant(ctx, 'later', { algorithm: 'ES256' }));
      await ctx.store.putAdministrator({ userId: before.boss, tenantId: acme.id, scopes: ['admin:clients:read'], createdAtMs: ctx.clock.now() }, home.id, []);
      await ctx.store.putAdministrator({ userId: before.moved, tenantId: later.id, scopes: ['admin'], createdAtMs: ctx.clock.now() }, home.id, []);
      must(await updateRole(ctx, acme, 'owner', ['things:read']));
      must(await putMember(ctx, acme, 'org', before.member, []));
    });
    const report = await restore(backup.path);
    expect(report.again.map(({ what, subject }) => [what, subject])).toEqual(expect.arrayContaining([
      ['administrator changed', before.boss], ['administrator removed', before.moved], ['role changed', 'owner'], ['membership changed', before.member],
    ]));
    await within(async ({ ctx }, acme) => {
      expect(await ctx.store.listAdministrators()).toMatchObject([{ userId: before.boss, tenantId: acme.id, scopes: ['admin:clients:read'] }]);
      expect(must(await requireRole(ctx, acme, 'owner')).permissions).toEqual(['things:read']);
      expect(must(await requireMember(ctx, acme, 'org', before.member)).membership.roles).toEqual([]);
    });
  });

  test('a lost machine: no database to compare with, so all API keys are revoked, and it is said what to look after', async () => {
    const lived = await liveThrough();
    for (const name of readdirSync(data)) if (name.startsWith('assay.db')) rmSync(join(data, name));
    const report = await restore(lived.backup.path);
    expect([report.replaced, report.restored.compared]).toEqual([null, false]);
    expect(new Set(report.again.map(({ subject }) => subject))).toEqual(new Set([lived.key, lived.keptKey]));
    expect(report.restored.number).toBeGreaterThan(lived.lastNumber);
    await within(async (application, tenant) => {
      for (const token of lived.tokens) expect(await isActive(application, tenant, 'svc', token)).toBe(false);
    });
  });

  test('a database of another history is not compared with', async () => {
    const lived = await liveThrough();
    const own = join(data, 'master.key');
    const key = readFileSync(own);
    for (const name of readdirSync(data)) rmSync(join(data, name));
    await within(async () => undefined);
    writeFileSync(own, key, { mode: 0o600 });
    const report = await restore(lived.backup.path);
    expect(report.restored.compared).toBe(false);
    expect(report.replaced).not.toBeNull();
  });

  test('the cutoff is not behind times that the replaced database has seen', async () => {
    const { backup } = await liveThrough();
    const aheadMs = Date.now() + 3_600_000;
    await within(async ({ ctx }) => ctx.store.writeMeta('clock_high_water_ms', String(aheadMs), []));
    const report = await restore(backup.path);
    expect(report.restored.atMs).toBeGreaterThan(aheadMs);
    await within(async ({ ctx }) => expect(ctx.clock.now()).toBeGreaterThanOrEqual(report.restored.atMs));
  });
});

describe('OP-07 a restore refuses', () => {
  test('while somebody has the database open, and leaves it as it is', async () => {
    const backup = await within(take);
    await within(async (application, tenant) => {
      expect(restore(backup.path)).rejects.toThrow('stop it first');
      await newClient(application, tenant, 'svc');
    });
    expect(readdirSync(data).filter((name) => name.startsWith('restoring-'))).toEqual([]);
  });

  const broken: readonly (readonly [name: string, breakIt: (backup: Backup) => void, check: string])[] = [
    ['a changed byte', ({ path }) => {
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
      writeFileSync(path, bytes);
    }, 'file'],
    ['a cut file', ({ path }) => writeFileSync(path, readFileSync(path).subarray(0, 9000)), 'file'],
    ['no manifest', ({ path }) => rmSync(path.replace(/\.db$/, '.json')), 'manifest'],
    ['a damaged manifest', ({ path }) => writeFileSync(path.replace(/\.db$/, '.json'), '{'), 'manifest'],
    ['another program\'s file', ({ path }) => writeFileSync(path, 'hello'), 'schema'],
    ['a newer schema', ({ path }) => {
      const db = new Database(path);
      db.run('PRAGMA user_version = 9999');
      db.close();
    }, 'schema'],
    ['a changed event', ({ path }) => {
      const db = new Database(path);
      db.run('DROP TRIGGER audit_no_update');
      db.run("UPDATE audit SET actor = 'mallory' WHERE seq = 2");
      db.close();
    }, 'audit chains'],
  ];
  for (const [name, breakIt, check] of broken) {
    test(`a backup with ${name}`, async () => {
      const backup = await within(take);
      const before = readFileSync(join(data, 'assay.db'));
      breakIt(backup);
      const failure: unknown = await restore(backup.path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UnfitBackup);
      if (failure instanceof UnfitBackup) expect(failure.verdict.checks.filter(({ outcome }) => outcome === 'failed').map((one) => one.name)).toContain(check);
      expect(Buffer.compare(stripVersion(readFileSync(join(data, 'assay.db'))), stripVersion(before))).toBe(0);
      await within(async () => undefined);
    });
  }

  test('a backup of another master key', async () => {
    const backup = await within(take);
    for (const name of readdirSync(data)) rmSync(join(data, name));
    await within(async () => undefined);
    const failure: unknown = await restore(backup.path).catch((error: unknown) => error);
    expect(failure instanceof UnfitBackup && failure.verdict.checks.find(({ name }) => name === 'master key')).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('another master key') });
  });

  test('a damaged database in its place, unless told that no server runs; then its log does not stay beside the new one', async () => {
    const backup = await within(take);
    writeFileSync(join(data, 'assay.db'), 'x'.repeat(8192), { mode: 0o600 });
    writeFileSync(join(data, 'assay.db-wal'), 'y'.repeat(100), { mode: 0o600 });
    expect(restore(backup.path)).rejects.toThrow('--replace-damaged');
    const report = await restore(backup.path, { replaceDamaged: true });
    expect(report.restored.compared).toBe(false);
    expect(readFileSync(report.replaced ?? '', 'utf8')).toStartWith('xxx');
    expect(existsSync(join(data, 'assay.db-wal'))).toBe(false);
    await within(async () => undefined);
  });

  test('a backup without a manifest is taken when asked to, as those before a migration', async () => {
    const backup = await within(take);
    const alone = join(backups, 'old.db');
    renameSync(backup.path, alone);
    expect((await restore(alone, { withoutManifest: true })).verdict.checks.find(({ name }) => name === 'canary')?.outcome).toBe('ok');
  });
});

/** Without what leaving the write-ahead log changes in the header: mode, change counter, version-valid-for. */
function stripVersion(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  copy.fill(0, 18, 20).fill(0, 24, 28).fill(0, 92, 100);
  return copy;
}
