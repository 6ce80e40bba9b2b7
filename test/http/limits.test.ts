/** Requests that are too large, too slow, or broken, and connections that are used as HTTP/1 lets them be (HT-04…08, HT-19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Tenant } from '../../src/core/model.ts';
import { basic } from '../helpers/server.ts';
import { defaultTenant, errorFault, introspect, issue, jsonAnswer, makeClient, post, send, sendRaw, startFixture, type Credentials, type Fixture } from '../helpers/fixture.ts';

const FORM = 'application/x-www-form-urlencoded';
const PATHS = ['/oauth2/introspect', '/oauth2/revoke', '/oauth2/token'] as const;

let fixture: Fixture;
let home: Tenant;
let svc: Credentials;
let token: string;
let port: number;
let origin: string;

beforeAll(async () => {
  fixture = await startFixture();
  ({ port, url: origin } = fixture.server);
  home = await defaultTenant(fixture);
  svc = await makeClient(fixture, home, 'svc', { scopes: ['a'] });
  token = (await issue(fixture, home, 'svc')).access_token;
});
afterAll(() => fixture.close());

const authorization = (): string => basic(svc.id, svc.secret);
/** Head lines of a POST by the client `svc`. */
const head = (path: string, ...more: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Authorization: ${authorization()}`, `Content-Type: ${FORM}`, ...more, '', ''].join('\r\n');
const good = (path = '/oauth2/introspect'): string => `${head(path, `Content-Length: ${6 + token.length}`)}token=${token}`;
/** Status of each answer in what a connection received. */
const statuses = (text: string): readonly number[] => [...text.matchAll(/HTTP\/1\.[01] ([0-9]{3})/g)].map(([, status]) => Number(status));
const serves = async (): Promise<boolean> => (await introspect(fixture, home, svc, token))['active'] === true;

describe('limits', () => {
  for (const path of PATHS) {
    test(`RFC 9110 §15.5.14 · HT-04 body over 64 KiB at ${path} → 413 in JSON, at it → read; Bun's own wall is further out`, async () => {
      const fits = await post(origin + path, `token=x&grant_type=client_credentials&filler=${'x'.repeat(65_536 - 45)}`.slice(0, 65_536), svc);
      expect(fits).toEqual(jsonAnswer(200, fits.body));
      for (const size of [65_537, 200_000, 1_000_000]) {
        expect(errorFault(await post(origin + path, `token=${'x'.repeat(size)}`.slice(0, size), svc), 413, 'request_too_large')).toBeNull();
      }
      expect(await serves()).toBe(true);
    });
  }

  test('RFC 9110 §15.5.14 · HT-04 64 KiB are bytes: fewer characters of more bytes → 413', async () => {
    const answer = await post(`${origin}/oauth2/introspect`, `token=${'é'.repeat(33_000)}`, svc);
    expect(errorFault(answer, 413, 'request_too_large')).toBeNull();
  });

  test('RFC 9110 §15.5.14 · HT-04 chunked, its length never told: over 64 KiB → 413; within → read', async () => {
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const ask = (size: number): Promise<string> => sendRaw(port, `${head('/oauth2/introspect', 'Transfer-Encoding: chunked')}${chunk(`token=${token}&x=`)}${chunk('x'.repeat(size))}0\r\n\r\n`);
    expect(await ask(1_000)).toContain('{"active":true');
    const large = await ask(70_000);
    expect(statuses(large)).toEqual([413]);
    expect(large).toContain('"error":"request_too_large"');
  });

  test('RFC 9110 §8.4 · HT-04 a compressed body → 415, never decompressed', async () => {
    for (const encoding of ['gzip', 'deflate', 'br', 'identity, gzip']) {
      const answer = await send(`${origin}/oauth2/introspect`, {
        method: 'POST', body: gzipSync('token=x'.repeat(100_000)), headers: { 'Content-Type': FORM, 'Content-Encoding': encoding, Authorization: authorization() },
      });
      expect(errorFault(answer, 415, 'invalid_request')).toBeNull();
    }
  });

  const heavy: readonly (readonly [name: string, request: () => string, wanted: readonly number[]])[] = [
    ['one header of 20 KiB', () => `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${'x'.repeat(20_480)}\r\n\r\n`, [431]],
    ['headers of 20 KiB together', () => `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${Array.from({ length: 40 }, (_, index) => `X-${index}: ${'x'.repeat(500)}`).join('\r\n')}\r\n\r\n`, [431]],
    ['300 headers', () => `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${Array.from({ length: 300 }, (_, index) => `X-${index}: x`).join('\r\n')}\r\n\r\n`, [431]],
    ['a URL of 20 KiB', () => `GET /${'x'.repeat(20_480)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, [414, 431]],
  ];
  for (const [name, request, wanted] of heavy) {
    test(`RFC 6585 §5 · HT-05 ${name} → ${wanted.join(' or ')}`, async () => {
      const [status = 0] = statuses(await sendRaw(port, request()));
      expect(wanted).toContain(status);
      expect(await serves()).toBe(true);
    });
  }

  test('RFC 9110 §15.5.9 · HT-06 slow bodies and heads: cut by our own deadline, drip-feeding does not extend it; others are served meanwhile', async () => {
    const began = performance.now();
    /** Sends a byte now and then until the server has had enough; when that was, in ms, and what it said. */
    const drip = (first: string): Promise<{ readonly ms: number; readonly text: string }> => new Promise((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(first));
      const timer = setInterval(() => socket.write('x'), 500);
      const end = (): void => {
        clearInterval(timer);
        socket.destroy();
        resolve({ ms: performance.now() - began, text });
      };
      socket.on('data', (data: Buffer) => {
        text += data.toString();
        end();
      });
      socket.on('close', end);
      socket.on('error', end);
      setTimeout(end, 20_000);
    });
    const body = `${head('/oauth2/introspect', 'Content-Length: 5000')}token=x`;
    const slow = [drip(body), drip(`POST /oauth2/introspect HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `)];
    const idle = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    for (const socket of idle) socket.write(body);
    while (performance.now() - began < 3_000) {
      const askedAt = performance.now();
      expect(await serves()).toBe(true);
      expect(performance.now() - askedAt).toBeLessThan(1_000);
      await Bun.sleep(100);
    }
    const [slowBody, slowHead] = await Promise.all(slow);
    for (const socket of idle) socket.destroy();
    expect(statuses(slowBody?.text ?? '')).toEqual([400]);
    expect(slowBody?.ms).toBeGreaterThan(9_000);
    expect(slowBody?.ms).toBeLessThan(13_000);
    expect(slowHead?.ms).toBeLessThan(16_000);
    expect(statuses(slowHead?.text ?? '')).not.toContain(200);
  }, 30_000);
});

describe('messages', () => {
  const body = (): string => `token=${token}`;
  const broken: readonly (readonly [name: string, request: () => string])[] = [
    ['Content-Length and Transfer-Encoding', () => `${head('/oauth2/introspect', `Content-Length: ${body().length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${good()}`],
    ['two different Content-Length', () => `${head('/oauth2/introspect', `Content-Length: ${body().length}`, 'Content-Length: 0')}${body()}`],
    ['Content-Length that is no number', () => `${head('/oauth2/introspect', 'Content-Length: 5x')}${body()}`],
    ['negative Content-Length', () => `${head('/oauth2/introspect', 'Content-Length: -1')}${body()}`],
    ['a bare line feed for a line end', () => good().replaceAll('\r\n', '\n')],
    ['NUL in a header', () => `${head('/oauth2/introspect', 'X: a\0b', `Content-Length: ${body().length}`)}${body()}`],
    ['white space before the colon', () => `${head('/oauth2/introspect', `Content-Length : ${body().length}`)}${body()}`],
    ['a chunk size that is no number', () => `${head('/oauth2/introspect', 'Transfer-Encoding: chunked')}zz\r\n${body()}\r\n0\r\n\r\n`],
    ['HTTP/2.0', () => good().replace('HTTP/1.1', 'HTTP/2.0')],
    ['HTTP/9.9', () => good().replace('HTTP/1.1', 'HTTP/9.9')],
    ['no HTTP at all', () => 'hello\r\n\r\n'],
    ['an unknown transfer encoding', () => `${head('/oauth2/introspect', 'Transfer-Encoding: gzip')}${body()}`],
  ];
  for (const [name, request] of broken) {
    test(`RFC 9112 §6.3 · HT-07 ${name} → refused and closed; nothing is smuggled`, async () => {
      const text = await sendRaw(port, `${request()}GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, 300);
      expect(text).not.toContain('"active":true');
      expect(statuses(text).every((status) => [400, 404, 405, 413, 414, 431, 501, 505].includes(status))).toBe(true);
      expect(statuses(text).length).toBeLessThanOrEqual(1);
      expect(await serves()).toBe(true);
    });
  }

  test('RFC 9112 §9.3 · HT-08 keep-alive: one connection, ten requests one after another', async () => {
    const received = await new Promise<string>((resolve, reject) => {
      let text = '';
      let sent = 1;
      const socket = connect(port, '127.0.0.1', () => socket.write(good()));
      socket.on('data', (data: Buffer) => {
        text += data.toString();
        if (statuses(text).length < sent || !text.endsWith('}')) return;
        if (sent === 10) socket.end(() => resolve(text));
        else socket.write(good());
        sent += 1;
      });
      socket.on('error', reject);
    });
    expect(statuses(received)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(received.match(/"active":true/g)).toHaveLength(10);
  });

  test('RFC 9112 §9.3.2 · HT-08 pipelining: answers in the order of the requests', async () => {
    const text = await sendAll(`${good()}${good('/oauth2/token')}${`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`}${good()}`, 4);
    expect(statuses(text)).toEqual([200, 400, 200, 200]);
    expect(text.indexOf('"active":true')).toBeLessThan(text.indexOf('"error":"invalid_request"'));
    expect(text.lastIndexOf('"active":true')).toBeGreaterThan(text.indexOf('"status":"ok"'));
  });

  test('RFC 9112 §C · HT-08 HTTP/1.0, as nginx sends upstream: an answer with Content-Length, then closed; keep-alive where asked', async () => {
    const text = await sendRaw(port, good().replace('HTTP/1.1', 'HTTP/1.0'));
    expect(statuses(text)).toEqual([200]);
    expect(text).toMatch(/\r\ncontent-length: [1-9][0-9]*\r\n/i);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toContain('"active":true');
  });

  test('RFC 9110 §10.1.1 · HT-08 Expect: 100-continue is answered', async () => {
    const text = await sendRaw(port, `${head('/oauth2/introspect', 'Expect: 100-continue', `Content-Length: ${body().length}`)}${body()}`);
    expect(statuses(text).at(-1)).toBe(200);
  });

  for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'FOO', 'get']) {
    test(`RFC 9110 §9.3 · HT-19 ${method} is refused, and reflects nothing`, async () => {
      for (const path of ['/oauth2/introspect', '/.well-known/openid-configuration', '/healthz']) {
        const text = await sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Canary: reflected\r\nConnection: close\r\n\r\n`);
        expect(statuses(text).every((status) => [400, 404, 405, 501].includes(status))).toBe(true);
        expect(text).not.toContain('reflected');
      }
    });
  }

  /** Like sendRaw, for several answers on one connection. */
  function sendAll(bytes: string, answers: number): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      const timer = setTimeout(() => socket.destroy(), 3_000);
      socket.on('data', (data: Buffer) => {
        text += data.toString();
        if (statuses(text).length >= answers && /\}\s*$/.test(text)) socket.end();
      });
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(text);
      });
      socket.on('error', reject);
    });
  }
});
