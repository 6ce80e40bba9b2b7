import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import { METADATA_MAX_AGE } from '../../src/core/discovery.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { SigningKeyRow, SigningKeyStatus } from '../../src/core/store.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import { revokeKey, rotateKeys, switchAlgorithm } from '../../src/service/manage-keys.ts';
import { createTenant, updateTenant } from '../../src/service/manage-tenants.ts';
import { inspectToken } from '../../src/service/manage-tokens.ts';
import { must } from '../helpers/fixture.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';

let data: string;
let application: Application;

beforeAll(async () => {
  data = temporaryFolder();
  application = await openData(data);
});
afterAll(async () => {
  await application.close();
  removeFolder(data);
});

async function makeTenant(slug: string): Promise<Tenant> {
  const tenant = must(await createTenant(application.ctx, slug, { algorithm: 'ES256' }));
  must(await createClient(application.ctx, tenant, { id: 'svc', public: false, change: {}, secret: { supplied: null, ttl: null } }));
  return tenant;
}

async function keysOf(tenant: Tenant): Promise<Readonly<Record<SigningKeyStatus, readonly SigningKeyRow[]>>> {
  const rows = await application.ctx.store.listKeys(tenant.id);
  const of = (status: SigningKeyStatus): readonly SigningKeyRow[] => rows.filter((row) => row.status === status);
  return { active: of('active'), next: of('next'), retired: of('retired'), revoked: of('revoked') };
}

async function issue(tenant: Tenant): Promise<string> {
  return must(await issueToken(application.ctx, tenant, { client: 'svc', user: null, org: null, session: null, scopes: null, audience: [] })).access_token;
}

async function isGood(tenant: Tenant, token: string): Promise<boolean> {
  const inspection = await inspectToken(application.ctx, tenant, token);
  return inspection.known && inspection.reason === null;
}

describe('rotation', () => {
  test('JK-03 the next key signs at once, another is published, and old tokens stay good', async () => {
    const tenant = await makeTenant('rotating');
    const before = await keysOf(tenant);
    const token = await issue(tenant);
    const outcome = await rotateKeys(application.ctx, tenant);
    expect(outcome).toMatchObject({ ok: true, warnings: [expect.stringContaining(`${METADATA_MAX_AGE} s`)] });
    const after = await keysOf(tenant);
    expect(after.active.map((key) => key.kid)).toEqual(before.next.map((key) => key.kid));
    expect(after.retired.map((key) => key.kid)).toEqual(before.active.map((key) => key.kid));
    expect(after.next).toHaveLength(1);
    expect(await isGood(tenant, token)).toBe(true);
    expect(await isGood(tenant, await issue(tenant))).toBe(true);
  });

  test('JK-04 two rotations in a row, and two at once, keep every key', async () => {
    const tenant = await makeTenant('twice');
    const token = await issue(tenant);
    must(await rotateKeys(application.ctx, tenant));
    const both = await Promise.all([rotateKeys(application.ctx, tenant), rotateKeys(application.ctx, tenant)]);
    expect(both.map((outcome) => outcome.ok)).toEqual([true, true]);
    const keys = await keysOf(tenant);
    expect([keys.active.length, keys.next.length, keys.retired.length, keys.revoked.length]).toEqual([1, 1, 3, 0]);
    expect(await isGood(tenant, token)).toBe(true);
  });
});

describe('revocation', () => {
  test('JK-05 of the active key: the next one signs, and what it signed is dead at once', async () => {
    const tenant = await makeTenant('revoking');
    const token = await issue(tenant);
    const { active: [active], next: [next] } = await keysOf(tenant);
    must(await revokeKey(application.ctx, tenant, active?.kid ?? ''));
    const after = await keysOf(tenant);
    expect(after.active[0]?.kid).toBe(next?.kid ?? '');
    expect(after.revoked.map((key) => key.kid)).toEqual([active?.kid ?? '']);
    expect(await isGood(tenant, token)).toBe(false);
    expect(await isGood(tenant, await issue(tenant))).toBe(true);
    expect(must(await revokeKey(application.ctx, tenant, active?.kid ?? ''))).toMatchObject({ key: { status: 'revoked' }, signedSinceMs: null, tokensUntilMs: null, grants: 0, idTokens: false });
  });

  test('JK-05 of a retired and of the next key', async () => {
    const tenant = await makeTenant('cleaning');
    const token = await issue(tenant);
    must(await rotateKeys(application.ctx, tenant));
    const { retired: [retired], next: [next] } = await keysOf(tenant);
    must(await revokeKey(application.ctx, tenant, retired?.kid ?? ''));
    expect(await isGood(tenant, token)).toBe(false);
    must(await revokeKey(application.ctx, tenant, next?.kid ?? ''));
    const after = await keysOf(tenant);
    expect([after.active.length, after.next.length, after.retired.length, after.revoked.length]).toEqual([1, 1, 0, 2]);
    expect(after.next[0]?.kid).not.toBe(next?.kid ?? '');
  });

  test('MTN-04 another tenant\'s key is unknown', async () => {
    const [left, right] = [await makeTenant('left'), await makeTenant('right')];
    const { active: [active] } = await keysOf(left);
    expect(await revokeKey(application.ctx, right, active?.kid ?? '')).toMatchObject({ ok: false, error: 'not_found' });
  });
});

describe('algorithms', () => {
  test('JK-03 another algorithm brings new keys and keeps the old', async () => {
    const tenant = await makeTenant('changing');
    const token = await issue(tenant);
    const outcome = await updateTenant(application.ctx, 'changing', { algorithm: 'EdDSA' });
    expect(outcome).toMatchObject({ ok: true, value: { algorithm: 'EdDSA' }, warnings: [expect.stringContaining('published only')] });
    const changed = must(outcome);
    const keys = await keysOf(changed);
    expect(keys.active.map((key) => key.algorithm)).toEqual(['EdDSA']);
    expect(keys.next.map((key) => key.algorithm)).toEqual(['EdDSA']);
    expect(keys.retired.map((key) => key.algorithm)).toEqual(['ES256']);
    expect(await isGood(changed, token)).toBe(true);
    expect(await isGood(changed, await issue(changed))).toBe(true);
    expect(await switchAlgorithm(application.ctx, changed)).toMatchObject({ ok: true, warnings: [] });
    expect((await keysOf(changed)).retired).toHaveLength(1);
  });
});
