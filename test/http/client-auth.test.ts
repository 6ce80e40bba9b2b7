/** Client authentication (RFC 6749 §2.3), the same at introspection, revocation and token endpoint. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { rotateSecret } from '../../src/service/manage-clients.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { basic } from '../helpers/server.ts';
import {
  errorFault, homeUrl, issue, jsonAnswer, makeClient, makePublicClient, makeTenant, must, post, posted, rawPost, startFixture, storedState,
  type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const ENDPOINTS = ['introspect', 'revoke', 'token'] as const;
type Endpoint = (typeof ENDPOINTS)[number];

let fixture: Fixture;
let acme: Tenant;
let svc: Credentials;
let token: string;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme');
  svc = await makeClient(fixture, acme, 'svc');
  await makePublicClient(fixture, acme, 'spa');
  token = (await issue(fixture, acme, 'svc')).access_token;
});
afterAll(() => fixture.close());

/** A form that needs nothing but authentication to succeed. */
function formOf(endpoint: Endpoint): Readonly<Record<string, string>> {
  // An unknown token: what is revoked must not matter to the next case.
  return endpoint === 'token' ? { grant_type: 'client_credentials' } : { token: endpoint === 'revoke' ? `${token}x` : token };
}

function call(endpoint: Endpoint, authorization: string | null, extra: Readonly<Record<string, string>> = {}, query = ''): Promise<Answer> {
  return post(homeUrl(fixture, acme, endpoint) + query, { ...formOf(endpoint), ...extra }, null, authorization === null ? {} : { Authorization: authorization });
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const refusal = { 400: 'invalid_request', 401: 'invalid_client' } as const;

async function expectRefusal(answer: Answer, status: 400 | 401): Promise<void> {
  expect(errorFault(answer, status, refusal[status])).toBeNull();
}

describe('Basic', () => {
  const special = { id: 'app:1', secret: 'p%+&=:/?# cs'.replace(' ', '_').padEnd(40, 'x') };
  const pairs: readonly (readonly [name: string, text: string, status: 200 | 400 | 401])[] = [
    ['CA-01, CA-02 encoded', `${encodeURIComponent(special.id)}:${encodeURIComponent(special.secret)}`, 200],
    ['CA-01 every character escaped', [special.id, special.secret].map((part) => [...Buffer.from(part)].map((byte) => `%${byte.toString(16)}`).join('')).join(':'), 200],
    ['CA-03 raw: the colon in the id ends it', `${special.id}:${special.secret}`, 400],
    ['CA-03 raw secret: its percent is no escape', `app%3A1:${special.secret}`, 400],
    ['CA-03 raw secret: its plus is a space', `app%3A1:${encodeURIComponent(special.secret).replaceAll('%2B', '+')}`, 401],
    ['CA-03 encoded twice', `${encodeURIComponent('app%3A1')}:${encodeURIComponent(encodeURIComponent(special.secret))}`, 401],
  ];
  beforeAll(() => makeClient(fixture, acme, special.id, {}, { supplied: special.secret }));
  for (const [name, text, status] of pairs) {
    for (const endpoint of ENDPOINTS) {
      test(`RFC 6749 §2.3.1 · ${name}, at ${endpoint} → ${status}`, async () => {
        const answer = await call(endpoint, `Basic ${encode(text)}`);
        if (status === 200) expect(answer).toEqual(jsonAnswer(200, answer.body));
        else await expectRefusal(answer, status);
      });
    }
  }

  const good = (): string => basic(svc.id, svc.secret).slice('Basic '.length);
  const headers: readonly (readonly [name: string, header: () => string, status: 200 | 400 | 401])[] = [
    ['CA-04 a bad escape', () => `Basic ${encode(`svc:%zz`)}`, 400],
    ['CA-04 an escape that is not UTF-8', () => `Basic ${encode(`svc:%ff%fe`)}`, 400],
    ['CA-04 no colon', () => `Basic ${encode('svc')}`, 400],
    ['CA-04 empty user', () => `Basic ${encode(`:${svc.secret}`)}`, 400],
    ['CA-04 empty user and password', () => `Basic ${encode(':')}`, 400],
    ['CA-04 control character', () => `Basic ${encode(`svc:%00${svc.secret}`)}`, 400],
    ['CA-04 a raw line feed', () => `Basic ${encode(`svc:${svc.secret}\n`)}`, 400],
    ['CA-04 nothing after the scheme', () => 'Basic', 400],
    ['CA-05 foreign characters before', () => `Basic !!!${good()}`, 400],
    ['CA-05 data after the padding', () => `Basic ${encode(`svc:${svc.secret}x`).replace(/=*$/, '==')}AAAA`, 400],
    ['CA-05 base64url alphabet', () => `Basic ${encode('svc:?>?>?>')}`.replaceAll('+', '-').replaceAll('/', '_'), 400],
    ['CA-05 missing padding', () => `Basic ${encode('svc:x').replaceAll('=', '')}`, 400],
    ['CA-05 white space within', () => `Basic ${good().slice(0, 8)} ${good().slice(8)}`, 400],
    ['CA-06 lower case', () => `basic ${good()}`, 200],
    ['CA-06 upper case', () => `BASIC ${good()}`, 200],
    ['CA-06 several spaces', () => `Basic    ${good()}`, 200],
    ['CA-06 a tab', () => `Basic\t${good()}`, 400],
    ['CA-07 two values in one header', () => `Basic ${good()}, Basic ${good()}`, 400],
    ['INT-49 Bearer', () => `Bearer ${token}`, 401],
    ['INT-49 an unknown scheme', () => 'Digest username="svc"', 401],
    ['INT-49 a scheme that begins like Basic', () => `Basics ${good()}`, 401],
  ];
  for (const [name, header, status] of headers) {
    for (const endpoint of ENDPOINTS) {
      test(`RFC 7617 §2 · ${name}, at ${endpoint} → ${status}`, async () => {
        const answer = await call(endpoint, header());
        if (status === 200) expect(answer).toEqual(jsonAnswer(200, answer.body));
        else await expectRefusal(answer, status);
      });
    }
  }

  for (const endpoint of ENDPOINTS) {
    test(`RFC 9110 §5.3 · CA-07 two Authorization headers at ${endpoint}, even equal ones → 400 invalid_request`, async () => {
      const { pathname } = new URL(homeUrl(fixture, acme, endpoint));
      for (const second of [basic(svc.id, svc.secret), basic('spa', 'x'), 'Bearer x']) {
        const text = await rawPost(fixture, pathname, new URLSearchParams(formOf(endpoint)).toString(), [`Authorization: ${basic(svc.id, svc.secret)}`, `Authorization: ${second}`]);
        expect(text).toStartWith('HTTP/1.1 400 ');
        expect(text).toContain('"error":"invalid_request"');
      }
    });
  }
});

describe('one method, the right one', () => {
  type Case = readonly [name: string, answer: (endpoint: Endpoint) => Promise<Answer>, status: 200 | 400 | 401];
  const good = (): string => basic(svc.id, svc.secret);
  const cases: readonly Case[] = [
    ['CA-08 client_secret_post', (endpoint) => call(endpoint, null, posted(svc)), 200],
    ['CA-09 credentials in the URL', (endpoint) => call(endpoint, null, {}, `?${new URLSearchParams(posted(svc)).toString()}`), 400],
    ['CA-09 a secret in the URL beside good Basic', (endpoint) => call(endpoint, good(), {}, `?client_secret=${svc.secret}`), 400],
    ['CA-09 an escaped secret in the URL', (endpoint) => call(endpoint, good(), {}, '?client%5Fsecret=x'), 400],
    ['CA-10 Basic and a secret in the body', (endpoint) => call(endpoint, good(), posted(svc)), 400],
    ['CA-10 Basic and only a secret in the body', (endpoint) => call(endpoint, good(), { client_secret: svc.secret }), 400],
    ['CA-10 Basic and another client_id', (endpoint) => call(endpoint, good(), { client_id: 'spa' }), 400],
    ['CA-10, INT-45 Basic and the same client_id', (endpoint) => call(endpoint, good(), { client_id: svc.id }), 200],
    ['CA-10 Basic and an assertion', (endpoint) => call(endpoint, good(), { client_assertion: 'x', client_assertion_type: 'y' }), 400],
    ['CA-10 a secret and an assertion', (endpoint) => call(endpoint, null, { ...posted(svc), client_assertion: 'x' }), 400],
    ['CA-10 a secret without client_id', (endpoint) => call(endpoint, null, { client_secret: svc.secret }), 400],
    ['CA-11 an assertion, which no client is registered for', (endpoint) => call(endpoint, null, { client_id: svc.id, client_assertion: 'x' }), 401],
    ['CA-12 client with a secret sending only client_id', (endpoint) => call(endpoint, null, { client_id: svc.id }), 401],
    ['CA-12 the same with an empty secret', (endpoint) => call(endpoint, null, { client_id: svc.id, client_secret: '' }), 401],
    ['CA-12 Basic with an empty secret', (endpoint) => call(endpoint, `Basic ${encode('svc:')}`), 401],
    ['CA-13 public client sending a secret', (endpoint) => call(endpoint, null, { client_id: 'spa', client_secret: 'x' }), 401],
    ['CA-13 public client by Basic', (endpoint) => call(endpoint, basic('spa', 'x')), 401],
    ['CA-13 public client by Basic with an empty secret', (endpoint) => call(endpoint, `Basic ${encode('spa:')}`), 401],
    ['CA-14 a secret of one character', (endpoint) => call(endpoint, basic(svc.id, 'x')), 401],
    ['CA-14 a secret one character longer', (endpoint) => call(endpoint, basic(svc.id, `${svc.secret}x`)), 401],
    ['CA-14 a secret one character shorter', (endpoint) => call(endpoint, basic(svc.id, svc.secret.slice(0, -1))), 401],
    ['CA-14 a secret of 4,000 characters', (endpoint) => call(endpoint, null, { client_id: svc.id, client_secret: 'x'.repeat(4000) }), 401],
    ['CA-14 the stored digest as secret', (endpoint) => call(endpoint, basic(svc.id, digestOf(svc.secret))), 401],
    ['TX-02 client id in another letter case', (endpoint) => call(endpoint, basic('SVC', svc.secret)), 401],
    ['TX-02 client id with a space after', (endpoint) => call(endpoint, null, { client_id: 'svc ', client_secret: svc.secret }), 401],
    ['INT-50 client of another tenant', (endpoint) => call(endpoint, basic('elsewhere', svc.secret)), 401],
  ];
  for (const [name, send, status] of cases) {
    for (const endpoint of ENDPOINTS) {
      test(`RFC 6749 §2.3 · ${name}, at ${endpoint} → ${status}`, async () => {
        const answer = await send(endpoint);
        if (status === 200) expect(answer).toEqual(jsonAnswer(200, answer.body));
        else await expectRefusal(answer, status);
        expect(answer.body).not.toContain(svc.secret);
      });
    }
  }

  const methods = [
    ['client_secret_basic', 200, 401], ['client_secret_post', 401, 200],
  ] as const;
  for (const [method, byBasic, byPost] of methods) {
    for (const endpoint of ENDPOINTS) {
      test(`OpenID Connect Core §9 · CA-11 client registered for ${method} at ${endpoint}: by Basic ${byBasic}, in the body ${byPost}`, async () => {
        const client = await makeClient(fixture, acme, `${endpoint}-${method}`, { authMethod: method });
        const own = endpoint === 'introspect' ? { token: (await issue(fixture, acme, client.id)).access_token } : {};
        const answers = [[await call(endpoint, basic(client.id, client.secret), own), byBasic], [await call(endpoint, null, { ...posted(client), ...own }), byPost]] as const;
        for (const [answer, status] of answers) {
          if (status === 200) expect(answer).toEqual(jsonAnswer(200, answer.body));
          else await expectRefusal(answer, status);
        }
      });
    }
  }
});

describe('secrets', () => {
  const works = async (client: Credentials): Promise<boolean> => {
    const answers = await Promise.all(ENDPOINTS.map((endpoint) => call(endpoint, basic(client.id, client.secret))));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses.size).toBe(1);
    return statuses.has(200);
  };

  test('RFC 7591 §3.2.1 · CA-15 an expired secret → 401', async () => {
    const brief = await makeClient(fixture, acme, 'brief', {}, { ttl: 1 });
    expect(await works(brief)).toBe(true);
    await Bun.sleep(1050);
    expect(await works(brief)).toBe(false);
    await expectRefusal(await call('token', basic(brief.id, brief.secret)), 401);
  });

  test('CA-16 two secrets overlap during rotation; then the old one ends', async () => {
    const { ctx } = fixture.application;
    const first = await makeClient(fixture, acme, 'rotating');
    const rotate = async (overlapS: number): Promise<Credentials> =>
      ({ id: first.id, secret: must(await rotateSecret(ctx, acme, first.id, { supplied: null, ttl: null }, overlapS)).secret?.text ?? '' });
    const second = await rotate(1);
    expect([await works(first), await works(second)]).toEqual([true, true]);
    await Bun.sleep(1050);
    expect([await works(first), await works(second)]).toEqual([false, true]);
    const third = await rotate(0);
    expect([await works(first), await works(second), await works(third)]).toEqual([false, false, true]);
  });

  test('CA-17, CR-04 generated secrets: 256 bits, unreserved characters, stored as a digest only', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => makeClient(fixture, acme)));
    for (const { id, secret } of clients) {
      expect(id).toMatch(/^cli_[A-Za-z0-9_-]{22}$/);
      expect(secret).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    }
    expect(new Set(clients.map(({ secret }) => secret)).size).toBe(20);
    const stored = storedState(fixture);
    for (const { secret } of clients) {
      expect(stored).not.toContain(secret.slice(3));
      expect(stored).toContain(digestOf(secret));
    }
  });

  test('CA-17, CR-01 a supplied secret under 32 characters is stored with argon2id and works; a longer one as a digest', async () => {
    const chosen = await makeClient(fixture, acme, 'chosen', {}, { supplied: 'correct-horse-battery' });
    const brought = await makeClient(fixture, acme, 'brought', {}, { supplied: 'x'.repeat(32) });
    expect([await works(chosen), await works(brought), await works({ ...chosen, secret: 'correct-horse-batterz' })]).toEqual([true, true, false]);
    const stored = storedState(fixture);
    expect(stored).toMatch(/\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(stored).not.toContain(digestOf('correct-horse-battery'));
    expect(stored).toContain(digestOf('x'.repeat(32)));
    for (const { secret } of [chosen, brought]) expect(stored).not.toContain(secret);
  });
});
