/** What the admin API does about people beyond what its document can say. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { changePassword } from '../../src/service/credentials/password.ts';
import { everything, putAdministrator } from '../../src/service/manage-access.ts';
import { AdminStage, makeKey } from '../helpers/admin.ts';
import { defaultTenant, introspect, makeClient, makeUser, must } from '../helpers/fixture.ts';
import { listAudit } from '../helpers/trail.ts';

let stage: AdminStage;
const acme = { parts: { tenant: 'acme' } } as const;
const PASSWORD = 'glass tunnel orchard 9';

beforeAll(async () => {
  stage = await AdminStage.start();
});
afterAll(() => stage.close());

async function newUser(more: object = {}): Promise<string> {
  return (await stage.made('createUser', { ...acme, body: { username: stage.fresh('someone'), ...more } })).id;
}

describe('lists', () => {
  test('TX-03 users come in parts, each once, and are searched by beginnings', async () => {
    const name = stage.fresh('zed');
    const ids: string[] = [];
    for (const letter of ['a', 'b', 'c', 'd', 'e']) ids.push(await newUser({ username: `${name}_${letter}` }));
    await stage.made('disableUser', { parts: { tenant: 'acme', user: ids[2] ?? '' } });
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { items: { id: string }[]; next: string | null } = await stage.made('listUsers', { ...acme, query: { search: name.toUpperCase(), limit: '2', ...(after !== null && { after }) } });
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual(ids);
    expect((await stage.made('listUsers', { ...acme, query: { search: name, enabled: 'false' } })).items).toMatchObject([{ id: ids[2] }]);
    expect((await stage.made('listUsers', { ...acme, query: { search: `${name}%` } })).items).toEqual([]);
    expect((await stage.call('listUsers', { ...acme, query: { enabled: 'maybe' } })).status).toBe(400);
  });

  test('who is named in a filter must be there', async () => {
    for (const id of ['listSessions', 'listGrants', 'listTokens']) {
      expect((await stage.call(id, { ...acme, query: { user: 'nobody-of-that-name' } })).json).toMatchObject({ status: 404, error: 'not_found' });
    }
  });

  test('INT-92 what a cutoff ended is in no list', async () => {
    const { client_id: client } = await stage.made('createClient', { ...acme, body: { client_id: stage.fresh('cut'), grants: ['authorization_code', 'refresh_token'], scope: 'openid', token_format: 'opaque', redirect_uris: ['https://a.example/cb'] } });
    const user = await newUser();
    await stage.made('issueToken', { ...acme, body: { client, user } });
    const count = async (): Promise<readonly number[]> => Promise.all(['listGrants', 'listTokens'].map(async (id) => (await stage.made(id, { ...acme, query: { user } })).items.length));
    expect(await count()).toEqual([1, 1]);
    await stage.made('revokeUserTokens', { parts: { tenant: 'acme', user } });
    expect(await count()).toEqual([0, 0]);
  });
});

describe('RFC 9110 §13.1.1 If-Match', () => {
  test('a change of what was not seen is refused', async () => {
    const user = await newUser();
    const parts = { tenant: 'acme', user };
    const { headers } = await stage.call('getUser', { parts });
    const etag = headers.get('etag') ?? '';
    const change = (name: string) => stage.call('updateUser', { parts, body: { name }, headers: { 'If-Match': etag } });
    const [first, second] = [await change('First'), await change('Second')];
    expect([first.status, second.status, second.json.error]).toEqual([200, 412, 'outdated']);
    expect(first.headers.get('etag')).toBe((await stage.call('getUser', { parts })).headers.get('etag'));
    expect((await stage.call('deleteUser', { parts, headers: { 'If-Match': etag } })).status).toBe(412);
    expect((await stage.call('deleteUser', { parts, headers: { 'If-Match': first.headers.get('etag') ?? '' } })).status).toBe(204);
  });

  test('of two who change a role or a name at once from the same, one does', async () => {
    const { role } = await stage.made('createRole', { ...acme, body: { role: stage.fresh('race') } });
    const { org_id: org } = await stage.made('createOrganization', { ...acme, body: { name: 'Race' } });
    const races: readonly [read: string, write: string, parts: Readonly<Record<string, string>>, body: (number: number) => object][] = [
      ['getRole', 'updateRole', { tenant: 'acme', role }, (number) => ({ permissions: [`p${number}`] })],
      ['getOrganization', 'updateOrganization', { tenant: 'acme', org }, (number) => ({ name: `Name ${number}` })],
    ];
    for (const [read, write, parts, body] of races) {
      const etag = (await stage.call(read, { parts })).headers.get('etag') ?? '';
      const statuses = await Promise.all([1, 2, 3, 4].map(async (number) => (await stage.call(write, { parts, body: body(number), headers: { 'If-Match': etag } })).status));
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412]);
    }
  });

  test('somebody new is no member that was seen', async () => {
    const { org_id: org } = await stage.made('createOrganization', { ...acme, body: { name: 'New' } });
    const parts = { tenant: 'acme', org, user: await newUser() };
    expect((await stage.call('putMember', { parts, body: { roles: [] }, headers: { 'If-Match': '"abc"' } })).status).toBe(412);
    const { headers } = await stage.call('putMember', { parts, body: { roles: [] } });
    expect((await stage.call('putMember', { parts, body: { roles: [] }, headers: { 'If-Match': headers.get('etag') ?? '' } })).status).toBe(200);
  });
});

describe('refusals', () => {
  test('name the wrong member, and never what was sent or a command', async () => {
    const user = await newUser();
    const cases: readonly [id: string, request: Parameters<AdminStage['call']>[1], status: number, pointer: string | null][] = [
      ['createUser', { ...acme, body: { username: 'x', email: 'no address' } }, 400, '/email'],
      ['createUser', { ...acme, body: { username: 'x', attributes: { email: 'x' } } }, 400, '/attributes'],
      ['createUser', { ...acme, body: { username: 'x', password: { value: 'short' } } }, 400, '/password'],
      ['createUser', { ...acme, body: { id: user, username: stage.fresh('x') } }, 409, '/id'],
      ['createOrganization', { ...acme, body: { org_id: 'a b', name: 'x' } }, 400, '/org_id'],
      ['createRole', { ...acme, body: { role: 'a b' } }, 400, '/role'],
      ['createRole', { ...acme, body: { role: 'ab', permissions: ['a b'] } }, 400, '/permissions'],
      ['issueToken', { ...acme, body: { client: 'nothing' } }, 404, null],
      ['revokeToken', { ...acme, body: { token: 'secret-text' } }, 404, '/token'],
      ['getUser', { parts: { tenant: 'acme', user: 'nobody' } }, 404, null],
    ];
    for (const [id, request, status, pointer] of cases) {
      const answer = await stage.call(id, request);
      expect([id, answer.status]).toEqual([id, status]);
      if (pointer !== null) expect([id, answer.json.errors]).toMatchObject([id, [{ pointer }]]);
      expect(answer.text).not.toMatch(/assay |--[a-z]|secret-text/);
    }
  });

  test('a user with a password that will not do is not created', async () => {
    const username = stage.fresh('never');
    expect((await stage.call('createUser', { ...acme, body: { username, password: { value: 'password1234' } } })).status).toBe(400);
    expect((await stage.call('getUser', { parts: { tenant: 'acme', user: username } })).status).toBe(404);
  });
});

describe('nobody hands on more than they have', () => {
  test('an administrator\'s account is changed only by who may do as much', async () => {
    const home = await defaultTenant(stage.fixture);
    const chief = await makeUser(stage.fixture, home, stage.fresh('chief'));
    const { ctx } = stage.fixture.application;
    must(await putAdministrator(ctx, everything, chief.id, { scopes: ['admin'], tenant: null }));
    expect((await changePassword(ctx, { tenant: home, from: { ip: null, requestId: null }, locale: null, device: null }, chief, PASSWORD, { proofId: null, notice: null })).ok).toBe(true);
    const parts = { tenant: 'default', user: chief.id };
    const little = await makeKey(stage.fixture, 'admin:users');
    const homely = await makeKey(stage.fixture, 'admin', home);
    for (const key of [little, homely]) {
      for (const [id, body] of [['setUserPassword', { value: 'another horse battery' }], ['updateUser', { email: 'mine@example.com', email_verified: true }], ['resetUserFactors', undefined], ['disableUser', undefined], ['deleteUser', undefined]] as const) {
        const answer = await stage.call(id, { parts, key, ...(body !== undefined && { body }) });
        expect([id, answer.status, answer.json?.error]).toEqual([id, 403, 'forbidden']);
      }
      expect((await stage.call('getUser', { parts, key })).status).toBe(200);
    }
    expect((await stage.call('resetUserFactors', { parts })).status).toBe(200);
  });

  test('a token that may operate is issued only by who may do as much', async () => {
    const home = await defaultTenant(stage.fixture);
    const { id: client } = await makeClient(stage.fixture, home, stage.fresh('operator'), { scopes: ['admin', 'admin:users:read', 'other'] });
    const issue = async (key: string, scope?: string) => (await stage.call('issueToken', { parts: { tenant: 'default' }, key, body: { client, ...(scope !== undefined && { scope }) } })).status;
    const [little, both, homely] = [await makeKey(stage.fixture, 'admin:tokens'), await makeKey(stage.fixture, 'admin:tokens admin:users'), await makeKey(stage.fixture, 'admin', home)];
    expect([await issue(little), await issue(little, 'admin:users:read'), await issue(little, 'other')]).toEqual([403, 403, 201]);
    expect([await issue(both, 'admin:users:read'), await issue(both, 'admin')]).toEqual([201, 403]);
    expect([await issue(homely, 'admin:users:read'), await issue(homely, 'other'), await issue(stage.key)]).toEqual([403, 201, 201]);
  });
});

describe('acts', () => {
  test('INT-92, LG-05 revoking a grant, a session or a user\'s tokens ends them, and the trail says who did', async () => {
    const caller = await makeClient(stage.fixture, stage.acme, stage.fresh('rs'), { introspect: 'tenant' });
    const { client_id: client } = await stage.made('createClient', { ...acme, body: { client_id: stage.fresh('ends'), grants: ['authorization_code', 'refresh_token'], scope: 'openid', redirect_uris: ['https://a.example/cb'] } });
    const ends: readonly [id: string, parts: (of: Readonly<Record<string, string>>) => Readonly<Record<string, string>>][] = [
      ['revokeGrant', ({ grant = '' }) => ({ tenant: 'acme', grant })],
      ['endSession', ({ session = '' }) => ({ tenant: 'acme', session })],
      ['revokeUserTokens', ({ user = '' }) => ({ tenant: 'acme', user })],
    ];
    for (const [id, parts] of ends) {
      const user = await newUser();
      const { access_token: token } = await stage.made('issueToken', { ...acme, body: { client, user } });
      const { grant_id: grant, sid: session } = await stage.made('inspectToken', { ...acme, body: { token } });
      expect(await introspect(stage.fixture, stage.acme, caller, token)).toMatchObject({ active: true });
      expect((await stage.call(id, { parts: parts({ grant, session, user }) })).status).toBeLessThan(300);
      expect([id, await introspect(stage.fixture, stage.acme, caller, token)]).toEqual([id, { active: false }]);
      const [event] = await listAudit(stage.fixture.application.ctx.store, { tenant: 'acme', limit: 1 });
      expect(event).toMatchObject({ subject: user, actor: expect.stringMatching(/^key:/), ip: '127.0.0.1' });
      expect(event?.requestId).not.toBeNull();
    }
  });

  test('LG-01 a token that is looked at is in no log and no event', async () => {
    const { client_id: client } = await stage.made('createClient', { ...acme, body: { client_id: stage.fresh('seen'), scope: 'a' } });
    const { access_token: token } = await stage.made('issueToken', { ...acme, body: { client } });
    for (const id of ['inspectToken', 'explainToken', 'revokeToken']) await stage.call(id, { ...acme, body: { token, ...(id === 'explainToken' && { as: client }) } });
    expect((await stage.made('inspectToken', { ...acme, body: { token } }))).toMatchObject({ active: false, reason: 'revoked' });
    expect(JSON.stringify(await listAudit(stage.fixture.application.ctx.store, { limit: 200 }))).not.toContain(token.slice(-20));
    expect(stage.fixture.server.logs()).not.toContain(token.slice(-20));
  });

  test('an issued token is sealed where it is kept for who asks twice', async () => {
    const { client_id: client } = await stage.made('createClient', { ...acme, body: { client_id: stage.fresh('twice'), scope: 'a' } });
    const ask = () => stage.call('issueToken', { ...acme, body: { client }, headers: { 'Idempotency-Key': 'once' } });
    const [first, second] = [await ask(), await ask()];
    expect([second.status, second.text, second.headers.get('idempotency-replayed')]).toEqual([201, first.text, 'true']);
  });
});
