/** Parsers against everything that can be thought of, and against other readers of the same grammar. */
import { beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { canonicalResource, parseResources } from '../../src/core/audience.ts';
import { parseBasic, readCredentials } from '../../src/core/client-auth.ts';
import { judgeHost } from '../../src/core/host.ts';
import { issuerOf, parseOrigin } from '../../src/core/issuer.ts';
import { isSlug, layouts } from '../../src/core/layouts.ts';
import { parseScope } from '../../src/core/scope.ts';
import { canonicalHost } from '../../src/core/tenant-settings.ts';
import { issuedAtOf, makeTokenId } from '../../src/core/claims.ts';
import { parseForm, type KnownParameters } from '../../src/http/form.ts';
import type { KeyRing } from '../../src/keys/ring.ts';
import { mintAccessToken } from '../../src/tokens/mint.ts';
import { opaqueKind } from '../../src/tokens/opaque.ts';
import { looksLikeJwt, readAccessToken } from '../../src/tokens/verify.ts';
import { freshKey, ringOf, signerOf } from '../keys/rings.ts';
import { originOf } from '../core/facts.ts';
import { aTenant, T0 } from '../storage/samples.ts';

const RUNS = { numRuns: 1000 };

/** Any text: every UTF-16 unit, lone surrogates too. */
const anyText = fc.string({ unit: 'binary', maxLength: 60 });
/** Text with what parsers trip over. */
const oddText = fc.array(fc.oneof(
  fc.constantFrom('%', '%2', '%zz', '%00', '%0A', '%ff', '%C3%A9', '+', '&', '=', ':', ' ', '\t', '\n', '\0', '"', '\\', '.', '..', '/', '@', '[', ']', '{', '#', '?', ',', ';', 'Basic ', 'a', 'A', '-', '_', '~', 'é', '\u202E', '\uD800', '\uFEFF'),
  fc.string({ maxLength: 3 }),
), { maxLength: 20 }).map((parts) => parts.join(''));
const text = fc.oneof(anyText, oddText);

/** Form-urlencodes as RFC 6749 appendix B has it. */
const encode = (value: string): string => encodeURIComponent(value).replaceAll('%20', '+');
const base64 = (value: string): string => Buffer.from(value, 'latin1').toString('base64');
/** What a credential may hold: no control characters, and well-formed Unicode. */
const credential = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => value.isWellFormed() && !/\p{Cc}/u.test(value));

describe('RFC 6749 §2.3.1 · Basic', () => {
  test('CA-01, CA-02 what was encoded is read back', () => {
    fc.assert(fc.property(credential.filter((user) => user !== ''), credential, fc.constantFrom('Basic ', 'basic  ', 'BASIC '), (user, password, scheme) => {
      expect(parseBasic(`${scheme}${base64(`${encode(user)}:${encode(password)}`)}`)).toEqual({ user, password });
    }), RUNS);
  });

  test('CA-04, CA-05 any header is read or refused, never an error, and what is read holds no control character', () => {
    fc.assert(fc.property(fc.oneof(text, text.map((value) => `Basic ${value}`), text.map((value) => `Basic ${Buffer.from(value).toString('base64')}`)), (header) => {
      const read = parseBasic(header);
      if (read === null) return;
      expect(read.user).not.toBe('');
      // eslint-disable-next-line no-control-regex
      expect(read.user + read.password).not.toMatch(/[\u0000-\u001F\u007F]/);
      expect(header).toMatch(/^basic +[A-Za-z0-9+/]+={0,2}$/i);
    }), RUNS);
  });

  test('CA-05 one foreign character anywhere in the encoding, and it is refused', () => {
    const foreign = fc.constantFrom('!', '-', '_', '*', ' ', '\t', '\n', ',', '.', '%', 'é', '\0');
    fc.assert(fc.property(credential.filter((user) => user !== ''), credential, foreign, fc.double({ min: 0, max: 1, noNaN: true }), (user, password, junk, where) => {
      const encoded = base64(`${encode(user)}:${encode(password)}`);
      const index = Math.floor(where * encoded.length);
      // Spaces before it belong to the scheme.
      if (index === 0 && junk === ' ') return;
      expect(parseBasic(`Basic ${encoded.slice(0, index)}${junk}${encoded.slice(index)}`)).toBeNull();
    }), RUNS);
  });

  test('CA-10 at most one method comes out of any request', () => {
    const field = fc.option(text, { nil: undefined });
    fc.assert(fc.property(fc.option(fc.oneof(text, text.map((value) => `Basic ${Buffer.from(value).toString('base64')}`)), { nil: null }), field, field, field, (header, id, secret, assertion) => {
      const reading = readCredentials(header, {
        ...(id !== undefined && { client_id: id }), ...(secret !== undefined && { client_secret: secret }), ...(assertion !== undefined && { client_assertion: assertion }),
      });
      if (!reading.ok || reading.presented === null) return;
      const given = [header, secret, assertion].filter((value) => value !== null && value !== undefined);
      expect(given.length).toBeLessThanOrEqual(1);
      if (id !== undefined) expect(reading.presented.clientId).toBe(id);
    }), RUNS);
  });
});

const names = ['token', 'scope', 'client_id', 'resource'] as const;
const known: KnownParameters = new Map(names.map((name) => [name, name === 'resource' ? 'many' : 'once']));

describe('OAuth 2.1 §3.2 · forms', () => {
  const value = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((item) => item.isWellFormed());
  const name = fc.oneof(fc.constantFrom(...names), fc.constantFrom('token[]', 'token[0]', 'Token', '__proto__', 'constructor', 'toString', 'x', ''), value);

  test('INT-06, INT-07, INT-10, TOK-06, TOK-07 as URLSearchParams reads it: known names, not empty, never twice', () => {
    fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
      const body = new URLSearchParams(pairs).toString();
      const reading = parseForm(body, known);
      const oracle = new URLSearchParams(body);
      const repeated = names.some((key) => key !== 'resource' && oracle.getAll(key).length > 1);
      expect(reading.ok).toBe(!repeated);
      if (!reading.ok) {
        expect(reading.fault.status).toBe(400);
        return;
      }
      const expected = Object.fromEntries(names.flatMap((key): [string, unknown][] => {
        const values = oracle.getAll(key).filter((item) => item !== '');
        return values.length === 0 ? [] : [[key, key === 'resource' ? values : values[0]]];
      }));
      expect<unknown>(reading.form).toEqual(expected);
    }), RUNS);
  });

  test('INT-22, TX-01 any text is read or refused, never an error, and only known names come out', () => {
    fc.assert(fc.property(fc.oneof(text, fc.array(fc.tuple(name, text), { maxLength: 5 }).map((pairs) => pairs.map(([key, item]) => `${key}=${item}`).join('&'))), (body) => {
      const reading = parseForm(body, known);
      if (!reading.ok) {
        expect(reading.fault.description).not.toContain(body.slice(0, 8) || 'x\0');
        return;
      }
      expect(Object.getPrototypeOf(reading.form)).toBe(Object.prototype);
      for (const key of Object.keys(reading.form)) expect(known.has(key)).toBe(true);
    }), RUNS);
  });

  test('INT-22 broken escapes: refused in a known parameter, ignored in others', () => {
    fc.assert(fc.property(fc.constantFrom('%', '%z', '%zz', '%ff', '%ff%fe', '%c0%80', '%ed%a0%80', '%2'), value, (broken, around) => {
      const whole = encodeURIComponent(around) + broken;
      expect(parseForm(`token=${whole}`, known).ok).toBe(false);
      expect(parseForm(`x=${whole}&token=a&${whole}=1`, known)).toEqual({ ok: true, form: { token: 'a' } });
    }), RUNS);
  });

  test.each(['__proto__', 'constructor', 'token[]', 'token[0]', 'token.x', 'TOKEN', ' token', 'token '])('TX-05, TX-06 %p is an unknown parameter', (key) => {
    const reading = parseForm(`${encodeURIComponent(key)}=evil&token=a`, known);
    expect(reading).toEqual({ ok: true, form: { token: 'a' } });
    expect(Reflect.get({}, 'evil')).toBeUndefined();
  });

  test.each(['[1]', '{"a":1}', '["a"]', 'true', '1', 'null'])('TX-07 the value %p stays text', (item) => {
    expect(parseForm(`token=${encodeURIComponent(item)}`, known)).toEqual({ ok: true, form: { token: item } });
  });

  test.each([
    ['', {}], ['&', {}], ['&&token=a&&', { token: 'a' }], ['token', {}], ['token=', {}], ['=a', {}], ['token=a=b', { token: 'a=b' }], ['token=%20+', { token: '  ' }],
    ['%74oken=a', { token: 'a' }], ['resource=a&resource=&resource=b', { resource: ['a', 'b'] }], ['resource=a&resource=a', { resource: ['a', 'a'] }],
  ])('INT-05 %p', (body, form) => {
    expect(parseForm(body, known)).toEqual({ ok: true, form });
  });

  test.each(['token=a&token=b', 'token=a&token=a', 'token=&token=a', 'token=a&token=', 'token&token', 'token=a&%74oken=b', 'token=&token='])('INT-06 %p repeats', (body) => {
    expect(parseForm(body, known)).toEqual({ ok: false, fault: { status: 400, description: 'a parameter is repeated' } });
  });
});

describe('RFC 6749 §3.3 · scope', () => {
  const word = fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,12}$/);

  test('TOK-09, TOK-10 words in order, each once', () => {
    fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 100 }), (words) => {
      expect(parseScope(words.join(' '))).toEqual([...new Set(words)]);
    }), RUNS);
  });

  test('TOK-09 anything is read or refused, and what is read is made of allowed characters', () => {
    fc.assert(fc.property(text, (value) => {
      const words = parseScope(value);
      if (words === null) return;
      expect(words.length).toBeGreaterThan(0);
      for (const item of words) expect(item).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
      expect(parseScope(words.join(' '))).toEqual(words);
    }), RUNS);
  });
});

describe('slugs', () => {
  test('INT-34 what is one has one spelling in a URL', () => {
    fc.assert(fc.property(fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,64}$/), text), (value) => {
      if (!isSlug(value)) return;
      expect(encodeURIComponent(value)).toBe(value);
      expect(new URL(`https://h/t/${value}/x`).pathname).toBe(`/t/${value}/x`);
      expect(value.toLowerCase()).toBe(value);
      expect(value.length).toBeLessThanOrEqual(63);
    }), RUNS);
  });
});

describe('RFC 8707 §2 · resource indicators', () => {
  const uri = fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.tuple(fc.constantFrom('https://', 'HTTP://', 'urn:', 'App.Example:', ''), oddText).map((parts) => parts.join('')), text);

  test('RI-05 the canonical form is its own, and a URI', () => {
    fc.assert(fc.property(uri, (value) => {
      const canonical = canonicalResource(value);
      if (canonical === null) return;
      expect(canonicalResource(canonical)).toBe(canonical);
      expect(canonical).toMatch(/^[\x21-\x7E]+$/);
      expect(canonical).not.toContain('#');
      expect(parseResources([value, canonical])).toEqual([canonical]);
    }), RUNS);
  });

  test('RI-05 letter case of scheme and host does not matter, of all else it does', () => {
    fc.assert(fc.property(fc.webUrl(), (value) => {
      const url = new URL(value);
      const rest = url.href.slice(url.origin.length);
      expect(canonicalResource(url.origin.toUpperCase() + rest)).toBe(canonicalResource(url.origin + rest));
      expect(canonicalResource(`${url.origin}/A`)).not.toBe(canonicalResource(`${url.origin}/a`));
    }), RUNS);
  });
});

describe('RFC 9110 §7.2 · Host and origin', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6().map((address) => `[${address}]`), fc.tuple(fc.domain(), fc.nat(70_000)).map(([name, port]) => `${name}:${port}`), oddText, text);

  test('HT-01 any Host is judged, never an error; what is not malformed is plain', () => {
    const origin = originOf('https://id.example.com');
    fc.assert(fc.property(host, (value) => {
      const verdict = judgeHost(value, origin);
      if (verdict.kind === 'other') expect(verdict.host).toMatch(/^[a-z0-9.:[\]-]+$/);
      if (verdict.kind === 'own') expect(['id.example.com', 'id.example.com:443']).toContain(value.toLowerCase());
    }), RUNS);
  });

  test('MTN-02 an origin is canonical, and its own Host is its own', () => {
    fc.assert(fc.property(fc.constantFrom('http', 'https', 'HTTPS', 'ftp'), host, fc.constantFrom('', '/', '/x', '?x', '#x'), (scheme, name, after) => {
      const origin = parseOrigin(`${scheme}://${name}${after}`);
      if (origin === null) return;
      expect(parseOrigin(origin.url)).toEqual(origin);
      expect(origin.url).toBe(`${origin.scheme}://${origin.host}`);
      expect(judgeHost(origin.host, origin)).toEqual({ kind: 'own' });
      for (const layout of Object.values(layouts)) expect(issuerOf(aTenant({ layout: layout.name }), origin)).not.toEndWith('/');
    }), RUNS);
  });

  test('MTN-02 a tenant\'s hostname is canonical, and is the one that a request for it is judged to be', () => {
    const origin = originOf('https://id.example.com');
    fc.assert(fc.property(host, (value) => {
      const canonical = canonicalHost(value, origin);
      if (canonical === null || canonical === origin.host) return;
      expect(canonicalHost(canonical, origin)).toBe(canonical);
      expect(judgeHost(value, origin)).toEqual({ kind: 'other', host: canonical });
    }), RUNS);
  });
});

const ISSUER = 'https://id.example.com/t/acme';

describe('RFC 8725 · tokens', () => {
  let ring: KeyRing;
  let token: string;
  const read = (value: string) => readAccessToken(value, ring, 'ten_1', ISSUER);

  beforeAll(async () => {
    ring = await ringOf(await freshKey());
    token = await mintAccessToken(signerOf(ring), { iss: ISSUER, sub: 'usr_1', aud: 'urn:a', client_id: 'cli_1', exp: T0 / 1000 + 300, iat: T0 / 1000, jti: 'jti_1' });
  });

  test('INT-74 any text is no token, and no error', async () => {
    const segment = fc.oneof(fc.base64String({ maxLength: 40 }), fc.json({ maxDepth: 2 }).map((value) => Buffer.from(value).toString('base64url')), text);
    await fc.assert(fc.asyncProperty(fc.oneof(text, fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.'))), async (value) => {
      expect(looksLikeJwt(value)).toBe(/^[\w-]+\.[\w-]+\.[\w-]+$/.test(value) && !/[^\x21-\x7E]/.test(value));
      expect((await read(value)).ok).toBe(false);
      expect(opaqueKind(value)).toBeNull();
    }), RUNS);
  });

  test('INT-75, INT-76, INT-78 any header over a true payload', async () => {
    const headers = fc.record({
      alg: fc.oneof(fc.constantFrom('ES256', 'none', 'HS256', 'RS256', 'ES384', 'EdDSA'), fc.jsonValue()),
      typ: fc.oneof(fc.constantFrom('at+jwt', 'JWT'), fc.jsonValue()),
      kid: fc.oneof(fc.constantFrom('own'), fc.jsonValue()),
      crit: fc.jsonValue(), b64: fc.jsonValue(), jwk: fc.jsonValue(), zip: fc.jsonValue(),
    }, { requiredKeys: [] });
    const [, payload, signature] = token.split('.');
    await fc.assert(fc.asyncProperty(headers, async (header) => {
      const own = header.kid === 'own' ? { ...header, kid: signerOf(ring).kid } : header;
      const forged = `${Buffer.from(JSON.stringify(own)).toString('base64url')}.${payload}.${signature}`;
      if (forged !== token) expect((await read(forged)).ok).toBe(false);
    }), { numRuns: 500 });
  });

  test('INT-74 a true token with anything changed is never taken for another', async () => {
    const edit = fc.tuple(fc.constantFrom('change', 'insert', 'remove', 'swap'), fc.nat(), fc.constantFrom(...'ABCxyz019-_.=+/ \0é'.split('')));
    const original = await read(token);
    expect(original.ok).toBe(true);
    const bytesOf = (value: string): string => value.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')).join('.');
    await fc.assert(fc.asyncProperty(edit, async ([kind, at, character]) => {
      const index = at % token.length;
      const changed = kind === 'insert' ? token.slice(0, index) + character + token.slice(index)
        : kind === 'remove' ? token.slice(0, index) + token.slice(index + 1)
          : kind === 'swap' ? token.slice(0, index) + token.slice(index, index + 2).split('').toReversed().join('') + token.slice(index + 2)
            : token.slice(0, index) + character + token.slice(index + 1);
      const reading = await read(changed);
      // The last character of a part has bits that encode nothing: another spelling of the very same bytes is no forgery.
      if (reading.ok) {
        expect(bytesOf(changed)).toBe(bytesOf(token));
        expect<unknown>(reading).toEqual(original);
      }
    }), RUNS);
  });

  test('AT-10 token ids keep their millisecond, and take any text for what it is', () => {
    fc.assert(fc.property(fc.nat(Number.MAX_SAFE_INTEGER), anyText, (random, value) => {
      const ms = random % (36 ** 9);
      expect(issuedAtOf(makeTokenId(ms, 'x'), Math.floor(ms / 1000))).toBe(ms);
      const read36 = issuedAtOf(value, 1);
      if (read36 !== null) expect(Math.floor(read36 / 1000)).toBe(1);
    }), RUNS);
  });
});
