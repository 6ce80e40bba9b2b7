import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import { issuerOf } from '../../src/core/issuer.ts';
import { presetNames, type Tenant } from '../../src/core/model.ts';
import { presets } from '../../src/core/presets.ts';
import type { TenantChange } from '../../src/core/tenant-settings.ts';
import { createTenant, deleteTenant, requireTenant, setTenantEnabled, updateTenant } from '../../src/service/manage-tenants.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { listAudit } from '../helpers/trail.ts';

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

const create = (slug: string, change: TenantChange = {}) => createTenant(application.ctx, slug, { algorithm: 'ES256', ...change });
const update = (slug: string, change: TenantChange) => updateTenant(application.ctx, slug, change);

async function made(slug: string, change: TenantChange = {}): Promise<Tenant> {
  const outcome = await create(slug, change);
  if (!outcome.ok) throw new Error(outcome.description);
  return outcome.value;
}

describe('slugs', () => {
  test.each([
    ['oauth2'], ['t'], ['orgs'], ['admin'], ['health'], ['api'], ['docs'], ['well-known'], ['metrics'],
  ])('MTN-08 %s is kept for the server', async (slug) => {
    expect(await create(slug)).toMatchObject({ ok: false, error: 'invalid_request', description: expect.stringContaining('kept for the server') });
  });

  test.each([
    [''], ['A'], ['a_b'], ['-a'], ['a-'], ['.well-known'], ['a/b'], ['é'], ['x'.repeat(64)], ['a b'],
  ])('INT-34 %p is no slug', async (slug) => {
    expect(await create(slug)).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('MTN-07 a slug is taken while its tenant lives, and after that while tokens may', async () => {
    await made('once');
    expect(await create('once')).toMatchObject({ ok: false, error: 'already_exists' });
    expect(await deleteTenant(application.ctx, 'once')).toMatchObject({ ok: true });
    expect(await create('once')).toMatchObject({ ok: false, error: 'already_exists', description: expect.stringContaining('deleted tenant') });
  });
});

describe('presets', () => {
  test.each(presetNames.map((name) => [name]))('MTN-01 preset %s sets its whole row', async (preset) => {
    const row = presets[preset];
    const host = row.layout === 'root' ? `p-${preset}.example.com` : null;
    const tenant = await made(`p-${preset}`, { preset, ...(host !== null && { host }) });
    expect(tenant).toMatchObject({
      preset, host, layout: row.layout ?? 'realm', introspectionPolicy: row.introspectionPolicy, introspectionPolicyMode: 'enforce',
      revocationPolicy: row.revocationPolicy, refreshRevocation: row.refreshRevocation, shape: row.shape, defaultAudience: row.defaultAudience,
      accessTokenTtl: row.accessTokenTtl, refreshTokenTtl: row.refreshTokenTtl,
    });
    expect(await application.ctx.store.findTenant({ slug: `p-${preset}` })).toEqual(tenant);
  });

  test('what is given goes over the row, and an update without a preset keeps it', async () => {
    await made('over', { preset: 'kotauth', shape: 'standard', accessTokenTtl: 7, layout: 'org' });
    expect(await update('over', { name: 'Over' })).toMatchObject({
      ok: true, value: { name: 'Over', preset: 'kotauth', shape: 'standard', accessTokenTtl: 7, layout: 'org', introspectionPolicy: 'tenant' },
    });
    expect(await update('over', { preset: 'lumoauth' })).toMatchObject({
      ok: true, value: { preset: 'lumoauth', shape: 'standard', accessTokenTtl: 3600, layout: 'org', introspectionPolicy: 'audience' },
    });
  });

  test('standard lives at root with a hostname, else at realm', async () => {
    expect(await made('with-host', { host: 'with-host.example.com' })).toMatchObject({ layout: 'root' });
    expect(await made('without-host')).toMatchObject({ layout: 'realm', host: null });
  });

  test('root without a hostname is refused with words that help', async () => {
    expect(await create('homeless', { preset: 'aero2' })).toMatchObject({ ok: false, error: 'invalid_request', hint: expect.stringContaining('--host') });
    expect(await create('homeless', { layout: 'root' })).toMatchObject({ ok: false, error: 'invalid_request', hint: expect.stringContaining('--host') });
    expect(await create('homeless', { preset: 'aero2', layout: 'realm' })).toMatchObject({ ok: true, value: { layout: 'realm' } });
  });
});

describe('the tenant default', () => {
  test('changes its policy by preset, never its place', async () => {
    expect(await update('default', { preset: 'kotauth' })).toMatchObject({
      ok: true, value: { preset: 'kotauth', layout: 'root', host: null, shape: 'kotauth', introspectionPolicy: 'tenant' }, warnings: [],
    });
    expect(await update('default', { preset: 'standard' })).toMatchObject({ ok: true, value: { layout: 'root', shape: 'standard' } });
  });

  test.each([
    ['another layout', { layout: 'realm' }], ['a hostname', { host: 'x.example.com' }],
  ] as const)('cannot take %s', async (_what, change) => {
    expect(await update('default', change)).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('cannot be made again or deleted', async () => {
    expect(await create('default')).toMatchObject({ ok: false, error: 'already_exists' });
    expect(await deleteTenant(application.ctx, 'default')).toMatchObject({ ok: false, error: 'conflict' });
  });
});

describe('several operators', () => {
  test('acts at the same time all take effect, and what was deleted meanwhile is refused', async () => {
    await made('busy');
    const acts = await Promise.all([update('busy', { name: 'Busy' }), setTenantEnabled(application.ctx, 'busy', false), update('busy', { accessTokenTtl: 7 })]);
    expect(acts.map(({ ok }) => ok)).toEqual([true, true, true]);
    const after = await application.ctx.store.findTenant({ slug: 'busy' });
    expect(after).toMatchObject({ name: 'Busy', accessTokenTtl: 7 });
    expect(after?.disabledAtMs).not.toBeNull();
    const [gone, late] = await Promise.all([deleteTenant(application.ctx, 'busy'), setTenantEnabled(application.ctx, 'busy', true)]);
    expect(gone.ok).toBe(true);
    expect(late).toMatchObject({ ok: false, error: 'not_found' });
  });
});

describe('hostnames', () => {
  test('MTN-02 they are kept in lower case, without the default port', async () => {
    expect(await made('upper', { host: 'Login.Example.COM:80' })).toMatchObject({ host: 'login.example.com' });
    expect(await made('ported', { host: 'ported.localhost:8443' })).toMatchObject({ host: 'ported.localhost:8443' });
    expect(issuerOf(await made('issued', { host: 'issued.example.com' }), application.ctx.origin())).toBe('http://issued.example.com');
  });

  test.each([
    [''], ['a b.example.com'], ['https://a.example.com'], ['a.example.com/x'], ['a..b'], ['a:0'], ['a:70000'], ['-a'], ['a.example.com:'], ['é.example.com'],
  ])('%p is no hostname', async (host) => {
    expect(await create('bad-host', { host })).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('one owner each, and never the server itself', async () => {
    await made('owner', { host: 'owned.example.com' });
    expect(await create('thief', { host: 'OWNED.example.com' })).toMatchObject({ ok: false, error: 'conflict', description: expect.stringContaining('owner') });
    // Whose it is, only who types commands is told (MTN-06).
    const refusal = await update('without-host', { host: 'owned.example.com' });
    expect(refusal).toMatchObject({ ok: false, error: 'conflict', hint: expect.stringContaining('tenant owner ') });
    expect(refusal.ok ? '' : refusal.description).not.toContain('tenant owner');
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
      expect(await create('thief', { host })).toMatchObject({ ok: false, error: 'conflict', description: expect.stringContaining('own address') });
    }
    expect(await deleteTenant(application.ctx, 'owner')).toMatchObject({ ok: true });
    expect(await create('heir', { host: 'owned.example.com' })).toMatchObject({ ok: true });
  });

  test('MTN-03 a move warns of the new issuer', async () => {
    await made('mover');
    expect(await update('mover', { layout: 'org' })).toMatchObject({ ok: true, warnings: [expect.stringContaining('/orgs/mover')] });
    expect(await update('mover', { host: null })).toMatchObject({ ok: true, warnings: [] });
    expect(await update('heir', { host: null })).toMatchObject({ ok: false, error: 'invalid_request', description: expect.stringContaining('hostname of its own') });
  });
});

describe('states', () => {
  test('INT-32 disabling moves the cutoff, and enabling leaves it', async () => {
    await made('asleep');
    const disabled = await setTenantEnabled(application.ctx, 'asleep', false);
    if (!disabled.ok) throw new Error(disabled.description);
    expect(disabled.value.disabledAtMs).toBeGreaterThan(0);
    expect(disabled.value.notBeforeMs).toBe(disabled.value.disabledAtMs ?? 0);
    const enabled = await setTenantEnabled(application.ctx, 'asleep', true);
    expect(enabled).toMatchObject({ ok: true, value: { disabledAtMs: null, notBeforeMs: disabled.value.notBeforeMs } });
  });

  test('MTN-12 deleting wipes private keys and hides the tenant', async () => {
    const tenant = await made('gone');
    expect(await deleteTenant(application.ctx, 'gone')).toMatchObject({ ok: true });
    expect(await requireTenant(application.ctx, 'gone')).toMatchObject({ ok: false, error: 'not_found' });
    expect((await application.ctx.store.listKeys(tenant.id)).every((key) => key.sealedPrivate === '')).toBe(true);
    expect(await update('gone', { name: 'x' })).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('LG-07 every act leaves its event', async () => {
    const events = await listAudit(application.ctx.store, { tenant: 'asleep', limit: 20 });
    expect(events.map((event) => event.type).toReversed()).toEqual(['tenant_created', 'key_created', 'key_created', 'tenant_disabled', 'tenant_enabled']);
    expect(events.every((event) => event.actor === 'operator' && event.outcome === 'success')).toBe(true);
  });

  test.each([
    ['a lifetime of nothing', { accessTokenTtl: 0 }], ['half a second', { refreshTokenTtl: 0.5 }], ['a century', { accessTokenTtl: 3_153_600_000 }],
    ['a name that reorders text', { name: 'a\u202Eb' }],
  ])('TX-04 %s is refused', async (_what, change) => {
    expect(await update('asleep', change)).toMatchObject({ ok: false, error: 'invalid_request' });
  });
});

test.each<[string, TenantChange, string]>([
  ['another hostname', { host: 'www.example.org' }, 'host'], ['another layout', { layout: 'org' }, 'layout'], ['no limits', { operations: { limits: { client: null } } }, 'limits'],
  ['a shorter audit trail', { operations: { auditRetentionDays: 1 } }, 'auditRetentionDays'],
])('MTN-06 who operates one tenant alone does not give it %s', async (_what, change, member) => {
  const tenant = await made(`bound-${member.toLowerCase()}`, { operations: { limits: { client: 60 } } });
  const held = { tenantId: tenant.id };
  expect(await updateTenant(application.ctx, tenant.slug, change, undefined, held)).toMatchObject({ ok: false, error: 'forbidden', member });
  expect(await application.ctx.store.findTenant({ slug: tenant.slug })).toEqual(tenant);
  expect(await updateTenant(application.ctx, tenant.slug, { name: 'Acme AG', operations: { limits: { client: 60 } } }, undefined, held)).toMatchObject({ ok: true, value: { name: 'Acme AG' } });
});
