/** Text that means harm, and names that mean something else than they seem (TX). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { updateUser } from '../../src/service/manage-users.ts';
import { untilReady } from '../helpers/server.ts';
import {
  defaultTenant, errorFault, introspect, issue, makeClient, makeUser, must, parseObject, post, startFixture, storedState, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const PATHS = ['/oauth2/introspect', '/oauth2/revoke', '/oauth2/token'] as const;

let fixture: Fixture;
let home: Tenant;
let svc: Credentials;
let token: string;
let origin: string;

beforeAll(async () => {
  fixture = await startFixture();
  origin = fixture.server.url;
  home = await defaultTenant(fixture);
  svc = await makeClient(fixture, home, 'svc', { scopes: ['a'] });
  token = (await issue(fixture, home, 'svc')).access_token;
});
afterAll(() => fixture.close());

const serves = async (): Promise<boolean> => (await introspect(fixture, home, svc, token))['active'] === true;

/** Why something could not be made; 'made' when it could. */
function refusalOf(making: Promise<unknown>): Promise<string> {
  return making.then(() => 'made', (error: unknown) => (error instanceof Error ? error.message : String(error)));
}

describe('text', () => {
  const hostile = [
    `' OR 1=1--`, `"; DROP TABLE clients; --`, '%', '_', 's%', 's_c', '\0', 'svc\0', '\u202Esvc', '\uFEFFsvc', 'ſvc', 'ＳＶＣ', '[', '{', '["svc"]', '{"$ne":null}', '__proto__', 'constructor', 'toString',
    '\uD800', '../../etc/passwd', '<script>', '{{7*7}}', '%00', '%2e%2e', ' svc', 'svc ', '\tsvc', 'x'.repeat(20_000), '💥', '٤٢',
  ];
  for (const [index, text] of hostile.entries()) {
    test(`ASVS 1.2.4 · TX-01..03, TX-07 ${JSON.stringify(text.slice(0, 24))} (${index}) in every parameter: an ordinary refusal, no 500, no row changed`, async () => {
      const before = storedState(fixture);
      const names = ['token', 'token_type_hint', 'client_id', 'client_secret', 'client_assertion', 'grant_type', 'scope', 'resource', 'refresh_token'];
      for (const path of PATHS) {
        for (const name of names) {
          const answer = await post(origin + path, new URLSearchParams({ token: 'x', grant_type: 'client_credentials', scope: 'a', [name]: text }), name.startsWith('client') ? null : svc);
          // A hint is only a hint, and what one endpoint does not know it does not read.
          if (answer.status !== 200) expect(errorFault(answer, answer.status, String(parseObject(answer.body)['error']))).toBeNull();
          expect([200, 400, 401]).toContain(answer.status);
          if (text.length > 3) expect(answer.body).not.toContain(text);
        }
        expect((await post(origin + path, { token: 'x' }, { id: text.toWellFormed(), secret: text.toWellFormed() })).status).toBeOneOf([400, 401, 431]);
      }
      expect(storedState(fixture)).toBe(before);
    });
  }

  test('TX-06 __proto__, token[], token[0], Token are unknown parameters', async () => {
    for (const name of ['__proto__', 'token[]', 'token[0]', 'token.0', 'Token', 'token%00', ' token', 'constructor', 'hasOwnProperty']) {
      expect(errorFault(await post(`${origin}/oauth2/introspect`, `${name}=${token}`, svc), 400, 'invalid_request')).toBeNull();
      expect((await post(`${origin}/oauth2/introspect`, `${name}=x&${name}=y&token=${token}`, svc)).body).toStartWith('{"active":true');
    }
  });

  test('TX-01 a million bytes in one parameter → 413, and the next request is served', async () => {
    for (const path of PATHS) expect((await post(origin + path, `client_id=${'x'.repeat(1_000_000)}`, null)).status).toBe(413);
    expect(await serves()).toBe(true);
  });

  test('OpenID Connect Core §2 · TX-09 another username and e-mail change no sub', async () => {
    const web = await makeClient(fixture, home, 'web', { grants: ['refresh_token'], scopes: ['email'] });
    const user = await makeUser(fixture, home, 'maiden');
    const before = (await issue(fixture, home, 'web', { user: 'maiden' })).access_token;
    must(await updateUser(fixture.application.ctx, home, 'maiden', { username: 'married', email: 'married@example.com' }));
    const after = (await issue(fixture, home, 'web', { user: 'married' })).access_token;
    expect(await introspect(fixture, home, web, before)).toMatchObject({ active: true, sub: user.id, username: 'married@example.com' });
    expect(await introspect(fixture, home, web, after)).toMatchObject({ active: true, sub: user.id });
  });

  test('RFC 8265 · TX-02, TX-03 usernames: letter case and composition do not matter, look-alikes stay different', async () => {
    await makeUser(fixture, home, 'Zoë');
    for (const same of ['ZOE\u0308', 'zoë']) expect(await refusalOf(makeUser(fixture, home, same))).toStartWith('already_exists');
    for (const other of ['zoe', 'zoё', 'z%', 'z__', 'zоë']) await makeUser(fixture, home, other, 'other@example.com');
  });

  for (const name of ['\u202Eevil', 'a\uFEFFb', 'a\uD800b', 'a\nb', 'a\0b', 'x'.repeat(257), '', ' a', '\u200Ba', 'a\u2066b', '\u001B[31mred']) {
    test(`ASVS 1.2 · TX-04 ${JSON.stringify(name.slice(0, 12))} is no name of a client or user`, async () => {
      expect(await refusalOf(makeUser(fixture, home, name))).toStartWith('invalid_request');
      expect(await refusalOf(makeClient(fixture, home, null, { name }))).toStartWith('invalid_request');
    });
  }

  test('HT-22 after all that the server is ready', async () => {
    await untilReady(fixture.server);
    expect(await serves()).toBe(true);
  });
});
