/** The frame of the admin API: callers, problems, conditions, keys of creations, lists, paths (HT-04, HT-12, LG-04, MTN-06, TX-08, CR-05). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { putAdministrator, everything } from '../../src/service/manage-access.ts';
import { updateResource } from '../../src/service/manage-resources.ts';
import { AdminStage, makeKey } from '../helpers/admin.ts';
import { defaultTenant, issue, makeClient, makeTenant, makeUser, must, rawPost, send, until } from '../helpers/fixture.ts';
import { startServer } from '../helpers/server.ts';
import { listAudit } from '../helpers/trail.ts';

let stage: AdminStage;
beforeAll(async () => {
  stage = await AdminStage.start({ env: { ASSAY_REFRESH_GRACE: '7', ASSAY_SMTP_URL: 'smtp://mailer:hush-hush@127.0.0.1:2525' } });
});
afterAll(() => stage.close());

const acme = { parts: { tenant: 'acme' } } as const;
const context = () => stage.fixture.application.ctx;
const events = async (type: string) => listAudit(context().store, { type, limit: 1_000 });

describe('who calls', () => {
  test('UI-28, CR-05 a key is what it says, until it expires or is revoked; its use is noted', async () => {
    const made = await stage.made('createApiKey', { body: { name: 'short', scope: 'admin:read', ttl: 1 } });
    expect(await stage.made('whoami', { key: made.key })).toEqual({ kind: 'api_key', id: made.id, actor: `key:${made.id}`, scope: 'admin:read', tenant: null });
    const { items } = await stage.made('listApiKeys');
    expect(items.find(({ id }: { readonly id: string }) => id === made.id)).toMatchObject({ created_by: expect.stringMatching(/^key:assay_/), revoked_at: null });
    await until('the key expired', async () => (await stage.call('whoami', { key: made.key })).status === 401);
    const other = await stage.made('createApiKey', { body: { name: 'gone', scope: 'admin:read' } });
    await stage.made('revokeApiKey', { parts: { key: other.id } });
    expect((await stage.call('whoami', { key: other.key })).status).toBe(401);
    // What is refused is written down in groups, a moment later.
    const refused = async () => new Set((await events('access_refused')).map(({ actor, reason }) => `${actor} ${reason}`));
    await until('the refusals are written down', async () => (await refused()).isSupersetOf(new Set([`key:${made.id} key_expired`, `key:${other.id} key_revoked`])));
  });

  test.each([
    ['Basic', 'Basic dTpw', 'error="invalid_token"'], ['doubled', 'Bearer a, Bearer b', 'error="invalid_token"'], ['empty', 'Bearer ', 'error="invalid_token"'], ['no token of ours', 'Bearer abc', 'error="invalid_token"'],
  ] as const)('%s credentials are refused', async (_what, authorization, words) => {
    const answer = await stage.call('whoami', { key: null, headers: { Authorization: authorization } });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining(words)]);
  });

  test('who may operate one tenant is nobody once that tenant is gone', async () => {
    const home = await defaultTenant(stage.fixture);
    const passing = await makeTenant(stage.fixture, stage.fresh('passing'));
    const user = await makeUser(stage.fixture, home, stage.fresh('grace'));
    await makeClient(stage.fixture, home, 'robot-of-grace', { grants: ['client_credentials', 'refresh_token'], scopes: ['admin'] });
    must(await putAdministrator(context(), everything, user.id, { scopes: ['admin'], tenant: passing }));
    const token = (await issue(stage.fixture, home, 'robot-of-grace', { user: user.id, audience: [`${stage.fixture.server.url}/admin/v1`] })).access_token;
    const key = await makeKey(stage.fixture, 'admin', passing);
    const asked = async () => [(await stage.call('searchAudit', { key: token })).status, (await stage.call('searchAudit', { key })).status];
    expect(await asked()).toEqual([200, 200]);
    await stage.made('deleteTenant', { parts: { tenant: passing.slug } });
    expect(await asked()).toEqual([401, 401]);
  });

  test('an access token of the tenant default for the admin API counts with its scopes, of a person only within what they are given', async () => {
    const home = await defaultTenant(stage.fixture);
    const audience = `${stage.fixture.server.url}/admin/v1`;
    expect((await stage.made('getResource', { parts: { tenant: 'default', resource: audience } })).scope).toContain('admin:clients:read');
    await makeClient(stage.fixture, home, 'robot', { grants: ['client_credentials', 'refresh_token'], scopes: ['admin:clients', 'admin:users:read', 'orders'] });
    const own = await issue(stage.fixture, home, 'robot', { audience: [audience] });
    expect(await stage.made('whoami', { key: own.access_token })).toMatchObject({ kind: 'client', id: 'robot', actor: 'robot', scope: 'admin:clients admin:users:read', tenant: null });
    expect((await stage.call('listClients', { ...acme, key: own.access_token })).status).toBe(200);
    expect((await stage.call('listTenants', { key: own.access_token })).status).toBe(403);

    const user = await makeUser(stage.fixture, home, 'ada');
    const hers = (await issue(stage.fixture, home, 'robot', { user: user.id, audience: [audience] })).access_token;
    expect(await stage.made('whoami', { key: hers })).toMatchObject({ kind: 'user', scope: '' });
    must(await putAdministrator(context(), everything, user.id, { scopes: ['admin:clients:read'], tenant: stage.acme }));
    expect(await stage.made('whoami', { key: hers })).toMatchObject({ kind: 'user', id: user.id, scope: 'admin:clients:read', tenant: 'acme' });
    expect([(await stage.call('listClients', { ...acme, key: hers })).status, (await stage.call('listClients', { parts: { tenant: 'default' }, key: hers })).status]).toEqual([200, 404]);
    expect((await stage.call('createClient', { ...acme, body: {}, key: hers })).status).toBe(403);

    const elsewhere = await issue(stage.fixture, home, 'robot', { audience: ['https://api.example.com'] });
    expect((await stage.call('whoami', { key: elsewhere.access_token })).status).toBe(401);
    await makeClient(stage.fixture, stage.acme, 'robot', { scopes: ['admin'] });
    const foreign = await issue(stage.fixture, stage.acme, 'robot', { audience: [audience] });
    expect((await stage.call('whoami', { key: foreign.access_token })).status).toBe(401);
    await stage.made('revokeClientTokens', { parts: { tenant: 'default', client: 'robot' } });
    expect((await stage.call('whoami', { key: own.access_token })).status).toBe(401);
  });

  test('wrong keys are counted by address, and right ones pass all the same (RL-02)', async () => {
    const server = await startServer();
    try {
      const ask = (key: string) => fetch(`${server.url}/admin/v1/whoami`, { headers: { Authorization: `Bearer ${key}` } });
      for (let turn = 0; turn < 100; turn += 1) expect((await ask('wrong')).status).toBe(401);
      const refused = await ask('wrong');
      expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json']);
      expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 61);
    } finally {
      await server.stop();
    }
  }, 20_000);

  test('LG-04 what is done is written down with who did it, and so is what was denied', async () => {
    const key = await stage.made('createApiKey', { body: { name: 'auditor', scope: 'admin:clients' } });
    const id = stage.fresh('audited');
    await stage.call('createClient', { ...acme, body: { client_id: id }, key: key.key, headers: { 'X-Request-Id': 'request-0001' } });
    expect((await events('client_created')).find(({ clientId }) => clientId === id)).toMatchObject({ actor: `key:${key.id}`, tenant: 'acme', requestId: 'request-0001', ip: '127.0.0.1' });
    await stage.call('listTenants', { key: key.key });
    await until('the refusal is written down', async () => (await events('access_refused')).some(({ actor }) => actor === `key:${key.id}`));
    expect((await events('access_refused')).find(({ actor }) => actor === `key:${key.id}`)).toMatchObject({ outcome: 'denied', reason: 'insufficient_scope', subject: 'listTenants' });
  }, 15_000);

  test('LG-04, MTN-06 so is what an act denied, and a look at another tenant, there or not', async () => {
    await makeTenant(stage.fixture, 'hidden');
    const narrow = await stage.made('createApiKey', { body: { name: 'narrow', scope: 'admin:access admin:metrics', tenant: 'acme' } });
    const asked = [
      ['createApiKey', { body: { name: 'x', scope: 'admin:users' } }, 403, 'beyond_own_access', 'request-denied-1'],
      ['getTenant', { parts: { tenant: 'hidden' } }, 403, 'insufficient_scope', 'request-denied-2'],
      ['getMetrics', {}, 403, 'server_only', 'request-denied-3'],
    ] as const;
    for (const [id, request, status, , requestId] of asked) expect((await stage.call(id, { ...request, key: narrow.key, headers: { 'X-Request-Id': requestId } })).status).toBe(status);
    const own = await stage.made('createApiKey', { body: { name: 'own', scope: 'admin', tenant: 'acme' } });
    for (const tenant of ['hidden', 'nowhere']) expect((await stage.call('listClients', { parts: { tenant }, key: own.key, headers: { 'X-Request-Id': `request-at-${tenant}` } })).status).toBe(404);
    const wanted = [
      ...asked.map(([id, , , reason, requestId]) => ({ actor: `key:${narrow.id}`, subject: id, outcome: 'denied', reason, requestId, ip: '127.0.0.1', count: 1 })),
      { actor: `key:${own.id}`, subject: 'listClients', outcome: 'denied', reason: 'other_tenant', requestId: 'request-at-hidden', ip: '127.0.0.1', count: 2 },
    ];
    const written = async () => (await events('access_refused')).filter(({ actor }) => actor === `key:${narrow.id}` || actor === `key:${own.id}`);
    await until('the refusals are written down', async () => (await written()).reduce((sum, { count }) => sum + count, 0) === 5);
    expect((await written()).toSorted((a, b) => (a.requestId ?? '').localeCompare(b.requestId ?? ''))).toEqual(wanted.toSorted((a, b) => a.requestId.localeCompare(b.requestId)).map((event) => expect.objectContaining(event)));
  }, 15_000);

  test('LG-04 and who may not read the metrics', async () => {
    const key = await stage.made('createApiKey', { body: { name: 'no metrics', scope: 'admin:clients' } });
    expect((await send(`${stage.fixture.server.url}/metrics`, { headers: { Authorization: `Bearer ${key.key}` } })).status).toBe(403);
    await until('the refusal is written down', async () => (await events('access_refused')).some(({ actor, subject, reason }) => actor === `key:${key.id}` && subject === 'metrics' && reason === 'insufficient_scope'));
  });

  test('warnings speak of things, not of commands', async () => {
    const id = stage.fresh('lonely');
    const made = await stage.made('createClient', { ...acme, body: { client_id: id, grants: ['authorization_code'] } });
    expect(made.warnings).toEqual([`${id} has no redirect URI, so nobody can sign in there yet`]);
    expect(await stage.made('updateClient', { parts: { tenant: 'acme', client: id }, body: { public: true } })).toMatchObject({ public: true });
    const secretless = await stage.made('updateClient', { parts: { tenant: 'acme', client: id }, body: { public: false } });
    expect(secretless.warnings).toEqual([`${id} is confidential now, and has no secret yet`]);
  });
});

describe('nobody hands on more than they have', () => {
  test.each([
    ['more scopes', 'admin:access admin:clients', null, { scope: 'admin:users' }], ['everything', 'admin:access', null, { scope: 'admin' }], ['another tenant', 'admin', 'acme', { scope: 'admin', tenant: 'default' }], ['all tenants', 'admin', 'acme', { scope: 'admin', tenant: null }],
  ] as const)('%s', async (_what, scope, tenant, body) => {
    const key = await makeKey(stage.fixture, scope, tenant === null ? null : stage.acme);
    const answer = await stage.call('createApiKey', { key, body: { name: 'x', ...body } });
    expect(answer.status).toBe(tenant === 'acme' && body.scope === 'admin' && 'tenant' in body && body.tenant === 'default' ? 400 : 403);
    expect(answer.json.errors).toHaveLength(1);
  });

  test('a caller of one tenant makes keys for it, sees its own alone, and takes away no others', async () => {
    const key = await makeKey(stage.fixture, 'admin', stage.acme);
    const made = await stage.made('createApiKey', { key, body: { name: 'mine', scope: 'admin:audit:read' } });
    expect(made.tenant).toBe('acme');
    const seen = (await stage.made('listApiKeys', { key })).items;
    expect(new Set(seen.map(({ tenant }: { readonly tenant: string }) => tenant))).toEqual(new Set(['acme']));
    const whole = await stage.made('createApiKey', { body: { name: 'whole', scope: 'admin' } });
    expect((await stage.call('revokeApiKey', { key, parts: { key: whole.id } })).status).toBe(404);
    const little = await makeKey(stage.fixture, 'admin:access');
    expect((await stage.call('revokeApiKey', { key: little, parts: { key: whole.id } })).status).toBe(403);
    expect((await stage.call('revokeApiKey', { key, parts: { key: made.id } })).status).toBe(204);
  });

  test.each([
    ['of the server, but of clients alone', 'admin:clients', false], ['of everything in the tenant default, and of nothing else', 'admin', true],
  ] as const)('a client of the tenant default that opens this API, for a caller %s', async (_what, scope, isBound) => {
    const home = await defaultTenant(stage.fixture);
    const key = await makeKey(stage.fixture, scope, isBound ? home : null);
    const parts = { tenant: 'default' };
    const operating = stage.fresh('operating');
    const made = await stage.call('createClient', { key, parts, body: { client_id: operating, scope: 'orders admin:users', audience: [`${stage.fixture.server.url}/admin/v1`] } });
    expect([made.status, made.json.errors]).toEqual([403, [{ pointer: '/scope', detail: expect.any(String) }]]);
    await makeClient(stage.fixture, home, operating, { scopes: ['admin'] });
    const one = { key, parts: { ...parts, client: operating } };
    await stage.made('disableClient', { parts: one.parts });
    const statuses = [
      await stage.call('rotateClientSecret', { ...one, body: {} }), await stage.call('updateClient', { ...one, body: { redirect_uris: ['https://evil.example/cb'], first_party: true } }),
      await stage.call('updateClient', { ...one, body: { scope: 'orders' } }), await stage.call('enableClient', one),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 403, 403]);

    const plain = stage.fresh('plain');
    await stage.made('createClient', { key, parts, body: { client_id: plain, scope: 'orders' } });
    expect((await stage.call('updateClient', { key, parts: { ...parts, client: plain }, body: { scope: 'orders admin:read' } })).status).toBe(403);
    // Elsewhere the word means what that tenant wants it to mean; and what a caller may, its clients may.
    const other = await makeKey(stage.fixture, 'admin:clients');
    expect((await stage.call('createClient', { key: other, ...acme, body: { scope: 'admin' } })).status).toBe(201);
    expect((await stage.call('createClient', { key: other, parts, body: { scope: 'admin:clients' } })).status).toBe(201);
  });

  test('the last administrator who may do everything stays', async () => {
    const home = await defaultTenant(stage.fixture);
    const [first, second] = [await makeUser(stage.fixture, home, 'first'), await makeUser(stage.fixture, home, 'second')];
    const put = (user: string, scope: string, more = {}) => stage.call('putAdministrator', { parts: { user }, body: { scope, ...more } });
    expect((await put(first.id, 'admin')).status).toBe(200);
    expect([(await put(first.id, 'admin:read')).status, (await put(first.id, 'admin', { tenant: 'acme' })).status, (await stage.call('removeAdministrator', { parts: { user: 'first' } })).status]).toEqual([409, 409, 409]);
    const locks = [stage.call('disableUser', { parts: { tenant: 'default', user: 'first' } }), stage.call('deleteUser', { parts: { tenant: 'default', user: 'first' } })];
    expect((await Promise.all(locks)).map(({ status }) => status)).toEqual([409, 409]);
    expect((await put('second', 'admin')).status).toBe(200);
    // Who cannot sign in is none to count on.
    await stage.made('disableUser', { parts: { tenant: 'default', user: 'second' } });
    expect((await stage.call('removeAdministrator', { parts: { user: 'first' } })).status).toBe(409);
    await stage.made('enableUser', { parts: { tenant: 'default', user: 'second' } });
    const removals = await Promise.all([first, second].map(({ id }) => stage.call('removeAdministrator', { parts: { user: id } })));
    expect(removals.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409]);
    expect((await put('nobody', 'admin')).status).toBe(404);
  });
});

describe('HT-12 problems', () => {
  test('name the member that is wrong, as JSON calls it', async () => {
    const of = async (id: string, request: Parameters<typeof stage.call>[1]) => {
      const { status, json } = await stage.call(id, request);
      return [status, json.type, json.errors?.map(({ pointer }: { readonly pointer: string }) => pointer)];
    };
    expect(await of('createClient', { ...acme, body: { redirect_uris: ['https://ok.example/cb', 'https://x.example/#f'] } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/redirect_uris/1']]);
    expect(await of('createClient', { ...acme, body: { public: true, pkce: 'optional' } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/pkce']]);
    expect(await of('createClient', { ...acme, body: { client_secret: 'not enough of it' } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/client_secret']]);
    expect(await of('createTenant', { body: { slug: 'acme' } })).toEqual([409, 'urn:assay:problem:already_exists', ['/slug']]);
    expect(await of('updateTenant', { ...acme, body: { passwords: 'off', email_codes: 'off', passkeys: 'off' } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/passwords']]);
    expect(await of('updateTenant', { ...acme, body: { messages: { en: { no_such_text: 'x' } } } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/messages/en']]);
    expect(await of('updateTenant', { ...acme, body: { logo: { data: 'PHA+' } } })).toEqual([400, 'urn:assay:problem:invalid_request', ['/logo/data']]);
    expect(await of('createResource', { ...acme, body: { uri: 'https://a.example', owner: 'nobody' } })).toEqual([404, 'urn:assay:problem:not_found', ['/owner']]);
  });

  test('speak of no command and no flag', async () => {
    const texts = await Promise.all([
      stage.call('getClient', { parts: { tenant: 'acme', client: 'nobody' } }), stage.call('createClient', { ...acme, body: { public: true, grants: ['client_credentials'] } }), stage.call('createTenant', { body: { slug: 'x', layout: 'root' } }),
      stage.call('deleteTenant', { parts: { tenant: 'default' } }), stage.call('getResource', { parts: { tenant: 'acme', resource: 'x' } }), stage.call('updateTenant', { ...acme, body: { name: ' ' } }),
    ]);
    for (const { text, status } of texts) expect([text, status >= 400, /`assay|--[a-z]/.test(text)]).toEqual([text, true, false]);
  });

  test('HT-13, HT-19 unknown paths and methods, HEAD and OPTIONS', async () => {
    const { url } = stage.fixture.server;
    const ask = (method: string, path: string, headers = {}) => send(`${url}/admin/v1${path}`, { method, headers: { Authorization: `Bearer ${stage.key}`, ...headers } });
    for (const path of ['', '/', '/nothing', '/tenants/', '/tenants/acme/clients/a/b/c', '/%74enants']) {
      const { status, headers, body } = await ask('GET', path);
      expect([path, status, headers['content-type'], JSON.parse(body)]).toEqual([path, 404, 'application/problem+json', expect.objectContaining({ error: 'not_found', status: 404 })]);
    }
    const wrong = await ask('DELETE', '/tenants');
    expect([wrong.status, wrong.headers['allow'], wrong.headers['content-type']]).toEqual([405, 'GET, HEAD, POST', 'application/problem+json']);
    const [get, head, options] = [await ask('GET', '/tenants/acme'), await ask('HEAD', '/tenants/acme'), await ask('OPTIONS', '/tenants/acme', { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'GET' })];
    expect([head.status, head.body, head.headers['etag']]).toEqual([200, '', get.headers['etag'] ?? '']);
    expect([options.status, options.headers['allow'], options.headers['access-control-allow-origin']]).toEqual([204, 'GET, HEAD, PATCH, DELETE', undefined]);
    expect(get.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(Object.keys(get.headers).filter((name) => /access-control|powered|server/.test(name))).toEqual([]);
  });

  test('on a tenant\'s hostname there is nothing of it, and nowhere when it is off', async () => {
    const rooted = await makeTenant(stage.fixture, 'rooted', { layout: 'root' });
    for (const [method, path] of [['GET', '/admin/v1/whoami'], ['GET', '/admin/v1/x'], ['OPTIONS', '/admin/v1/tenants'], ['PUT', '/admin/v1/tenants'], ['GET', '/admin/v1/tenants/%20']] as const) {
      const { status, body } = await send(`http://${rooted.host}${path}`, { method, headers: { Authorization: `Bearer ${stage.key}` } });
      expect([path, status, body]).toEqual([path, 404, '{"error":"not_found","error_description":"there is nothing here"}']);
    }
    const server = await startServer({ env: { ASSAY_ADMIN: 'off' } });
    try {
      expect((await fetch(`${server.url}/admin/v1/whoami`)).status).toBe(404);
      expect(await (await fetch(`${server.url}/docs/json`)).text()).not.toContain('"/admin/v1');
    } finally {
      await server.stop();
    }
  });

  test('HT-04 a body that is too large, compressed or of another kind; charset', async () => {
    const of = (headers: Readonly<Record<string, string>>, body = '{}') => stage.call('createClient', { ...acme, body, headers });
    expect([(await of({ 'Content-Type': 'application/x-www-form-urlencoded' })).status, (await of({ 'Content-Type': 'application/json; charset=latin1' })).status, (await of({ 'Content-Encoding': 'gzip' })).status]).toEqual([415, 415, 415]);
    expect((await of({ 'Content-Type': 'Application/JSON; charset="UTF-8"' })).status).toBe(201);
    const raw = await rawPost(stage.fixture, '/admin/v1/tenants/acme/clients', 'x'.repeat(10), [`Authorization: Bearer ${stage.key}`]);
    expect(raw).toStartWith('HTTP/1.1 415');
    expect((await stage.call('disableTenant', { ...acme, body: { a: 1 } })).status).toBe(400);
  });
});

describe('names in paths', () => {
  test.each(['a/b', 'a%2Fb', 'a+b', '%', 'a?b', 'a#b', "' OR 1=1--", 'a;b=c', '..%2f'])('TX-01 a resource %p is found by its name, decoded once', async (name) => {
    const uri = `https://api.example.com/${name.replaceAll('#', '').replaceAll(' ', '')}${stage.fresh('n')}`;
    await stage.made('createResource', { ...acme, body: { uri } });
    expect((await stage.made('getResource', { parts: { tenant: 'acme', resource: uri } })).uri).toBe(uri);
    expect((await stage.call('getResource', { parts: { tenant: 'acme', resource: `${uri}x` } })).status).toBe(404);
    expect((await stage.call('deleteResource', { parts: { tenant: 'acme', resource: uri } })).status).toBe(204);
  });

  test.each(['%', '%2', '%zz', '%ff', '%c3%28'])('%p is no spelling of anything', async (part) => {
    const { status, body } = await send(`${stage.fixture.server.url}/admin/v1/tenants/acme/clients/${part}`, { headers: { Authorization: `Bearer ${stage.key}` } });
    expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_request']);
  });
});

describe('conditions', () => {
  test('an ETag is the document\'s; 304, 412, and what is changed meanwhile', async () => {
    const uri = `https://api.example.com/${stage.fresh('etag')}`;
    const parts = { tenant: 'acme', resource: uri };
    const created = await stage.call('createResource', { ...acme, body: { uri } });
    const etag = created.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
    const again = await stage.call('getResource', { parts, headers: { 'If-None-Match': `"x", W/${etag}` } });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    must(await updateResource(context(), stage.acme, uri, { scopes: ['meanwhile'] }));
    for (const id of ['updateResource', 'deleteResource'] as const) {
      const answer = await stage.call(id, { parts, headers: { 'If-Match': etag }, ...(id === 'updateResource' && { body: { scope: 'mine' } }) });
      expect([id, answer.status, answer.json.error]).toEqual([id, 412, 'outdated']);
    }
    const now = (await stage.call('getResource', { parts })).headers.get('etag') ?? '';
    expect((await stage.call('updateResource', { parts, body: { scope: 'mine' }, headers: { 'If-Match': `W/${now}` } })).status).toBe(412);
    const changed = await stage.call('updateResource', { parts, body: { scope: 'mine' }, headers: { 'If-Match': `"other", ${now}` } });
    expect([changed.status, changed.json.scope, changed.headers.get('etag') === (await stage.call('getResource', { parts })).headers.get('etag')]).toEqual([200, 'mine', true]);
    expect((await stage.call('deleteResource', { parts, headers: { 'If-Match': '*' } })).status).toBe(204);
  });

  test.each([
    ['updateTenant', 'getTenant', async () => ({ tenant: (await stage.made('createTenant', { body: { slug: stage.fresh('c'), alg: 'ES256' } })).slug })], ['updateClient', 'getClient', async () => ({ tenant: 'acme', client: (await stage.made('createClient', { ...acme, body: { public: true } })).client_id })],
  ] as const)('%s honours If-Match, and tells warnings beside the document', async (update, get, make) => {
    const parts = await make();
    const etag = (await stage.call(get, { parts })).headers.get('etag') ?? '';
    const outcomes = await Promise.all(['one', 'two'].map((name) => stage.call(update, { parts, body: { name }, headers: { 'If-Match': etag } })));
    expect(outcomes.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    const warned = await stage.call(update, { parts, body: update === 'updateTenant' ? { layout: 'org' } : { public: false } });
    expect(warned.json.warnings).toHaveLength(1);
    expect(warned.headers.get('etag')).toBe((await stage.call(get, { parts })).headers.get('etag'));
  });
});

describe('Idempotency-Key', () => {
  test('belongs to one caller: a client that is called like an API key is told nothing of what that was answered', async () => {
    const home = await defaultTenant(stage.fixture);
    const { actor } = await stage.made('whoami');
    await makeClient(stage.fixture, home, actor, { scopes: ['admin'] });
    const { access_token: token } = await issue(stage.fixture, home, actor, { audience: [`${stage.fixture.server.url}/admin/v1`] });
    const request = { ...acme, body: { client_id: stage.fresh('replayed') }, headers: { 'Idempotency-Key': stage.fresh('key') } };
    expect((await stage.made('createClient', request)).client_secret).toStartWith('cs_');
    const other = await stage.call('createClient', { ...request, key: token });
    expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([409, null]);
  });

  const create = (body: object, key: string, more = {}) => stage.call('createClient', { ...acme, body, headers: { 'Idempotency-Key': key }, ...more });

  test('the same request is done once, and answered the same, secret and all', async () => {
    const key = stage.fresh('key');
    const all = await Promise.all([create({ name: 'Once' }, key), create({ name: 'Once' }, key)]);
    const done = all.filter(({ status }) => status === 201);
    expect(all.every(({ status, json }) => status === 201 || json.error === 'request_in_progress')).toBe(true);
    const later = await create({ name: 'Once' }, key);
    expect([later.status, later.text, later.headers.get('location'), later.headers.get('idempotency-replayed')]).toEqual([201, done[0]?.text ?? '', done[0]?.headers.get('location') ?? '', 'true']);
    expect(later.json.client_secret).toStartWith('cs_');
    expect((await stage.call('getClient', { parts: { tenant: 'acme', client: later.json.client_id } })).status).toBe(200);
    expect((await stage.made('listClients', { ...acme, query: { search: 'Once' } })).items).toHaveLength(1);
  });

  test('another request is refused; another caller has keys of its own; what was refused may be tried again', async () => {
    const key = stage.fresh('key');
    const id = stage.fresh('twice');
    expect((await create({ client_id: id, grants: ['client_credentials'], public: true }, key)).status).toBe(400);
    expect((await create({ client_id: id }, key)).status).toBe(201);
    expect((await create({ client_id: `${id}x` }, key)).status).toBe(422);
    expect((await stage.call('createClient', { parts: { tenant: 'default' }, body: { client_id: id }, headers: { 'Idempotency-Key': key } })).status).toBe(422);
    const other = await makeKey(stage.fixture);
    expect((await create({ client_id: `${id}y` }, key, { key: other })).status).toBe(201);
    expect((await create({ client_id: id }, 'two words')).status).toBe(400);
  });
});

describe('lists', () => {
  test('TX-08 come in parts, with a cursor and a link; what is no cursor is refused', async () => {
    const slug = (await stage.made('createTenant', { body: { slug: stage.fresh('list'), alg: 'ES256' } })).slug;
    const parts = { tenant: slug };
    for (const id of ['c1', 'c2', 'c3']) await stage.made('createClient', { parts, body: { client_id: id, public: true } });
    const first = await stage.call('listClients', { parts, query: { limit: '2' } });
    expect(first.json.items.map(({ client_id: id }: { readonly client_id: string }) => id)).toEqual(['c1', 'c2']);
    const link = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect([new URL(link).searchParams.get('after'), new URL(link).searchParams.get('limit')]).toEqual([first.json.next, '2']);
    const rest = await (await fetch(link, { headers: { Authorization: `Bearer ${stage.key}` } })).json();
    expect(rest).toMatchObject({ items: [{ client_id: 'c3' }], next: null });
    for (const query of [{ after: 'not base64url!' }, { after: 'a' }, { after: '' }, { limit: '0' }, { limit: '201' }, { limit: '2.0' }, { limit: 'x' }, { enabled: 'maybe' }, { search: '' }]) {
      expect([query, (await stage.call('listClients', { parts, query })).status]).toEqual([query, 400]);
    }
    for (const id of ['w1', 'w2']) await stage.made('createClient', { parts, body: { client_id: id, name: 'who?', public: true } });
    // A question mark may stand in a query as it is (RFC 3986 §3.4), and is not its end.
    const asking = await send(`${stage.fixture.server.url}/admin/v1/tenants/${slug}/clients?limit=1&search=who?`, { headers: { Authorization: `Bearer ${stage.key}` } });
    expect(new URL(/^<(.+)>;/.exec(asking.headers['link'] ?? '')?.[1] ?? '').searchParams.get('search')).toBe('who?');
    const doubled = await send(`${stage.fixture.server.url}/admin/v1/tenants?limit=1&limit=2`, { headers: { Authorization: `Bearer ${stage.key}` } });
    expect([doubled.status, JSON.parse(doubled.body).errors]).toEqual([400, [{ parameter: 'limit', detail: 'it is given twice' }]]);
  });
});

test('CR-08 settings tell what this start was told and by whom, and of secrets only whether they are set', async () => {
  const answer = await stage.call('listSettings');
  const of = (name: string) => answer.json.items.find((item: { readonly name: string }) => item.name === name);
  expect(of('refresh_grace')).toMatchObject({ value: 7, set: true, source: 'ASSAY_REFRESH_GRACE', secret: false });
  expect(of('port')).toMatchObject({ value: 0, source: '--port' });
  expect(of('log_level')).toMatchObject({ value: 'info', source: null });
  expect(of('smtp_url')).toMatchObject({ value: null, set: true, secret: true, source: 'ASSAY_SMTP_URL' });
  expect(answer.text).not.toContain('hush-hush');
});

test('REV-14 every token of a tenant ends at once', async () => {
  const slug = stage.fresh('ends');
  const tenant = await makeTenant(stage.fixture, slug);
  await makeClient(stage.fixture, tenant, 'svc', { scopes: ['a'] });
  const { access_token: token } = await issue(stage.fixture, tenant, 'svc');
  const caller = await makeClient(stage.fixture, tenant, 'api', { introspect: 'tenant' });
  const ask = async () => (await send(`${stage.fixture.server.url}/t/${slug}/protocol/openid-connect/introspect`, {
    method: 'POST', body: `token=${token}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: `Basic ${btoa(`${caller.id}:${caller.secret}`)}` },
  })).body;
  expect(await ask()).toContain('"active":true');
  expect((await stage.call('revokeTenantTokens', { parts: { tenant: slug } })).status).toBe(204);
  expect(await ask()).toBe('{"active":false}');
});
