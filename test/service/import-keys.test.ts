import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { issuerOf } from '../../src/core/issuer.ts';
import type { Client, Tenant } from '../../src/core/model.ts';
import { importVerificationKeys } from '../../src/service/import-keys.ts';
import { introspect } from '../../src/service/introspect.ts';
import { publishedKeys } from '../../src/service/key-rings.ts';
import { revokeKey } from '../../src/service/manage-keys.ts';
import { inspectToken } from '../../src/service/manage-tokens.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { revoke } from '../../src/service/revoke.ts';
import { tellUserinfo } from '../../src/service/userinfo.ts';
import { readIdTokenHint } from '../../src/tokens/id-token-hint.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const OLD = 'https://old.example.com/realms/acme';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicJwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), kid: 'old-1', use: 'sig', alg: 'RS256', ...more });

let rig: Rig;
let acme: Tenant;
let svc: Client;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
  ({ client: svc } = await rig.client(acme, 'svc', { scopes: ['a'], introspect: 'tenant' }));
  wanted(await createUser(rig.ctx, acme, 'usr_1', { username: 'jane', email: '' }));
  wanted(await importVerificationKeys(rig.ctx, acme, OLD, { keys: [publicJwk(pair.publicKey), { kty: 'RSA', use: 'enc', kid: 'enc', n: 'x', e: 'AQAB' }] }));
});
afterEach(() => rig.close());

type Wish = { readonly typ?: string; readonly kid?: string; readonly alg?: string; readonly key?: KeyObject };

/** A token of the former server's, as Keycloak words it, but for what a test names; undefined leaves a claim out. */
async function tokenOf(claims: Readonly<Record<string, unknown>> = {}, { typ = 'JWT', kid = 'old-1', alg = 'RS256', key = pair.privateKey }: Wish = {}): Promise<string> {
  const nowS = Math.floor(rig.clock.now() / 1000);
  const all = {
    iss: OLD, sub: 'usr_1', azp: 'svc', typ: 'Bearer', scope: 'a openid', aud: 'account', jti: 'jti-1', sid: 'sid-1', iat: nowS - 5, exp: nowS + 600, ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg, kid, typ }).sign(key);
}

async function reasonOf(token: string): Promise<string | null> {
  const inspection = await inspectToken(rig.ctx, acme, token);
  return inspection.reason;
}

describe('access tokens of a former issuer', () => {
  test('are active, with what they say themselves; `iss` is theirs', async () => {
    const outcome = await introspect(rig.ctx, acme, svc, await tokenOf());
    expect(outcome).toMatchObject({
      active: true, issuer: OLD, scopes: ['a', 'openid'],
      facts: { kind: 'access', clientId: 'svc', subject: 'usr_1', userId: 'usr_1', audience: ['account'], id: 'jti-1', sessionId: 'sid-1', grantId: null },
    });
    expect(await inspectToken(rig.ctx, acme, await tokenOf())).toMatchObject({ known: true, issuer: OLD, reason: null });
  });

  const words: readonly (readonly [name: string, claims: Readonly<Record<string, unknown>>, typ: string | undefined, facts: object])[] = [
    ['RFC 9068', { azp: undefined, typ: undefined, client_id: 'svc' }, 'at+jwt', { clientId: 'svc', scopes: ['a', 'openid'] }],
    ['a list of scopes', { scope: ['a', 'b'] }, undefined, { scopes: ['a', 'b'] }],
    ['scp, and the client as cid', { azp: undefined, typ: undefined, scope: undefined, scp: ['a'], cid: 'svc' }, undefined, { scopes: ['a'], clientId: 'svc' }],
    ['scp as text', { scope: undefined, scp: 'a b' }, undefined, { scopes: ['a', 'b'] }],
    ['the client as audience', { azp: undefined, aud: 'svc' }, undefined, { clientId: 'svc', audience: ['svc'] }],
    ['no audience', { aud: undefined }, undefined, { audience: [] }],
    ['a client for itself', { sub: 'svc' }, undefined, { userId: null, subject: 'svc' }],
    ['a client for itself, as Auth0 has it', { sub: 'svc@clients', gty: 'client-credentials' }, undefined, { userId: null, subject: 'svc@clients' }],
    ['a client for itself, as Keycloak has it', { sub: 'f0e1', preferred_username: 'service-account-svc' }, undefined, { userId: null, subject: 'f0e1' }],
    ['a client for itself, without a subject', { sub: undefined }, undefined, { userId: null, subject: 'svc' }],
    ['token_use', { typ: undefined, token_use: 'access', scope: undefined }, undefined, { scopes: [] }],
    ['bound to a key', { cnf: { jkt: 'thumb' } }, undefined, { confirmation: { jkt: 'thumb' } }],
  ];
  test.each(words)('in the words of other products: %s', async (_name, claims, typ, facts) => {
    const token = await tokenOf(claims, typ === undefined ? {} : { typ });
    expect(await introspect(rig.ctx, acme, svc, token)).toMatchObject({ active: true, facts });
  });

  const refused: readonly (readonly [name: string, claims: Readonly<Record<string, unknown>>, wish: Wish, reason: string])[] = [
    ['RFC 8725 §3.11 an ID token by its nonce', { nonce: 'n' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an ID token by its at_hash', { at_hash: 'h' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an ID token by its c_hash', { c_hash: 'h' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an ID token by its word', { typ: 'ID' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an ID token by another product\'s word', { typ: undefined, token_use: 'id' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an ID token that has nothing of its own', { typ: undefined, scope: undefined }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 a refresh token', { typ: 'Refresh' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 an offline token', { typ: 'Offline' }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 a logout token', { typ: undefined, events: {} }, {}, 'wrong_type'],
    ['RFC 8725 §3.11 a logout token by its header', {}, { typ: 'logout+jwt' }, 'wrong_type'],
    ['a word that is no text', { typ: 7 }, {}, 'wrong_type'],
    ['another issuer', { iss: 'https://else.example.com' }, {}, 'wrong_issuer'],
    ['INT-83 our own issuer by a former key', { iss: 'https://id.example.com/t/acme' }, {}, 'wrong_issuer'],
    ['no issuer', { iss: undefined }, {}, 'wrong_issuer'],
    ['another\'s signature', {}, { key: stranger.privateKey }, 'bad_signature'],
    ['INT-76 another algorithm of the same key', {}, { alg: 'PS256' }, 'bad_signature'],
    ['an unknown key', {}, { kid: 'old-2' }, 'bad_signature'],
    ['no end', { exp: undefined }, {}, 'wrong_type'],
    ['no beginning', { iat: undefined }, {}, 'wrong_type'],
    ['no client', { azp: undefined, aud: undefined }, {}, 'wrong_type'],
    ['a binding that cannot be read', { cnf: { other: 'x' } }, {}, 'wrong_type'],
    ['expired', { exp: 1_700_000_000 }, {}, 'expired'],
    ['from the future', { iat: 4_000_000_000, exp: 4_000_000_600 }, {}, 'issued_in_future'],
    ['of a client that is not here', { azp: 'nobody' }, {}, 'client_unknown'],
    ['of a person who is not here', { sub: 'usr_9' }, {}, 'user_unknown'],
    ['of a person who is called like another client for itself', { sub: 'usr_9', preferred_username: 'service-account-other' }, {}, 'user_unknown'],
  ];
  test.each(refused)('refused: %s', async (_name, claims, wish, reason) => {
    expect(await reasonOf(await tokenOf(claims, wish))).toBe(reason);
  });

  test('REV-12 a token is revoked by its id, for its issuer alone; one without an id by what was signed', async () => {
    const from = { ip: null, requestId: null };
    const [token, again, other, nameless] = [await tokenOf(), await tokenOf({ scope: 'a' }), await tokenOf({ jti: 'jti-2' }), await tokenOf({ jti: undefined })];
    await revoke(rig.ctx, acme, svc, token, from);
    expect([await reasonOf(token), await reasonOf(again), await reasonOf(other), await reasonOf(nameless)]).toEqual(['revoked', 'revoked', null, null]);
    await revoke(rig.ctx, acme, svc, nameless, from);
    expect([await reasonOf(nameless), await reasonOf(other), await reasonOf(await tokenOf({ jti: undefined, sid: 'sid-2' }))]).toEqual(['revoked', null, null]);
    expect(await rig.ctx.store.readTokenRecord(acme.id, 'jti-1', null)).toEqual({ revoked: false, grantRevoked: false });
  });

  test('JK-05 and all of them with the key; what it was is said', async () => {
    const token = await tokenOf();
    const kept = there((await rig.ctx.store.listKeys(acme.id)).find(({ kid }) => kid === 'old-1'));
    expect(wanted(await revokeKey(rig.ctx, acme, 'old-1'))).toMatchObject({ signedSinceMs: null, tokensUntilMs: kept.retiredAtMs, grants: 0, idTokens: false });
    expect(await reasonOf(token)).toBe('key_revoked');
    expect(await importVerificationKeys(rig.ctx, acme, OLD, { keys: [publicJwk(pair.publicKey)] })).toMatchObject({ ok: false, error: 'conflict' });
  });

  test('MTN-04 they are nothing to another tenant, and nothing to whoever does not ask for them', async () => {
    const other = await rig.tenant('other');
    const token = await tokenOf();
    expect(await inspectToken(rig.ctx, other, token)).toMatchObject({ known: false });
    const issuer = issuerOf(acme, rig.ctx.origin());
    expect(await rig.ctx.tokens.read(acme, issuer, token)).toEqual({ known: false, reason: 'wrong_issuer' });
    expect(await tellUserinfo(rig.ctx, acme, await tokenOf({ aud: issuer }), rig.ctx.by)).toEqual({ ok: false, error: 'invalid_token' });
    const idToken = await tokenOf({ iss: issuer, aud: 'svc', typ: undefined });
    expect(await readIdTokenHint(idToken, await rig.ctx.rings.of(acme.id), issuer)).toBeNull();
  });

  test('JK-01 the key is published only as one of this very issuer, and signs nothing', async () => {
    const ring = await rig.ctx.rings.of(acme.id);
    const kidsFor = (issuer: string): readonly string[] => publishedKeys(ring, issuer).keys.map(({ kid }) => kid);
    expect(kidsFor(issuerOf(acme, rig.ctx.origin()))).toEqual(ring.published.keys.map(({ kid }) => kid));
    expect(ring.published.keys.map(({ kid }) => kid)).not.toContain('old-1');
    expect(kidsFor(OLD)).toEqual([...ring.published.keys.map(({ kid }) => kid), 'old-1']);
    expect(ring.published.keys).toHaveLength(2);
    expect(ring.verifiers.has('old-1')).toBe(false);
    expect(ring.signer?.kid).not.toBe('old-1');
    expect(await rig.events('key_imported')).toMatchObject([{ subject: 'old-1', reason: OLD, actor: 'operator' }]);
  });
});

describe('importing keys', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  test('RFC 7517 every algorithm, named or not; without an id by its thumbprint; again changes nothing', async () => {
    const jwks = { keys: [ec.publicKey.export({ format: 'jwk' }), { ...ed.publicKey.export({ format: 'jwk' }), alg: 'Ed25519', kid: 'ed' }, publicJwk(stranger.publicKey, { alg: 'PS256', kid: 'ps' })] };
    const first = wanted(await importVerificationKeys(rig.ctx, acme, OLD, jwks, { keepDays: 2 }));
    expect(first.added.map(({ algorithm }) => algorithm)).toEqual(['ES256', 'EdDSA', 'PS256']);
    expect(first.added.map(({ kid }) => kid)).toEqual([expect.stringMatching(/^[\w-]{43}$/), 'ed', 'ps']);
    expect(first.added.every(({ retiredAtMs, sealedPrivate }) => retiredAtMs === rig.clock.now() + 2 * 86_400_000 && sealedPrivate === '')).toBe(true);
    expect(wanted(await importVerificationKeys(rig.ctx, acme, OLD, jwks))).toMatchObject({ added: [], known: first.added.map(({ kid }) => kid) });
  });

  const wrong: readonly (readonly [name: string, key: unknown])[] = [
    ['a private key', pair.privateKey.export({ format: 'jwk' })],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['RFC 8725 §3.5 an RSA key that is too short', publicJwk(small.publicKey, { kid: 'small' })],
    ['RFC 8725 §3.5 an RSA key under which everybody signs', publicJwk(stranger.publicKey, { kid: 'one', e: 'AQ' })],
    ['an RSA key with an even exponent', publicJwk(stranger.publicKey, { kid: 'two', e: 'Ag' })],
    ['an RSA key that takes long to verify with', publicJwk(stranger.publicKey, { kid: 'long', e: '_'.repeat(80) + '8' })],
    ...['00'.repeat(32), `01${'00'.repeat(31)}`, `${'00'.repeat(31)}80`, 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'].map((hex): readonly [string, object] => [
      'RFC 8725 §3.5 a point under which everybody signs', { kty: 'OKP', crv: 'Ed25519', kid: 'ed0', x: Buffer.from(hex, 'hex').toString('base64url') },
    ]),
    ['a curve that we do not verify', p384.publicKey.export({ format: 'jwk' })],
    ['an algorithm that we do not verify', publicJwk(stranger.publicKey, { kid: 'x', alg: 'RS512' })],
    ['a point that is not on its curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['a key without what makes it one', { kty: 'RSA', e: 'AQAB' }],
    ['an id that is not text', publicJwk(stranger.publicKey, { kid: 7 })],
    ['an id with a space', publicJwk(stranger.publicKey, { kid: 'a b' })],
    ['no object', 'key'],
  ];
  test.each(wrong)('refused, and nothing of the set is kept: %s', async (_name, key) => {
    const before = await rig.ctx.store.listKeys(acme.id);
    const outcome = await importVerificationKeys(rig.ctx, acme, OLD, { keys: [publicJwk(stranger.publicKey, { kid: 'fine' }), key] });
    expect(outcome).toMatchObject({ ok: false, error: 'invalid_request', member: 'jwks' });
    expect(await rig.ctx.store.listKeys(acme.id)).toEqual(before);
  });

  test('JK-02 an id that is taken by another key: refused', async () => {
    expect(await importVerificationKeys(rig.ctx, acme, OLD, { keys: [publicJwk(stranger.publicKey)] })).toMatchObject({ ok: false, error: 'already_exists' });
    expect(await importVerificationKeys(rig.ctx, acme, 'https://third.example.com', { keys: [publicJwk(pair.publicKey)] })).toMatchObject({ ok: false, error: 'already_exists' });
  });

  test.each(['', 'old.example.com', 'ftp://x', 'https://x/?a', 'https://x/#a', 'https://x y'])('an issuer that is none: %p', async (issuer) => {
    expect(await importVerificationKeys(rig.ctx, acme, issuer, { keys: [] })).toMatchObject({ ok: false, error: 'invalid_request', member: 'issuer' });
  });

  test.each([null, {}, { keys: 'x' }, { keys: Array.from({ length: 33 }, () => ({})) }])('a set that is none: %p', async (jwks) => {
    expect(await importVerificationKeys(rig.ctx, acme, OLD, jwks)).toMatchObject({ ok: false, error: 'invalid_request', member: 'jwks' });
  });
});
