import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import type { Tenant } from '../../src/core/model.ts';
import {
  createClient, deleteClient, requireClient, revokeClientTokens, rotateSecret, setClientEnabled, updateClient, type ClientWish,
} from '../../src/service/manage-clients.ts';
import { createResource, deleteResource } from '../../src/service/manage-resources.ts';
import { createTenant } from '../../src/service/manage-tenants.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { must } from '../helpers/fixture.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { listAudit } from '../helpers/trail.ts';

let data: string;
let application: Application;
let tenant: Tenant;

beforeAll(async () => {
  data = temporaryFolder();
  application = await openData(data);
  tenant = must(await createTenant(application.ctx, 'acme', { algorithm: 'ES256' }));
});
afterAll(async () => {
  await application.close();
  removeFolder(data);
});

const noSecret = { supplied: null, ttl: null } as const;
const create = (wish: Partial<ClientWish>) =>
  createClient(application.ctx, tenant, { id: null, public: false, change: {}, secret: noSecret, ...wish });
const update = (id: string, change: ClientChange) => updateClient(application.ctx, tenant, id, change);

async function authenticates(id: string, secret: string): Promise<boolean> {
  const presented = { method: 'client_secret_post', clientId: id, secret } as const;
  const outcome = await application.ctx.authenticator.authenticate(tenant, { ok: true, presented }, false, { ip: null, requestId: null });
  return outcome.ok;
}

describe('secrets', () => {
  test.each([[-1], [0.5], [999_999_999_999_999], [Number.NaN]])('CA-16 nothing goes on for %d seconds: no date would say until when', async (overlapS) => {
    const id = `overlap-${overlapS}`;
    must(await create({ id }));
    expect(await rotateSecret(application.ctx, tenant, id, noSecret, overlapS)).toMatchObject({ ok: false, error: 'invalid_request', member: 'overlap' });
  });

  test('CA-17 a generated one has 256 bits, is given once, and is kept as a digest', async () => {
    const { client, secret } = must(await create({ id: 'generated' }));
    expect(secret?.text).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    expect(client.secrets).toMatchObject([{ kind: 'sha256', expiresAtMs: null }]);
    expect(JSON.stringify(client)).not.toContain(secret?.text ?? 'never');
    expect(await authenticates('generated', secret?.text ?? '')).toBe(true);
  });

  test.each([
    ['CA-17 a short one may be chosen by people: argon2id', 'correct horse'.replace(' ', '-').padEnd(31, '!'), 'argon2id'],
    ['CA-17 a long one is taken for generated: SHA-256', 'x'.repeat(32), 'sha256'],
  ] as const)('%s', async (_what, supplied, kind) => {
    const id = `supplied-${kind}`;
    const { client, secret } = must(await create({ id, secret: { supplied, ttl: null } }));
    expect(client.secrets).toMatchObject([{ kind }]);
    expect(secret?.generated).toBe(false);
    expect(await authenticates(id, supplied)).toBe(true);
    expect(await authenticates(id, `${supplied}x`)).toBe(false);
  });

  test.each([['too short', 'x'.repeat(15)], ['too long', 'x'.repeat(257)], ['with a space', 'x x'.padEnd(20, 'x')], ['not ASCII', 'ä'.repeat(20)]])(
    'CA-17 one that is %s is refused', async (_what, supplied) => {
      expect(await create({ secret: { supplied, ttl: null } })).toMatchObject({ ok: false, error: 'invalid_request' });
    });

  test('CA-15 it expires when it is told to', async () => {
    const { client } = must(await create({ id: 'short-lived', secret: { supplied: null, ttl: 60 } }));
    const [secret] = client.secrets;
    expect((secret?.expiresAtMs ?? 0) - (secret?.createdAtMs ?? 0)).toBe(60_000);
  });

  test('CA-16 rotation overlaps, and an overlap of nothing ends the old one', async () => {
    const first = must(await create({ id: 'rotating' })).secret?.text ?? '';
    const second = must(await rotateSecret(application.ctx, tenant, 'rotating', noSecret, 60)).secret?.text ?? '';
    expect([await authenticates('rotating', first), await authenticates('rotating', second)]).toEqual([true, true]);
    const third = must(await rotateSecret(application.ctx, tenant, 'rotating', noSecret, 0)).secret?.text ?? '';
    await Bun.sleep(2);
    expect([await authenticates('rotating', first), await authenticates('rotating', second), await authenticates('rotating', third)]).toEqual([false, false, true]);
  });

  test('a public client has none', async () => {
    expect(must(await create({ id: 'spa', public: true })).secret).toBeNull();
    expect(await rotateSecret(application.ctx, tenant, 'spa', noSecret, 0)).toMatchObject({ ok: false, error: 'conflict' });
    expect(await create({ public: true, secret: { supplied: 'x'.repeat(32), ttl: null } })).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('CA-13 what becomes public loses its secrets for good', async () => {
    const old = must(await create({ id: 'turning', change: { grants: ['refresh_token'] } })).secret?.text ?? '';
    expect(await update('turning', { public: true })).toMatchObject({ ok: true, value: { public: true } });
    expect(await update('turning', { public: false })).toMatchObject({
      ok: true, warnings: ['turning is confidential now, and has no secret yet'], hints: { 'turning is confidential now, and has no secret yet': expect.stringContaining('rotate-secret') },
    });
    expect(await authenticates('turning', old)).toBe(false);
  });
});

describe('ids', () => {
  test('a generated one is prefixed', async () => {
    expect(must(await create({})).client.id).toMatch(/^cli_[A-Za-z0-9_-]{22}$/);
  });

  test.each([['svc-orders'], ['42'], ['https-like'], ['client_01JP8BD0CZ401TDF9X54NT5ZEK'], ['a:b/c?%']])('%p can be chosen', async (id) => {
    expect(await create({ id })).toMatchObject({ ok: true });
    expect(await create({ id })).toMatchObject({ ok: false, error: 'already_exists' });
  });

  test.each([['usr_1'], ['org_1'], ['https://client.example.com'], ['a b'], [''], ['é'], ['a\u0000'], ['x'.repeat(257)]])('INT-115 %p cannot', async (id) => {
    expect(await create({ id })).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('INT-115 a client and a user never share one', async () => {
    must(await createUser(application.ctx, tenant, 'shared', { username: 'shared', email: 'shared@example.com' }));
    expect(await create({ id: 'shared' })).toMatchObject({ ok: false, error: 'conflict' });
    must(await create({ id: 'taken' }));
    expect(await createUser(application.ctx, tenant, 'taken', { username: 'taken', email: 'taken@example.com' })).toMatchObject({ ok: false, error: 'conflict' });
    expect(await createUser(application.ctx, tenant, 'cli_x', { username: 'x', email: 'x@example.com' })).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('MTN-04 another tenant may have the same', async () => {
    const other = must(await createTenant(application.ctx, 'other', { algorithm: 'ES256' }));
    expect(await createClient(application.ctx, other, { id: 'generated', public: false, change: {}, secret: noSecret })).toMatchObject({ ok: true });
    expect(await requireClient(application.ctx, other, 'rotating')).toMatchObject({ ok: false, error: 'not_found' });
  });
});

describe('settings', () => {
  test('defaults follow the kind', async () => {
    expect(must(await create({})).client).toMatchObject({ public: false, grants: ['client_credentials'], authMethod: null, refreshRotation: true, scopes: [] });
    expect(must(await create({ public: true })).client).toMatchObject({ public: true, grants: ['authorization_code', 'refresh_token'] });
  });

  test('what creating sets, updating changes and takes back', async () => {
    const change = {
      name: 'Everything', grants: ['authorization_code', 'refresh_token'], scopes: ['a', 'b'], audience: ['https://api.example.com'],
      redirectUris: ['https://app.example.com/cb'], authMethod: 'client_secret_post', tokenFormat: 'opaque', introspect: 'tenant', shape: 'workos',
      orgId: 'org_1', refreshRotation: false, accessTokenTtl: 7, refreshTokenTtl: 8,
    } as const satisfies ClientChange;
    expect(must(await create({ id: 'everything', change })).client).toMatchObject(change);
    const back = {
      name: 'Nothing', grants: ['client_credentials'], scopes: [], audience: [], redirectUris: [], authMethod: null, tokenFormat: null, introspect: null,
      shape: null, orgId: null, refreshRotation: true, accessTokenTtl: null, refreshTokenTtl: null,
    } as const satisfies ClientChange;
    expect(must(await update('everything', back))).toMatchObject(back);
    expect(must(await requireClient(application.ctx, tenant, 'everything'))).toMatchObject(back);
  });

  test.each([
    ['a public one with client_credentials', { public: true, change: { grants: ['client_credentials'] } }],
    ['a public one with a method', { public: true, change: { authMethod: 'client_secret_basic' } }],
    ['a confidential one without', { change: { authMethod: 'none' } }],
    ['an audience with a space', { change: { audience: ['a b'] } }],
    ['a script as redirect URI', { change: { redirectUris: ['javascript:alert(1)'] } }],
    ['a fragment in one', { change: { redirectUris: ['https://a.example.com/#x'] } }],
    ['http that is not loopback', { change: { redirectUris: ['http://a.example.com/'] } }],
    ['a name with a line break', { change: { name: 'a\nb' } }],
    ['a lifetime of nothing', { change: { accessTokenTtl: 0 } }],
  ] as const)('TX-04 %s is refused', async (_what, wish) => {
    expect(await create(wish)).toMatchObject({ ok: false, error: 'invalid_request' });
  });
});

describe('states', () => {
  test('INT-91 disabling and revoking move the cutoff; enabling revives nothing', async () => {
    must(await create({ id: 'asleep' }));
    const disabled = must(await setClientEnabled(application.ctx, tenant, 'asleep', false));
    expect(disabled.notBeforeMs).toBe(disabled.disabledAtMs ?? 0);
    const enabled = must(await setClientEnabled(application.ctx, tenant, 'asleep', true));
    expect(enabled).toMatchObject({ disabledAtMs: null, notBeforeMs: disabled.notBeforeMs });
    await Bun.sleep(2);
    expect(must(await revokeClientTokens(application.ctx, tenant, 'asleep')).notBeforeMs).toBeGreaterThan(disabled.notBeforeMs);
  });

  test('acts at the same time all take effect: neither a change nor a suspension is lost', async () => {
    must(await create({ id: 'busy', change: { scopes: ['a'] } }));
    const acts = await Promise.all([
      update('busy', { name: 'Busy' }), setClientEnabled(application.ctx, tenant, 'busy', false), update('busy', { scopes: ['b'] }), update('busy', { orgId: 'org_1' }),
    ]);
    expect(acts.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    const after = must(await requireClient(application.ctx, tenant, 'busy'));
    expect(after).toMatchObject({ name: 'Busy', scopes: ['b'], orgId: 'org_1' });
    expect(after.disabledAtMs).not.toBeNull();
  });

  test('what was deleted at the same time is refused, not reported as changed', async () => {
    must(await create({ id: 'leaving' }));
    const [gone, late, again] = await Promise.all([
      deleteClient(application.ctx, tenant, 'leaving'), update('leaving', { name: 'Late' }), deleteClient(application.ctx, tenant, 'leaving'),
    ]);
    expect(gone.ok).toBe(true);
    for (const outcome of [late, again]) expect(outcome).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('a deleted id may be given again, but its tokens stay dead', async () => {
    must(await create({ id: 'reborn' }));
    const gone = must(await deleteClient(application.ctx, tenant, 'reborn'));
    expect(await requireClient(application.ctx, tenant, 'reborn')).toMatchObject({ ok: false, error: 'not_found' });
    must(await create({ id: 'reborn' }));
    const reborn = must(await requireClient(application.ctx, tenant, 'reborn'));
    expect(reborn.notBeforeMs).toBeGreaterThanOrEqual(gone.notBeforeMs);
    expect(reborn.secrets).toHaveLength(1);
  });

  test('LG-04 events name the client and what changed, never a secret', async () => {
    must(await update('reborn', { name: 'Reborn', scopes: ['x'] }));
    const events = (await listAudit(application.ctx.store, { tenant: 'acme', limit: 200 })).filter((event) => event.clientId === 'reborn');
    expect(events.map((event) => event.type)).toEqual(['client_updated', 'client_created', 'client_deleted', 'client_created']);
    expect(events[0]?.reason).toBe('name,scopes');
  });
});

describe('resources', () => {
  const wish = { uri: 'https://API.example.com/', scopes: ['read'], owner: 'everything', tokenFormat: null } as const;

  test('RI-05 one per canonical form, with a confidential owner', async () => {
    expect(await createResource(application.ctx, tenant, wish)).toMatchObject({ ok: true, value: { uri: wish.uri, ownerClientId: 'everything' } });
    expect(await createResource(application.ctx, tenant, { ...wish, uri: 'https://api.example.com' })).toMatchObject({ ok: false, error: 'already_exists' });
    expect(await createResource(application.ctx, tenant, { ...wish, uri: 'https://x.example', owner: 'nobody' })).toMatchObject({ ok: false, error: 'not_found' });
    expect(await createResource(application.ctx, tenant, { ...wish, uri: 'https://x.example', owner: 'spa' })).toMatchObject({ ok: false, error: 'conflict' });
    for (const uri of ['', 'a b', 'https://x.example/#f']) expect(await createResource(application.ctx, tenant, { ...wish, uri })).toMatchObject({ ok: false, error: 'invalid_request' });
    expect(await deleteResource(application.ctx, tenant, 'https://api.example.com/')).toMatchObject({ ok: true });
    expect(await deleteResource(application.ctx, tenant, 'https://api.example.com/')).toMatchObject({ ok: false, error: 'not_found' });
  });
});
