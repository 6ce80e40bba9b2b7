/** Introspection and revocation while our own side fails: never a statement about a token, never a word of what happened. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Application } from '../../src/app/open.ts';
import { StoreError, type Store } from '../../src/core/store.ts';
import { makeRequestHandler, type HttpOptions } from '../../src/http/app.ts';
import { makeClientAuthenticator } from '../../src/service/authenticate-client.ts';
import type { Context } from '../../src/service/context.ts';
import { makeKeyRings } from '../../src/service/key-rings.ts';
import { makeTokenReader } from '../../src/service/read-token.ts';
import {
  defaultTenant, errorFault, INACTIVE, issue, issuePair, makeClient, makeTenant, makeUser, parseObject, post, startFixture, storedState, wholeAnswer,
  type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { basic } from '../helpers/server.ts';

const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
const HIDDEN = 'SELECT secret FROM nowhere';

let fixture: Fixture;
let application: Application;
let client: Credentials;
let stranger: Credentials;
const tokens: Record<string, string> = {};
/** What the log was told. */
let logged = '';

beforeAll(async () => {
  fixture = await startFixture();
  ({ application } = fixture);
  const tenant = await defaultTenant(fixture);
  client = await makeClient(fixture, tenant, 'svc', { grants, scopes: ['read'] });
  stranger = await makeClient(fixture, tenant, 'stranger', { grants });
  const opaque = await makeClient(fixture, tenant, 'opaque', { grants, tokenFormat: 'opaque' });
  await makeUser(fixture, tenant, 'alice');
  await makeTenant(fixture, 'acme');
  const { access, refresh } = await issuePair(fixture, tenant, client.id, 'alice');
  Object.assign(tokens, { jwt: access, refresh, opaque: (await issue(fixture, tenant, opaque.id)).access_token });
});
afterAll(() => fixture.close());

/** The context with a store of which some operations fail. */
function breakStore(names: readonly string[], error: () => unknown): Context {
  const { ctx } = application;
  const store = new Proxy(ctx.store, {
    get(target, name, receiver): unknown {
      if (typeof name !== 'string' || !names.includes(name)) return Reflect.get(target, name, receiver);
      return () => {
        throw error();
      };
    },
  });
  return contextOn(store);
}

function contextOn(store: Store): Context {
  const { ctx } = application;
  const rings = makeKeyRings(store, ctx.master);
  const { clock, audit, metrics, passwords } = ctx;
  const tell = (message: string, fields?: object): void => {
    logged += `${JSON.stringify({ message, ...fields })}\n`;
  };
  return {
    ...ctx, store, rings, log: { error: tell, warn: tell, info: tell, debug: tell },
    tokens: makeTokenReader(store, rings), authenticator: makeClientAuthenticator({ store, clock, audit, metrics, passwords, rateLimits: false }),
  };
}

const options: HttpOptions = {
  proxies: { none: true, has: () => false }, readiness: { stopping: false, clockBehindMs: () => 0 }, docs: false, bootId: 'test', logRequests: false,
};

/** Asks a server of this process that stands on this context. */
async function ask(ctx: Context, endpoint: 'introspect' | 'revoke', token: string, as = client): Promise<Answer> {
  const { origin } = ctx;
  const request = new Request(`${origin().url}/oauth2/${endpoint}`, {
    method: 'POST', body: new URLSearchParams({ token }), headers: { Host: origin().host, Authorization: basic(as.id, as.secret), 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  const answer = await wholeAnswer(await makeRequestHandler(ctx, options)(request, null));
  return { ...answer, headers: Object.fromEntries(Object.entries({ ...answer.headers, 'content-length': String(answer.body.length) }).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Operations that introspection of each kind of token stands on. */
const reads = [
  ['findTenant', 'jwt'], ['findClient', 'jwt'], ['listKeys', 'jwt'], ['readTokenRecord', 'jwt'], ['findUser', 'jwt'], ['revision', 'jwt'],
  ['findOpaqueToken', 'opaque'], ['findResource', 'opaque'], ['findRefreshToken', 'refresh'], ['readTokenRecord', 'refresh'],
] as const;

describe('RFC 7009 §2.2.1 by analogy', () => {
  test('the server of this process answers as the other one', async () => {
    for (const token of [tokens['jwt'] ?? '', tokens['refresh'] ?? '']) {
      expect(parseObject((await ask(contextOn(application.ctx.store), 'introspect', token)).body)['active']).toBe(true);
    }
  });

  for (const kind of ['busy', 'unavailable'] as const) {
    for (const [name, token] of reads) {
      test(`INT-29 storage ${kind} in ${name} → 503 with Retry-After, neither active nor inactive`, async () => {
        const answer = await ask(breakStore([name], () => new StoreError(kind, new Error(HIDDEN))), 'introspect', tokens[token] ?? '');
        expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBe(null);
        expect(answer.body).not.toContain('SELECT');
      });
    }
    for (const [name, token] of [['revokeTokenId', 'jwt'], ['revokeGrant', 'refresh'], ['findRefreshToken', 'refresh'], ['findClient', 'jwt']] as const) {
      test(`REV-18 storage ${kind} in ${name} → 503 with Retry-After, and the token lives`, async () => {
        const answer = await ask(breakStore([name], () => new StoreError(kind, new Error(HIDDEN))), 'revoke', tokens[token] ?? '');
        expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBe(null);
        expect(parseObject((await ask(application.ctx, 'introspect', tokens[token] ?? '')).body)['active']).toBe(true);
      });
    }
    test(`REV-18, REV-24 storage ${kind} when the token is nobody's or another's → the same 503`, async () => {
      for (const token of ['unknown', tokens['opaque'] ?? '']) {
        const answer = await ask(breakStore(['probe'], () => new StoreError(kind, new Error(HIDDEN))), 'revoke', token, stranger);
        expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBe(null);
      }
    });
  }

  const unexpected: Readonly<Record<string, () => unknown>> = { 'an Error': () => new Error(HIDDEN), 'a TypeError': () => new TypeError(HIDDEN), 'text': () => HIDDEN, 'nothing': () => undefined, 'a Response': () => new Response(HIDDEN, { status: 200 }) };
  for (const [what, make] of Object.entries(unexpected)) {
    for (const [name, token] of reads) {
      test(`INT-27 ${name} throws ${what} → 500 without its text`, async () => {
        const answer = await ask(breakStore([name], make), 'introspect', tokens[token] ?? '');
        expect(errorFault(answer, 500, 'server_error')).toBe(null);
        expect(answer.body).not.toContain('SELECT');
        // Operators learn that and where, with the request's id; the text may hold what the caller sent.
        expect(logged.trim().split('\n').at(-1)).toMatch(/"message":"unexpected failure".*"request_id":"test-/);
        expect(logged.trim().split('\n').at(-1)).not.toContain('SELECT');
      });
    }
  }

  test('INT-23 a token over 16 KiB → inactive without a look at keys or rows', async () => {
    const lookups = breakStore(['findOpaqueToken', 'findRefreshToken', 'readTokenRecord', 'listKeys'], () => new Error('looked'));
    const [header = '', claims = ''] = (tokens['jwt'] ?? '').split('.');
    for (const token of ['x'.repeat(16_385), `${header}.${claims}.`.padEnd(16_385, 'A'), `at_${'A'.repeat(17_000)}`]) expect(await ask(lookups, 'introspect', token)).toEqual(INACTIVE);
    expect((await ask(lookups, 'introspect', tokens['jwt'] ?? '')).status).toBe(500);
  });
});

describe('another program holds the database', () => {
  test('INT-29, REV-18 introspection goes on, revocation waits and then says 503; nothing was revoked', async () => {
    const db = new Database(join(fixture.server.data, 'assay.db'));
    const [revokeUrl, introspectUrl] = [`${fixture.server.url}/oauth2/revoke`, `${fixture.server.url}/oauth2/introspect`];
    const token = tokens['jwt'] ?? '';
    const before = storedState(fixture);
    db.run('BEGIN IMMEDIATE');
    try {
      let answered = false;
      const revoking = Promise.all([post(revokeUrl, { token }, client), post(revokeUrl, { token: tokens['refresh'] ?? '' }, client), post(revokeUrl, { token: 'unknown' }, client)])
        .finally(() => {
          answered = true;
        });
      let asked = 0;
      let slowestMs = 0;
      while (!answered) {
        const startedMs = performance.now();
        expect(parseObject((await post(introspectUrl, { token }, client)).body)['active']).toBe(true);
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        asked += 1;
        await Bun.sleep(10);
      }
      for (const answer of await revoking) expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBe(null);
      expect(asked).toBeGreaterThan(50);
      expect(slowestMs).toBeLessThan(1000);
    } finally {
      db.run('ROLLBACK');
      db.close();
    }
    expect(storedState(fixture)).toBe(before);
    expect((await post(revokeUrl, { token }, client)).status).toBe(200);
    expect(await post(introspectUrl, { token }, client)).toEqual(INACTIVE);
  });
});
