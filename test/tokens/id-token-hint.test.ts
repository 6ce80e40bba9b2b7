import { beforeAll, describe, expect, test } from 'bun:test';
import { mintJwt } from '../../src/tokens/mint.ts';
import { readIdTokenHint } from '../../src/tokens/id-token-hint.ts';
import { mintLogoutToken } from '../../src/tokens/logout-token.ts';
import { proveJwt } from '../../src/tokens/verify.ts';
import type { KeyRing } from '../../src/keys/ring.ts';
import { signingAlgorithms } from '../../src/spec/names.ts';
import { activeKey, freshKey, ringOf, signerOf } from '../keys/rings.ts';

const ISSUER = 'https://id.example.com/t/acme';
const claims = { iss: ISSUER, sub: 'usr_1', aud: 'app', sid: 'ses_1', iat: 1_000, exp: 1_300 };
const facts = { sub: 'usr_1', clientId: 'app', sid: 'ses_1' };

let ring: KeyRing;
beforeAll(async () => {
  ring = await ringOf(await activeKey('ES256'));
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('RP-Initiated Logout §2 · an ID token as a hint', () => {
  test.each(signingAlgorithms.map((algorithm) => [algorithm] as const))('LO-02 signed with %s, long expired', async (algorithm) => {
    const own = await ringOf(await activeKey(algorithm));
    expect(await readIdTokenHint(await mintJwt(signerOf(own), 'JWT', claims), own, ISSUER)).toEqual(facts);
  });

  test('LO-02 signed with a key that is retired by now', async () => {
    const former = await freshKey();
    const token = await mintJwt(signerOf(await ringOf(former)), 'JWT', claims);
    const now = await ringOf({ ...former, status: 'retired', sealedPrivate: '', retiredAtMs: 5 }, await activeKey('ES256'));
    expect(await readIdTokenHint(token, now, ISSUER)).toEqual(facts);
  });

  test('LO-02 with a list of one audience, and without sid', async () => {
    const { sid: _sid, ...bare } = claims;
    expect(await readIdTokenHint(await mintJwt(signerOf(ring), 'JWT', { ...bare, aud: ['app'] }), ring, ISSUER)).toEqual({ ...facts, sid: null });
  });

  test.each<readonly [string, string, object]>([
    ['another issuer', 'JWT', { ...claims, iss: 'https://id.example.com' }],
    ['no issuer', 'JWT', { ...claims, iss: undefined }],
    ['an access token', 'at+jwt', claims],
    ['a logout token', 'logout+jwt', claims],
    ['a type of nobody', 'secevent+jwt', claims],
    ['two audiences', 'JWT', { ...claims, aud: ['app', 'other'] }],
    ['no audience', 'JWT', { ...claims, aud: [] }],
    ['an audience that is none', 'JWT', { ...claims, aud: 7 }],
    ['no subject', 'JWT', { ...claims, sub: undefined }],
    ['a subject that is none', 'JWT', { ...claims, sub: ['usr_1'] }],
    ['a list for claims', 'JWT', [claims]],
  ])('LO-05 %s', async (_what, type, content) => {
    expect(await readIdTokenHint(await mintJwt(signerOf(ring), type, content), ring, ISSUER)).toBeNull();
  });

  test('LO-05 tampered with, cut, unsigned, by a stranger or with a revoked key', async () => {
    const token = await mintJwt(signerOf(ring), 'JWT', claims);
    const [head = '', body = '', signature = ''] = token.split('.');
    const revoked = await freshKey();
    const withRevoked = await ringOf({ ...revoked, status: 'revoked' }, await activeKey('ES256'));
    const stranger = signerOf(await ringOf(await freshKey()));
    const posing = { ...stranger, kid: signerOf(ring).kid };
    const refused = [
      `${head}.${encode({ ...claims, sub: 'usr_2' })}.${signature}`, `${head}.${body}.`, `${head}.${body}`, `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`, `${encode({ alg: 'none', typ: 'JWT', kid: signerOf(ring).kid })}.${body}.${signature}`,
      `${encode({ alg: 'HS256', typ: 'JWT', kid: signerOf(ring).kid })}.${body}.${signature}`,
      await mintJwt(stranger, 'JWT', claims), await mintJwt(posing, 'JWT', claims), '', 'a.b.c', 'x'.repeat(20_000), `${token}${'A'.repeat(20_000)}`,
    ];
    for (const hint of refused) expect([hint.slice(0, 60), await readIdTokenHint(hint, ring, ISSUER)]).toEqual([hint.slice(0, 60), null]);
    expect(await readIdTokenHint(await mintJwt(signerOf(await ringOf(revoked)), 'JWT', claims), withRevoked, ISSUER)).toBeNull();
  });
});

test('Back-Channel Logout §2.4 · LO-11, LO-12 a logout token says this and nothing else', async () => {
  const token = await mintLogoutToken(signerOf(ring), { issuer: ISSUER, clientId: 'app', sub: 'usr_1', sid: 'ses_1', id: 'jti-1', nowMs: 1_700_000_000_999 });
  expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toEqual({ alg: 'ES256', typ: 'logout+jwt', kid: signerOf(ring).kid });
  expect(await proveJwt(token, ring)).toEqual({
    ok: true, typ: 'logout+jwt',
    claims: {
      iss: ISSUER, aud: 'app', iat: 1_700_000_000, exp: 1_700_000_120, jti: 'jti-1', sub: 'usr_1', sid: 'ses_1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
  });
  expect(await readIdTokenHint(token, ring, ISSUER)).toBeNull();
});
