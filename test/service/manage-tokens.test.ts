import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import type { Tenant } from '../../src/core/model.ts';
import { issueToken, type TokenWish } from '../../src/service/issue-token.ts';
import { createClient, revokeClientTokens, setClientEnabled } from '../../src/service/manage-clients.ts';
import { createResource } from '../../src/service/manage-resources.ts';
import { createTenant, setTenantEnabled, updateTenant } from '../../src/service/manage-tenants.ts';
import { explainToken, inspectToken, revokeToken } from '../../src/service/manage-tokens.ts';
import { createUser, revokeUserTokens } from '../../src/service/manage-users.ts';
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
  await addClient('svc', { scopes: ['read', 'write'] });
  await addClient('api', {});
  await addClient('web', { grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'email', 'read', 'offline_access'], orgId: 'org_client' });
  await addClient('spa', { scopes: ['openid'] }, true);
  await addClient('plain', { grants: ['authorization_code'], scopes: ['openid'], tokenFormat: 'opaque' });
  for (const username of ['alice', 'bob']) must(await createUser(application.ctx, tenant, `id-${username}`, { username, email: `${username}@example.com` }));
  must(await createResource(application.ctx, tenant, { uri: 'https://api.example.com', scopes: ['read'], owner: 'api', tokenFormat: null }));
});
afterAll(async () => {
  await application.close();
  removeFolder(data);
});

async function addClient(id: string, change: ClientChange, isPublic = false): Promise<void> {
  must(await createClient(application.ctx, tenant, { id, public: isPublic, change, secret: { supplied: null, ttl: null } }));
}

const blank: TokenWish = { client: 'svc', user: null, org: null, session: null, scopes: null, audience: [] };
const issue = (wish: Partial<TokenWish>) => issueToken(application.ctx, tenant, { ...blank, ...wish });

async function facts(token: string) {
  const inspection = await inspectToken(application.ctx, tenant, token);
  if (!inspection.known) throw new Error(inspection.reason);
  return inspection;
}

describe('issuing', () => {
  test('TCC-01 for a client itself: no refresh token, sub is the client', async () => {
    const response = must(await issue({}));
    expect(response).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'read write' });
    expect(response.refresh_token).toBeUndefined();
    expect((await facts(response.access_token)).facts).toMatchObject({ subject: 'svc', userId: null, grantId: null, sessionId: null });
  });

  test('TRT-01 for a user: a grant, a session of its own, and a refresh token where the client may have one', async () => {
    const [first, second] = [must(await issue({ client: 'web', user: 'alice' })), must(await issue({ client: 'web', user: 'ALICE' }))];
    expect(first.scope).toBe('openid email read offline_access');
    expect(first.refresh_token).toStartWith('rt_');
    const [a, b] = [(await facts(first.access_token)).facts, (await facts(second.access_token)).facts];
    expect(a).toMatchObject({ subject: 'id-alice', userId: 'id-alice', orgId: 'org_client' });
    expect(a.sessionId).toStartWith('ses_');
    expect(a.sessionId).not.toBe(b.sessionId);
    expect(a.grantId).not.toBe(b.grantId);
    const refresh = await facts(first.refresh_token ?? '');
    expect(refresh.facts).toMatchObject({ kind: 'refresh', grantId: a.grantId, sessionId: a.sessionId });
    const { access_token: opaque, refresh_token: none } = must(await issue({ client: 'plain', user: 'id-alice' }));
    expect(opaque).toStartWith('at_');
    expect(none).toBeUndefined();
  });

  test('a named session is shared by its user, and nobody else', async () => {
    const wish = { client: 'web', user: 'alice', session: 'app_consent_1', org: 'org_asked' } as const;
    const tokens = [must(await issue(wish)).access_token, must(await issue(wish)).access_token];
    for (const token of tokens) expect((await facts(token)).facts).toMatchObject({ sessionId: 'app_consent_1', orgId: 'org_asked' });
    expect(await issue({ ...wish, user: 'bob' })).toMatchObject({ ok: false, error: 'conflict' });
  });

  test('wire contract §6 audience: asked, else the client\'s, else the tenant\'s default', async () => {
    expect((await facts(must(await issue({})).access_token)).facts.audience).toEqual(['http://127.0.0.1:8080/t/acme']);
    expect((await facts(must(await issue({ audience: ['x', 'y', 'x'] })).access_token)).facts.audience).toEqual(['x', 'y']);
    const { facts: narrowed } = await facts(must(await issue({ audience: ['https://API.example.com/'] })).access_token);
    expect([narrowed.audience, narrowed.scopes]).toEqual([['https://api.example.com'], ['read']]);
    expect(await issue({ audience: ['https://api.example.com'], scopes: ['write'] })).toMatchObject({ ok: false, error: 'invalid_scope' });
  });

  test.each([
    ['an unknown client', { client: 'nobody' }, 'not_found'],
    ['an unknown user', { client: 'web', user: 'nobody' }, 'not_found'],
    ['scopes beyond the client', { scopes: ['admin'] }, 'invalid_scope'],
    ['TCC-04 identity scopes without a user', { client: 'svc', scopes: ['openid'] }, 'invalid_scope'],
    ['a public client by itself', { client: 'spa' }, 'conflict'],
    ['a client without the grant', { client: 'web' }, 'conflict'],
    ['a session without a user', { session: 's' }, 'invalid_request'],
    ['an audience with a space', { audience: ['a b'] }, 'invalid_request'],
  ] as const)('%s is refused', async (_what, wish, error) => {
    expect(await issue(wish)).toMatchObject({ ok: false, error });
  });

  test('INT-32 nothing is issued while tenant, client or user sleep', async () => {
    must(await setClientEnabled(application.ctx, tenant, 'spa', false));
    expect(await issue({ client: 'spa', user: 'alice' })).toMatchObject({ ok: false, error: 'conflict' });
    const asleep = must(await createTenant(application.ctx, 'asleep', { algorithm: 'ES256' }));
    expect(await issueToken(application.ctx, must(await setTenantEnabled(application.ctx, asleep.slug, false)), blank)).toMatchObject({ ok: false, error: 'conflict' });
  });

  test('LG-04 a grant is audited, with a fingerprint and no token', async () => {
    const { access_token: token } = must(await issue({ client: 'web', user: 'bob' }));
    const [event] = await listAudit(application.ctx.store, { tenant: 'acme', type: 'grant_opened', limit: 1 });
    expect(event).toMatchObject({ actor: 'operator', clientId: 'web', subject: 'id-bob', fingerprint: application.ctx.fingerprint(token) });
    expect(JSON.stringify(event)).not.toContain(token);
  });
});

describe('explaining', () => {
  const explain = (token: string, as: string) => explainToken(application.ctx, tenant, token, as);

  test('LG-10 it tells what the caller would be told, and why', async () => {
    const token = must(await issue({ audience: ['https://api.example.com'] })).access_token;
    const foreign = must(await issue({})).access_token;
    expect(await explain(token, 'svc')).toMatchObject({ ok: true, value: { active: true, reason: null, policy: 'audience', caller: 'svc', clientId: 'svc' } });
    expect(await explain(token, 'api')).toMatchObject({ ok: true, value: { active: true, reason: null } });
    expect(await explain(foreign, 'api')).toMatchObject({ ok: true, value: { active: false, reason: 'policy', clientId: 'svc' } });
    expect(await explain('at_unknown', 'api')).toMatchObject({ ok: true, value: { active: false, reason: 'not_a_token', clientId: null } });
    expect(await explain(token, 'spa')).toMatchObject({ ok: true, value: { active: false, reason: 'caller_public' } });
    expect(await explain(token, 'nobody')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await listAudit(application.ctx.store, { type: 'token_introspection_denied', limit: 1 })).toEqual([]);
  });

  test('LG-10 in report mode it says what enforcing would do', async () => {
    const foreign = must(await issue({})).access_token;
    const reporting = must(await updateTenant(application.ctx, 'acme', { introspectionPolicyMode: 'report' }));
    expect(await explainToken(application.ctx, reporting, foreign, 'api')).toMatchObject({ ok: true, value: { active: true, reason: 'would_deny' } });
    tenant = must(await updateTenant(application.ctx, 'acme', { introspectionPolicyMode: 'enforce' }));
  });
});

describe('revoking', () => {
  const reasonOf = async (token: string): Promise<string | null> => (await facts(token)).reason;

  test('REV-15 an access token goes alone, a refresh token takes its grant', async () => {
    const one = must(await issue({ client: 'web', user: 'alice' }));
    must(await revokeToken(application.ctx, tenant, one.access_token));
    expect(await reasonOf(one.access_token)).toBe('revoked');
    expect(await reasonOf(one.refresh_token ?? '')).toBeNull();
    const two = must(await issue({ client: 'web', user: 'alice' }));
    must(await revokeToken(application.ctx, tenant, two.refresh_token ?? ''));
    expect(await reasonOf(two.access_token)).toBe('grant_revoked');
    must(await revokeToken(application.ctx, tenant, two.refresh_token ?? ''));
    const opaque = must(await issue({ client: 'plain', user: 'alice' })).access_token;
    must(await revokeToken(application.ctx, tenant, opaque));
    expect(await reasonOf(opaque)).toBe('revoked');
    expect(await revokeToken(application.ctx, tenant, 'nonsense')).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('INT-91 INT-92 all of a client, all of a user: what came before, and only that', async () => {
    const before = must(await issue({})).access_token;
    must(await revokeClientTokens(application.ctx, tenant, 'svc'));
    await Bun.sleep(2);
    expect(await reasonOf(before)).toBe('client_disabled');
    expect(await reasonOf(must(await issue({})).access_token)).toBeNull();
    const users = must(await issue({ client: 'web', user: 'bob' }));
    must(await revokeUserTokens(application.ctx, tenant, 'bob'));
    await Bun.sleep(2);
    expect([await reasonOf(users.access_token), await reasonOf(users.refresh_token ?? '')]).toEqual(['user_disabled', 'user_disabled']);
    expect(await reasonOf(must(await issue({ client: 'web', user: 'bob' })).access_token)).toBeNull();
  });

  test('MTN-05 another tenant\'s token is unknown', async () => {
    const other = must(await createTenant(application.ctx, 'other', { algorithm: 'ES256' }));
    const opaque = must(await issue({ client: 'plain', user: 'alice' })).access_token;
    for (const token of [must(await issue({})).access_token, opaque]) {
      expect(await inspectToken(application.ctx, other, token)).toMatchObject({ known: false });
      expect(await revokeToken(application.ctx, other, token)).toMatchObject({ ok: false, error: 'not_found' });
      expect(await reasonOf(token)).toBeNull();
    }
  });
});
