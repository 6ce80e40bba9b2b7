import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { decodeJwt } from 'jose';
import type { ClientChange } from '../../src/core/client-settings.ts';
import type { Tenant } from '../../src/core/model.ts';
import { createResource } from '../../src/service/manage-resources.ts';
import type { TokenOutcome, TokenParameters } from '../../src/service/grants/grant.ts';
import { exchangeGrant } from '../../src/service/token.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';
import { listAudit } from '../helpers/trail.ts';

const from = { ip: null, requestId: null };

let rig: Rig;
let acme: Tenant;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
  wanted(await createResource(rig.ctx, acme, { uri: 'https://API.example.com/', scopes: ['a'], owner: null, tokenFormat: null }));
  wanted(await createResource(rig.ctx, acme, { uri: 'urn:opaque', scopes: [], owner: null, tokenFormat: 'opaque' }));
});
afterEach(() => rig.close());

async function ask(parameters: TokenParameters, change: ClientChange = {}, grantType = 'client_credentials'): Promise<TokenOutcome> {
  const { client } = await rig.client(acme, 'svc', { scopes: ['openid', 'a', 'b'], ...change });
  return exchangeGrant(rig.ctx, grantType, { tenant: acme, client, parameters, from });
}
const tokenOf = (outcome: TokenOutcome): string => (outcome.ok ? outcome.response.access_token : outcome.error);

describe('RFC 6749 §4.4 · client credentials', () => {
  test('TCC-01, TCC-05, TCC-06, TOK-01, AT-02, AT-12 the answer and the token', async () => {
    const outcome = await ask({}, { orgId: 'org_1' });
    const token = tokenOf(outcome);
    expect(outcome).toEqual({ ok: true, response: { access_token: token, token_type: 'Bearer', expires_in: 300, scope: 'a b' } });
    const iat = Math.floor(rig.clock.now() / 1000);
    const { jti, ...claims } = decodeJwt(token);
    expect(claims).toEqual({ iss: 'https://id.example.com/t/acme', sub: 'svc', aud: 'https://id.example.com/t/acme', client_id: 'svc', exp: iat + 300, iat, scope: 'a b', org_id: 'org_1' });
    expect(jti).toMatch(/^[0-9a-z]{9}[A-Za-z0-9_-]{22}$/);
  });

  const refusals: readonly (readonly [name: string, parameters: TokenParameters, error: string])[] = [
    ['TCC-03 scope beyond registration', { scope: 'c' }, 'invalid_scope'],
    ['TCC-04 openid', { scope: 'openid' }, 'invalid_scope'],
    ['TOK-09 malformed scope', { scope: 'a"' }, 'invalid_scope'],
    ['RI-03 an unknown resource', { resource: ['https://other.example'] }, 'invalid_target'],
    ['RI-03 one unknown among known', { resource: ['https://api.example.com', 'https://other.example'] }, 'invalid_target'],
    ['RI-01 a relative resource', { resource: ['api'] }, 'invalid_target'],
    ['RI-01 one with a fragment', { resource: ['https://api.example.com#x'] }, 'invalid_target'],
    ['RI-08 eleven resources', { resource: Array.from({ length: 11 }, () => 'https://api.example.com') }, 'invalid_target'],
    ['a scope that the resource does not know', { resource: ['https://api.example.com'], scope: 'b' }, 'invalid_scope'],
  ];
  test.each(refusals)('%s', async (_name, parameters, error) => {
    const outcome = await ask(parameters);
    expect(outcome).toMatchObject({ ok: false, error });
    // TOK-11: fixed text without what was sent.
    expect(outcome.ok ? '' : outcome.description).toMatch(/^[a-z ]+$/);
  });

  test('RI-05 a resource in another spelling; its stored form is the audience', async () => {
    const outcome = await ask({ resource: ['HTTPS://api.EXAMPLE.com'] });
    expect(outcome).toMatchObject({ response: { scope: 'a' } });
    expect(decodeJwt(tokenOf(outcome)).aud).toBe('https://API.example.com/');
  });

  test('RI-02 several resources', async () => {
    expect(decodeJwt(tokenOf(await ask({ resource: ['https://api.example.com', 'urn:opaque'] }, { tokenFormat: 'jwt' }))).aud).toEqual(['https://API.example.com/', 'urn:opaque']);
  });

  test('AT-08 the resource wants opaque tokens', async () => {
    expect(tokenOf(await ask({ resource: ['urn:opaque'] }))).toMatch(/^at_/);
  });

  test('TOK-03, TOK-04 grant types that are unknown, or not the client\'s', async () => {
    const { client } = await rig.client(acme, 'narrow', { grants: ['refresh_token'] });
    for (const [grantType, error] of [['password', 'unsupported_grant_type'], ['', 'unsupported_grant_type'], ['__proto__', 'unsupported_grant_type'], ['client_credentials', 'unauthorized_client']] as const) {
      expect(await exchangeGrant(rig.ctx, grantType, { tenant: acme, client, parameters: {}, from })).toMatchObject({ ok: false, error });
    }
  });

  test('AT-10 no two tokens share a jti', async () => {
    const { client } = await rig.client(acme, 'svc');
    const ids = await Promise.all(Array.from({ length: 200 }, async () => decodeJwt(tokenOf(await exchangeGrant(rig.ctx, 'client_credentials', { tenant: acme, client, parameters: {}, from }))).jti));
    expect(new Set(ids.map(there)).size).toBe(200);
  });

  test('issuing a JWT writes nothing; it is in the log, without the token', async () => {
    const lines: string[] = [];
    const log = { ...rig.ctx.log, info: (message: string, fields?: object) => void lines.push(JSON.stringify([message, fields])) };
    const { client } = await rig.client(acme, 'svc');
    const before = await listAudit(rig.ctx.store, { limit: 1000 });
    const token = tokenOf(await exchangeGrant({ ...rig.ctx, log }, 'client_credentials', { tenant: acme, client, parameters: {}, from }));
    expect(await listAudit(rig.ctx.store, { limit: 1000 })).toEqual(before);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('token_issued');
    expect(lines[0]).not.toContain(token);
    expect(lines[0]).not.toContain(there(token.split('.')[2]));
  });
});
