/** Refusals of the token and authorization endpoints are in the audit trail, without what was presented (LG-01, LG-04). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import type { AuditRow } from '../../src/core/operations-store.ts';
import { revokeClientTokens } from '../../src/service/manage-clients.ts';
import { homeUrl, issue, makeClient, makeTenant, makeUser, must, startFixture, type Credentials, type Fixture } from '../helpers/fixture.ts';
import { basic } from '../helpers/server.ts';

let fixture: Fixture;
let tenant: Tenant;
let owner: Credentials;
beforeAll(async () => {
  fixture = await startFixture();
  tenant = await makeTenant(fixture, 'acme');
  owner = await makeClient(fixture, tenant, 'svc', { grants: ['client_credentials', 'refresh_token'], scopes: ['a'] });
  await makeClient(fixture, tenant, 'web', { grants: ['authorization_code'], redirectUris: ['https://app.example.com/cb'] });
});
afterAll(() => fixture.close());

/** The one event of a request. */
async function eventOf(response: Response): Promise<AuditRow | undefined> {
  const requestId = response.headers.get('x-request-id') ?? '';
  const { store } = fixture.application.ctx;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { items } = await store.pageAudit({ after: null, limit: 9 }, { requestId });
    if (items.length > 0) return items[0];
    await Bun.sleep(10);
  }
  return undefined;
}

const PRESENTED = 'presented-and-not-to-be-kept';

test.each([
  ['unauthorized_client', { grant_type: 'authorization_code', code: PRESENTED }],
  ['invalid_scope', { grant_type: 'client_credentials', scope: `${PRESENTED} b` }],
  ['invalid_target', { grant_type: 'client_credentials', resource: `https://${PRESENTED}.example.com/` }],
  ['unknown_refresh_token', { grant_type: 'refresh_token', refresh_token: PRESENTED }],
] as const)('LG-04 token endpoint: %s', async (reason, form) => {
  const response = await fetch(homeUrl(fixture, tenant, 'token'), { method: 'POST', headers: { Authorization: basic(owner.id, owner.secret) }, body: new URLSearchParams(form) });
  expect(response.status).toBe(400);
  const event = await eventOf(response);
  expect(event).toMatchObject({ type: 'token_refused', tenant: 'acme', actor: 'svc', clientId: 'svc', outcome: 'denied', reason, ip: '127.0.0.1' });
  expect(JSON.stringify(event)).not.toContain(PRESENTED);
});

test.each([
  ['unknown_client', null, { client_id: PRESENTED }],
  ['redirect_mismatch', 'web', { client_id: 'web', redirect_uri: `https://${PRESENTED}.example.com/` }],
  ['unsupported_response_type', 'web', { client_id: 'web', redirect_uri: 'https://app.example.com/cb', response_type: 'token', state: PRESENTED }],
] as const)('LG-04 authorization endpoint: %s', async (reason, clientId, query) => {
  const response = await fetch(`${homeUrl(fixture, tenant, 'authorize')}?${new URLSearchParams(query).toString()}`, { redirect: 'manual' });
  const event = await eventOf(response);
  expect(event).toMatchObject({ type: 'authorization_denied', tenant: 'acme', actor: null, clientId, outcome: 'denied', reason, ip: '127.0.0.1' });
  expect(JSON.stringify(event)).not.toContain(PRESENTED);
});

test.each([
  ['no_token', {}, 401],
  ['malformed', { Authorization: `Bearer ${PRESENTED}, Bearer x` }, 400],
  ['not_a_token', { Authorization: `Bearer ${PRESENTED}` }, 401],
] as const)('LG-04 userinfo: %s', async (reason, headers, status) => {
  const response = await fetch(homeUrl(fixture, tenant, 'userinfo'), { headers });
  expect(response.status).toBe(status);
  const event = await eventOf(response);
  expect(event).toMatchObject({ type: 'userinfo_refused', tenant: 'acme', actor: null, clientId: null, subject: null, fingerprint: null, outcome: 'denied', reason, ip: '127.0.0.1' });
  expect(JSON.stringify(event)).not.toContain(PRESENTED);
});

test('LG-04, LG-10 userinfo: a token of ours that does not do is told by its client, its person and a fingerprint', async () => {
  const user = await makeUser(fixture, tenant, 'alice');
  await makeClient(fixture, tenant, 'reader', { grants: ['refresh_token'], scopes: ['openid', 'a'] });
  const ask = (token: string): Promise<Response> => fetch(homeUrl(fixture, tenant, 'userinfo'), { headers: { Authorization: `Bearer ${token}` } });
  const narrow = (await issue(fixture, tenant, 'reader', { user: user.id, scopes: ['a'] })).access_token;
  const known = { type: 'userinfo_refused', actor: 'reader', clientId: 'reader', subject: user.id, fingerprint: expect.any(String) };
  expect(await eventOf(await ask(narrow))).toMatchObject({ ...known, reason: 'insufficient_scope' });
  const good = (await issue(fixture, tenant, 'reader', { user: user.id, scopes: ['openid'] })).access_token;
  expect((await ask(good)).status).toBe(200);
  must(await revokeClientTokens(fixture.application.ctx, tenant, 'reader'));
  const refused = await ask(good);
  expect(refused.status).toBe(401);
  const event = await eventOf(refused);
  expect(event).toMatchObject(known);
  expect(event?.reason).not.toBe('insufficient_scope');
  expect(JSON.stringify(event)).not.toContain(good);
});

test('UI-09, LG-04 a form of another site is refused, and written down without what it held', async () => {
  const response = await fetch(`${fixture.server.url}/t/acme/account`, {
    method: 'POST', headers: { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ act: 'password', password: PRESENTED }),
  });
  expect(response.status).toBe(403);
  const event = await eventOf(response);
  expect(event).toMatchObject({ type: 'access_refused', tenant: 'acme', actor: null, subject: 'form', outcome: 'denied', reason: 'foreign_form', ip: '127.0.0.1' });
  expect(JSON.stringify(event)).not.toContain(PRESENTED);
});
