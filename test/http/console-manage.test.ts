/** What the console does with tenants, people, organizations, resources, webhooks and access: from making to the end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { auditTypes } from '../../src/core/audit-event.ts';
import type { Tenant, User } from '../../src/core/model.ts';
import { segment } from '../../src/http/console/paths.ts';
import { everything, putAdministrator } from '../../src/service/manage-access.ts';
import { defaultTenant, introspect, issue, issuer, makeClient, makeTenant, makeUser, must, send as request, startFixture, until, type Fixture } from '../helpers/fixture.ts';
import { makePerson, signIn, someone, withSession } from '../helpers/flow.ts';
import { makeOperator, newestEvent } from '../helpers/operator.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

let fixture: Fixture;
let acme: Tenant;
let person: Person;
let operator: User;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { name: 'Acme Works' });
  ({ person, user: operator } = await makeOperator(fixture));
});
afterAll(() => fixture.close());

/** Sends the form of a page, by somebody. A list stands for several values. */
async function sendAs(who: Person, path: string, fields: Readonly<Record<string, string>> = {}): Promise<PersonPage> {
  const page = await who.open(path);
  const form = page.forms.findIndex(({ action }) => new URL(action).pathname === new URL(page.url).pathname && action.includes('/admin'));
  return who.submit(fields, { form });
}
const send = (path: string, fields: Readonly<Record<string, string>> = {}): Promise<PersonPage> => sendAs(person, path, fields);
const store = () => fixture.application.ctx.store;
const tenantNow = async (slug = 'acme'): Promise<Tenant> => (await store().findTenant({ slug }))!;
const landed = (page: PersonPage): string => new URL(page.url).pathname;

describe('MTN-01, MTN-12 · a tenant, from its making to its end', () => {
  test('made as a preset says, with what is given over it; then it is at its own pages', async () => {
    const page = await send('/admin/tenants/new', { slug: 'young', name: 'Young & Co', preset: 'kotauth', accessTokenTtl: '600' });
    expect([page.status, landed(page), page.text.includes('Tenant created.')]).toEqual([200, '/admin/t/young', true]);
    expect(await tenantNow('young')).toMatchObject({ name: 'Young & Co', preset: 'kotauth', layout: 'realm', introspectionPolicy: 'tenant', shape: 'kotauth', accessTokenTtl: 600, refreshTokenTtl: 86_400 });
    expect(await newestEvent(fixture, 'tenant_created')).toMatchObject({ actor: operator.id, subject: 'young' });
    const list = await person.open('/admin/tenants?q=you');
    const table = list.html.split('<tbody>')[1] ?? '';
    expect([table.includes('Young &amp; Co'), table.includes('Acme Works')]).toEqual([true, false]);
  });

  for (const [fields, said] of [[{ slug: 'A b' }, 'characters of a-z'], [{ slug: 'acme' }, 'already'], [{ slug: 'admin' }, 'kept for'], [{ slug: 'fine', layout: 'root' }, 'hostname of its own'], [{ slug: 'fine', accessTokenTtl: '0' }, 'whole seconds']] as const) {
    test(`refused at its field: ${JSON.stringify(fields)}`, async () => {
      const page = await send('/admin/tenants/new', fields);
      expect([page.status, page.text.includes(said), page.html.includes('aria-invalid="true"'), page.html.includes(`value="${fields.slug}"`)]).toEqual([400, true, true, true]);
      expect(await store().findTenant({ slug: 'fine' })).toBeNull();
    });
  }

  test('changed: what is left as it is stays, and somebody else\'s change is not overwritten', async () => {
    const path = '/admin/t/young/settings/edit';
    expect((await send(path, { name: 'Younger', introspectionPolicyMode: 'report', algorithm: 'ES256' })).text).toContain('Saved.');
    expect(await tenantNow('young')).toMatchObject({ name: 'Younger', introspectionPolicyMode: 'report', accessTokenTtl: 600, algorithm: 'ES256' });
    const page = await person.open(path);
    const { fields } = page.forms.find(({ action }) => action.endsWith('/edit'))!;
    await send(path, { name: 'Theirs' });
    const stale = await person.post(path, { ...fields, name: 'Mine' });
    expect([stale.status, stale.text.includes('meanwhile'), (await tenantNow('young')).name]).toEqual([400, true, 'Theirs']);
    const shown = await person.open('/admin/t/young/settings');
    expect([shown.text.includes('not the preset\'s'), shown.text.includes('only reported')]).toEqual([true, true]);
  });

  test('another preset sets its whole row', async () => {
    expect((await send('/admin/t/young/settings/preset', { preset: 'standard' })).text).toContain('set as standard says');
    expect(await tenantNow('young')).toMatchObject({ preset: 'standard', introspectionPolicy: 'audience', shape: 'standard', accessTokenTtl: 300 });
  });

  test('suspended, awake again, its tokens revoked', async () => {
    const asker = await makeClient(fixture, await tenantNow('young'), 'asker', { introspect: 'tenant' });
    const { access_token: token } = await issue(fixture, await tenantNow('young'), 'asker');
    expect((await send('/admin/t/young/settings/revoke-tokens')).text).toContain('is void');
    expect((await introspect(fixture, await tenantNow('young'), asker, token))['active']).toBe(false);
    expect((await send('/admin/t/young/settings/disable')).text).toContain('is disabled');
    expect((await tenantNow('young')).disabledAtMs).not.toBeNull();
    // What is done already needs no doing.
    expect(landed(await person.open('/admin/t/young/settings/disable'))).toBe('/admin/t/young/settings');
    expect((await send('/admin/t/young/settings/enable')).text).toContain('is enabled');
  });

  test('deleted only by who types its slug; the tenant default never', async () => {
    expect((await send('/admin/t/young/settings/delete', { slug: 'acme' })).status).toBe(400);
    expect((await tenantNow('young')).deletedAtMs).toBeNull();
    const page = await send('/admin/t/young/settings/delete', { slug: 'young' });
    expect([landed(page), page.text.includes('Theirs was deleted.'), (await person.open('/admin/t/young/settings')).status]).toEqual(['/admin/tenants', true, 404]);
    expect(landed(await person.open('/admin/t/default/settings/delete'))).toBe('/admin/t/default/settings');
  });
});

describe('a tenant\'s settings, section by section', () => {
  const at = (name: string): string => `/admin/t/acme/settings/${name}`;

  test('signing in', async () => {
    expect((await send(at('sign-in'), { registration: 'yes', passwordMinLength: '16', sessionIdleTtl: '600' })).text).toContain('Saved.');
    expect((await tenantNow()).people).toMatchObject({ registration: true, passwords: true, passwordMinLength: 16, sessionIdleTtl: 600 });
    const none = await send(at('sign-in'), { passwords: '', emailCodes: '', passkeys: '' });
    expect([none.status, none.text.includes('need a way to sign in'), (await tenantNow()).people.passwords]).toEqual([400, true, true]);
    expect((await send(at('sign-in'), { passwordMinLength: '7' })).status).toBe(400);
  });

  test('color and logo: shown as they will look, and nothing that runs', async () => {
    expect((await send(at('color'), { color: '#FFD400' })).text).toContain('#ffd400');
    expect((await send(at('color'), { color: 'red' })).status).toBe(400);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>';
    const page = await send(at('logo'), { picture: svg });
    expect([page.html.includes('data:image/svg+xml;base64,'), (await tenantNow()).people.logo?.type]).toEqual([true, 'image/svg+xml']);
    const png = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await send(at('logo'), { picture: png });
    expect((await tenantNow()).people.logo?.type).toBe('image/png');
    for (const picture of ['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'https://example.com/logo.png', '', 'data:text/html;base64,PGI+']) {
      const wrong = await send(at('logo'), { picture });
      expect([picture, wrong.status, (await tenantNow()).people.logo?.type]).toEqual([picture, 400, 'image/png']);
    }
    await send(at('logo'), { remove: 'yes' });
    expect((await tenantNow()).people.logo).toBeNull();
  });

  test('claims, one a line', async () => {
    expect((await send(at('claims'), { claims: 'department=attribute:department@id_token,introspection\nroles=roles@access_token' })).text).toContain('Saved.');
    expect((await tenantNow()).people.claims).toEqual([{ claim: 'department', source: 'attribute:department', targets: ['id_token', 'introspection'] }, { claim: 'roles', source: 'roles', targets: ['access_token'] }]);
    for (const [claims, said] of [['nonsense', 'NAME=SOURCE@PLACES'], ['x=roles@somewhere', 'somewhere'], ['sub=roles@id_token', 'cannot be given'], ['x=attribute:sub@id_token', 'standard claim']] as const) {
      const page = await send(at('claims'), { claims });
      expect([claims, page.status, page.text.includes(said), (await tenantNow()).people.claims.length]).toEqual([claims, 400, true, 2]);
    }
  });

  test('operation: rotation, retention, limits; empty takes one back', async () => {
    await send(at('operation'), { keyRotationDays: '', auditRetentionDays: '400', client: '600', account: '10' });
    expect((await tenantNow()).operations).toEqual({ keyRotationDays: null, auditRetentionDays: 400, limits: { tenant: null, client: 600, address: null, account: 10 } });
    const wrong = await send(at('operation'), { address: '0' });
    expect([wrong.status, /id="f-address-fault"/.test(wrong.html)]).toEqual([400, true]);
    await send(at('operation'), { client: '', account: '' });
    expect((await tenantNow()).operations.limits).toMatchObject({ client: null, account: null });
  });

  test('wording: found by its text, said otherwise, with its placeholders; and as it was', async () => {
    const list = await person.open('/admin/t/acme/wording?q=forgot your');
    expect(list.html).toContain(`/admin/t/acme/wording/${segment('sign_in.forgot')}`);
    const path = `/admin/t/acme/wording/${segment('sign_in.forgot')}`;
    expect((await send(`${path}/edit`, { en: 'Lost it?', de: 'Weg?' })).text).toContain('Lost it?');
    expect((await tenantNow()).people.messages).toEqual({ en: { 'sign_in.forgot': 'Lost it?' }, de: { 'sign_in.forgot': 'Weg?' } });
    expect((await someone(fixture).open(`${new URL(issuer(fixture, acme)).pathname}/account`)).text).toContain('Lost it?');
    const faulty = await send(`/admin/t/acme/wording/${segment('to_continue')}/edit`, { fr: 'sans' });
    expect([faulty.status, faulty.text.includes('{client}')]).toEqual([400, true]);
    await send('/admin/t/acme/wording/new', { scope: 'orders:read', en: 'See your orders' });
    expect((await person.open('/admin/t/acme/wording?own=own')).text).toContain('See your orders');
    await send(`${path}/reset`);
    expect((await tenantNow()).people.messages).toEqual({ en: { 'scope:orders:read': 'See your orders' } });
  });
});

describe('a user, from their making to their end', () => {
  let id: string;

  test('made with a temporary password: shown once, good for one sign-in', async () => {
    const page = await send('/admin/t/default/users/new', { username: 'zoe', name: 'Zoë', email: 'zoe@example.com', attributes: 'department=Support\nlevel=3\ntags=["a","b"]' });
    const password = /[a-z2-9]{5}(?:-[a-z2-9]{5}){3}/.exec(page.text)?.[0] ?? '';
    expect([page.status, page.text.includes('only time it is shown'), password.length]).toEqual([200, true, 23]);
    const user = await store().findUserByName((await defaultTenant(fixture)).id, 'zoe');
    id = user?.id ?? '';
    expect(user).toMatchObject({ name: 'Zoë', emailVerified: false, attributes: { department: 'Support', level: 3, tags: ['a', 'b'] } });
    expect((await person.open(`/admin/t/default/users/${id}`)).html.includes(password)).toBe(false);
    const tab = someone(fixture);
    await tab.open('/account');
    expect((await signIn(tab, 'zoe', password)).text).toContain('new password');
    expect(await newestEvent(fixture, 'user_created')).toMatchObject({ actor: operator.id, subject: id });
  });

  test('refused: what was typed stays', async () => {
    for (const [fields, said] of [[{ username: 'Zoe' }, 'already'], [{ username: 'x', email: 'nonsense' }, 'email cannot be used'], [{ username: 'x', attributes: 'nonsense' }, 'NAME=VALUE'], [{ username: 'x', attributes: 'email=a@b.c' }, 'no attribute'], [{ username: 'x', attributes: 'a=[1]' }, 'texts only'], [{ username: '' }, 'is missing']] as const) {
      const page = await send('/admin/t/default/users/new', fields);
      expect([JSON.stringify(fields), page.status, page.text.includes(said), page.html.includes('aria-invalid="true"')]).toEqual([JSON.stringify(fields), 400, true, true]);
    }
  });

  test('changed; another address is not verified with it', async () => {
    const path = `/admin/t/default/users/${id}/edit`;
    await send(path, { emailVerified: 'yes' });
    const page = await send(path, { email: 'zoe2@example.com', name: '', attributes: 'department=Sales' });
    expect(page.text).toContain('counts as not verified');
    expect(await store().findUser((await defaultTenant(fixture)).id, id)).toMatchObject({ email: 'zoe2@example.com', emailVerified: false, name: null, attributes: { department: 'Sales' } });
  });

  test('a new password, factors, sessions, tokens; out and in again; gone', async () => {
    const home = await defaultTenant(fixture);
    const path = `/admin/t/default/users/${id}`;
    const page = await send(`${path}/set-password`);
    expect([/[a-z2-9]{5}(?:-[a-z2-9]{5}){3}/.test(page.text), (await store().findPassword(home.id, id))?.mustChange]).toEqual([true, true]);
    const user = (await store().findUser(home.id, id))!;
    const { person: zoe } = await withSession(fixture, home, user);
    expect((await send(`${path}/sign-out`)).text).toContain('session ended.');
    expect(landed(await zoe.open('/account'))).not.toBe('/account');
    for (const [action, said, event] of [['reset-factors', 'has no passkeys', 'factors_reset'], ['disable', 'is disabled', 'user_disabled'], ['enable', 'is enabled', 'user_enabled'], ['revoke-tokens', 'is void', 'user_tokens_revoked'], ['delete', 'was deleted', 'user_deleted']] as const) {
      const acted = await send(`${path}/${action}`);
      expect([action, acted.text.includes(said), await newestEvent(fixture, event)]).toMatchObject([action, true, { actor: operator.id, subject: id }]);
    }
    expect((await person.open(path)).status).toBe(404);
  });

  test('nobody takes over an administrator who may do more', async () => {
    const { person: clerk } = await makeOperator(fixture, { scopes: ['admin:users', 'admin:tokens'] });
    const path = `/admin/t/default/users/${operator.id}`;
    const home = await defaultTenant(fixture);
    const before = await store().findPassword(home.id, operator.id);
    for (const action of ['set-password', 'reset-factors', 'disable', 'delete']) {
      const page = await sendAs(clerk, `${path}/${action}`);
      expect([action, page.status, page.text.includes('may do more than you')]).toEqual([action, 400, true]);
    }
    expect((await sendAs(clerk, `${path}/edit`, { email: 'mine@example.com', emailVerified: 'yes' })).status).toBe(400);
    expect([await store().findPassword(home.id, operator.id), (await store().findUser(home.id, operator.id))?.disabledAtMs]).toEqual([before, null]);
  });
});

describe('organizations, roles and resources', () => {
  test('a role: made, changed, deleted', async () => {
    await send('/admin/t/acme/roles/new', { role: 'editor', permissions: 'posts:read\nposts:write' });
    expect((await store().listRoles(acme.id))[0]).toMatchObject({ name: 'editor', permissions: ['posts:read', 'posts:write'] });
    expect((await send('/admin/t/acme/roles/new', { role: 'editor' })).status).toBe(400);
    await send('/admin/t/acme/roles/editor/edit', { permissions: 'posts:read' });
    expect((await store().listRoles(acme.id))[0]?.permissions).toEqual(['posts:read']);
  });

  test('an organization: members come with roles, change and go; addresses are invited', async () => {
    const ada = await makeUser(fixture, acme, 'ada');
    const page = await send('/admin/t/acme/organizations/new', { orgId: 'north', name: 'North' });
    expect(landed(page)).toBe('/admin/t/acme/organizations/north');
    const base = '/admin/t/acme/organizations/north';
    const roles = async () => (await store().listMemberships(acme.id, { userId: ada.id })).map((one) => one.roles);
    expect((await send(`${base}/set-member`, { user: 'ada', roles: 'editor' })).text).toContain('ada is a member, with editor.');
    expect(await roles()).toEqual([['editor']]);
    const change = await person.open(`${base}/set-member?user=ada&roles=editor`);
    expect([change.html.includes('value="ada"'), /value="editor" checked/.test(change.html)]).toEqual([true, true]);
    expect((await send(`${base}/set-member`, { user: 'ada' })).text).toContain('without roles');
    const nobody = await send(`${base}/set-member`, { user: 'nobody' });
    expect([nobody.status, /id="f-user-fault"/.test(nobody.html)]).toEqual([400, true]);
    expect((await send(`${base}/invite`, { email: 'new@example.com', roles: 'editor' })).text).toContain('An invitation goes to new@example.com.');
    expect((await store().listInvitations(acme.id, 'north', Date.now())).map(({ email, invitedBy }) => [email, invitedBy])).toEqual([['new@example.com', operator.id]]);
    expect((await person.open(base)).text).toContain('new@example.com');
    await send(`${base}/revoke-invitation`, { address: 'new@example.com' });
    expect(await store().listInvitations(acme.id, 'north', Date.now())).toEqual([]);
    await send(`${base}/remove-member`, { user: 'ada' });
    expect(await roles()).toEqual([]);
    expect((await send(`${base}/edit`, { name: 'The North' })).text).toContain('The North');
    expect((await send(`${base}/delete`)).text).toContain('The North was deleted.');
    expect((await send('/admin/t/acme/roles/editor/delete')).text).toContain('The role editor was deleted.');
  });

  test('a resource: its owner is a confidential client of the tenant', async () => {
    await makeClient(fixture, acme, 'api', { name: 'API' });
    const uri = 'https://api.example.com/orders';
    expect((await person.open('/admin/t/acme/resources/new')).html).toContain('<option value="api">API</option>');
    const page = await send('/admin/t/acme/resources/new', { uri, owner: 'api', scopes: 'orders:read orders:write' });
    expect([landed(page), await store().findResource(acme.id, uri)]).toMatchObject([`/admin/t/acme/resources/${segment(uri)}`, { ownerClientId: 'api', scopes: ['orders:read', 'orders:write'] }]);
    const wrong = await send('/admin/t/acme/resources/new', { uri: 'https://x.example', owner: 'nobody' });
    expect([wrong.status, /id="f-owner-fault"/.test(wrong.html)]).toEqual([400, true]);
    await send(`/admin/t/acme/resources/${segment(uri)}/edit`, { owner: '', tokenFormat: 'opaque' });
    expect(await store().findResource(acme.id, uri)).toMatchObject({ ownerClientId: null, tokenFormat: 'opaque' });
    await send(`/admin/t/acme/resources/${segment(uri)}/delete`);
    expect(await store().findResource(acme.id, uri)).toBeNull();
  });
});

for (const at of ['/admin/t/acme', '/admin'] as const) {
  describe(`webhooks at ${at}/webhooks`, () => {
    const owner = () => (at === '/admin' ? null : acme.id);
    const mine = async () => (await store().listWebhooks(owner()))[0];

    test('made, with a secret that is shown once; changed; rotated; tested; told again; gone', async () => {
      const made = await send(`${at}/webhooks/new`, { name: 'Hook', url: 'https://hooks.example.com/in', events: 'user_created' });
      expect([/whsec_[A-Za-z0-9+/=]{32,}/.test(made.text), (await mine())?.events]).toEqual([true, ['user_created']]);
      const path = `${at}/webhooks/${(await mine())?.id ?? ''}`;
      expect((await person.open(path)).html).not.toContain('whsec_');
      expect((await send(`${path}/edit`, { name: 'Renamed' })).text).toContain('Saved.');
      expect(await mine()).toMatchObject({ name: 'Renamed', events: ['user_created'] });
      expect((await send(`${path}/edit`, { url: 'http://10.0.0.1/' })).status).toBe(400);
      expect((await send(`${path}/rotate-secret`, { overlap: '60' })).text).toMatch(/whsec_/);
      expect((await mine())?.secrets.length).toBe(2);
      const tested = await send(`${path}/test`);
      expect([tested.status, /test was sent|on its way/i.test(tested.text), (await newestEvent(fixture, 'webhook_tested'))?.['subject']]).toEqual([200, true, (await mine())?.id]);
      await until('the test is among the deliveries', async () => (await person.open(path)).text.includes('Webhook tested'));
      for (const fields of [{}, { event: 'evt_1', since: '2026-01-01' }, { event: 'nonsense' }, { since: 'yesterday' }, { event: 'evt_99999999' }]) expect([fields, (await send(`${path}/replay`, fields)).status]).toEqual([fields, 400]);
      const number = (await store().pageAudit({ after: null, limit: 1 }, { types: ['webhook_tested'] })).items[0]?.number ?? 0;
      const again = await send(`${path}/replay`, { event: `evt_${number}` });
      expect([again.status, again.text.includes('told again')]).toEqual([200, true]);
      expect((await send(`${path}/disable`)).text).toContain('is disabled');
      expect(landed(await person.open(`${path}/test`))).toBe(path);
      expect((await send(`${path}/enable`)).text).toContain('is enabled');
      expect((await send(`${path}/delete`)).text).toContain('Renamed was deleted.');
      expect(await mine()).toBeUndefined();
    }, 30_000);
  });
}

test('SS-07 who is bound to a tenant is not told how a connection failed', async () => {
  const { person: own } = await makeOperator(fixture, { tenant: acme });
  await sendAs(own, '/admin/t/acme/webhooks/new', { name: 'Looking around', url: 'https://nowhere.example.com/in' });
  const path = `/admin/t/acme/webhooks/${(await store().listWebhooks(acme.id))[0]?.id ?? ''}`;
  await sendAs(own, `${path}/test`);
  await until('it was tried', async () => (await own.open(path)).text.includes('no answer'));
  const [theirs, whole] = [(await own.open(path)).text, (await person.open(path)).text];
  expect([/\d ms|unresolved/.test(theirs), /\d ms/.test(whole), /unresolved/.test(whole)]).toEqual([false, true, true]);
}, 30_000);

describe('API keys', () => {
  const callWith = (key: string, path: string) => request(`${fixture.server.url}/admin/v1${path}`, { headers: { Authorization: `Bearer ${key}` } });
  const keyIn = (page: PersonPage): string => /assay_[A-Za-z0-9_-]{30,}/.exec(page.text)?.[0] ?? '';

  test('CR-04 made of parts: shown once, does what it may and no more, and stops when revoked', async () => {
    const page = await send('/admin/api-keys/new', { name: 'Deployment', kind: 'parts', scopes: 'admin:users:read', tenant: 'acme' });
    const key = keyIn(page);
    expect([page.text.includes('only time it is shown'), (await callWith(key, '/tenants/acme/users')).status, (await callWith(key, '/tenants/acme/clients')).status]).toEqual([true, 200, 403]);
    const [made] = await store().listApiKeys();
    expect(made).toMatchObject({ name: 'Deployment', scopes: ['admin:users:read'], tenantId: acme.id, createdBy: operator.id });
    const shown = await person.open(`/admin/api-keys/${segment(made?.id ?? '')}`);
    expect([shown.html.includes(key), shown.text.includes('Users: look')]).toEqual([false, true]);
    expect((await send(`/admin/api-keys/${segment(made?.id ?? '')}/revoke`)).text).toContain('Deployment is revoked.');
    expect((await callWith(key, '/tenants/acme/users')).status).toBe(401);
  });

  test('everything, or looking at everything; not both at once with parts beyond', async () => {
    expect(keyIn(await send('/admin/api-keys/new', { name: 'Reader', kind: 'admin:read', ttl: 'never' }))).not.toBe('');
    expect((await store().listApiKeys())[0]).toMatchObject({ scopes: ['admin:read'], tenantId: null, expiresAtMs: null });
    for (const fields of [{ kind: 'admin:read', scopes: 'admin:users' }, { kind: 'parts' }, { kind: 'admin', tenant: 'nowhere' }]) {
      const page = await send('/admin/api-keys/new', { name: 'x', ...fields });
      expect([fields, page.status, page.html.includes('-fault"')]).toEqual([fields, 400, true]);
    }
  });

  test('MTN-06 nobody gives more than they have: neither scopes nor tenants', async () => {
    const { person: limited } = await makeOperator(fixture, { scopes: ['admin:access', 'admin:users'], tenant: acme });
    const page = await limited.open('/admin/api-keys/new');
    expect([page.html.includes('value="admin:clients"'), page.html.includes('value="admin:users"'), page.html.includes('value="admin"'), page.html.includes('value="default"')]).toEqual([false, true, false, false]);
    const count = (await store().listApiKeys()).length;
    for (const fields of [{ kind: 'admin' }, { kind: 'parts', scopes: 'admin:clients' }, { kind: 'parts', scopes: 'admin:users', tenant: 'default' }]) {
      const csrf = (await limited.open('/admin/api-keys/new')).forms.at(-1)?.fields['csrf'] ?? '';
      const refused = await limited.post('/admin/api-keys/new', { csrf, name: 'x', ttl: 'never', ...fields });
      expect([fields, refused.status]).toEqual([fields, 400]);
    }
    expect((await store().listApiKeys()).length).toBe(count);
    await sendAs(limited, '/admin/api-keys/new', { name: 'Ours', kind: 'parts', scopes: 'admin:users' });
    expect((await store().listApiKeys())[0]).toMatchObject({ name: 'Ours', tenantId: acme.id });
    const list = await limited.open('/admin/api-keys');
    expect([list.text.includes('Ours'), list.text.includes('Reader')]).toEqual([true, false]);
  });
});

describe('administrators', () => {
  test('invited by a link that is shown once; made of a user; changed; removed', async () => {
    const page = await send('/admin/administrators/do/invite', { kind: 'parts', scopes: 'admin:audit:read' });
    const link = /https?:\/\/[^\s"]+\/admin\/setup\/[A-Za-z0-9_-]{43}/.exec(page.text)?.[0] ?? '';
    expect((await someone(fixture).open(new URL(link).pathname)).text).toContain('Set up your account');
    const home = await defaultTenant(fixture);
    const clerk = await makePerson(fixture, home, 'clerk');
    await send('/admin/administrators/new', { user: 'clerk', kind: 'parts', scopes: 'admin:clients' });
    expect(await store().findAdministrator(clerk.id)).toMatchObject({ scopes: ['admin:clients'], tenantId: null });
    expect((await send('/admin/administrators/new', { user: 'clerk', kind: 'admin' })).text).toContain('already');
    expect((await send('/admin/administrators/new', { user: 'nobody', kind: 'admin' })).status).toBe(400);
    await send(`/admin/administrators/${clerk.id}/edit`, { kind: 'admin:read', scopes: '', tenant: 'acme' });
    expect(await store().findAdministrator(clerk.id)).toMatchObject({ scopes: ['admin:read'], tenantId: acme.id });
    expect((await send(`/admin/administrators/${clerk.id}/remove`)).text).toContain('clerk is no administrator any more.');
    expect(await store().findAdministrator(clerk.id)).toBeNull();
  });

  test('the last one who may do everything stays', async () => {
    for (const { userId, scopes } of await store().listAdministrators()) if (userId !== operator.id && scopes.includes('admin')) must(await putAdministrator(fixture.application.ctx, everything, userId, { scopes: ['admin:read'], tenant: null }));
    const removed = await send(`/admin/administrators/${operator.id}/remove`);
    expect([removed.status, removed.text.includes('last administrator')]).toEqual([400, true]);
    const lowered = await send(`/admin/administrators/${operator.id}/edit`, { kind: 'admin:read' });
    expect([lowered.status, (await store().findAdministrator(operator.id))?.scopes]).toEqual([400, ['admin']]);
  });

  test('who has a part hands on no more, nor touches who has more', async () => {
    const { person: part } = await makeOperator(fixture, { scopes: ['admin:access', 'admin:users:read'] });
    const csrf = (await part.open('/admin/administrators/do/invite')).forms.at(-1)?.fields['csrf'] ?? '';
    for (const [path, fields] of [['/admin/administrators/do/invite', { kind: 'admin' }], [`/admin/administrators/${operator.id}/remove`, {}]] as const) {
      const page = await part.post(path, { csrf, ...fields });
      expect([path, page.status]).toEqual([path, 400]);
    }
    expect((await store().findAdministrator(operator.id))?.scopes).toEqual(['admin']);
  });
});

test('LG-01 the server\'s settings: what was said, by whom, and never a secret', async () => {
  const page = await person.open('/admin/settings');
  expect([page.text.includes('refresh_grace'), page.text.includes('--data'), page.text.includes('default')]).toEqual([true, true, true]);
  const said = await person.open('/admin/settings?by=operator');
  expect([said.text.includes('refresh_grace'), said.text.includes('--data')]).toEqual([false, true]);
});

test('every event can be ticked for a webhook, once', async () => {
  const page = await person.open('/admin/t/acme/webhooks/new');
  const offered = [...page.html.matchAll(/name="events" value="([a-z_0-9]+)"/g)].map(([, type]) => type);
  expect([offered.length, auditTypes.filter((type) => !offered.includes(type))]).toEqual([auditTypes.length, []]);
});
