/** What the code relies on in Bun, storage apart, and what it works around. */
import { afterEach, describe, expect, test } from 'bun:test';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { bodyOf, listen, requestOf, type Listening } from './raw.ts';

let listening: Listening | null = null;
afterEach(async () => {
  await listening?.stop();
  listening = null;
});
function serve(fetch: Parameters<typeof listen>[0], maxRequestBodySize?: number): Listening {
  listening = listen(fetch, maxRequestBodySize);
  return listening;
}

// So a comma, and a space where none belongs, are refused (src/core/client-auth.ts, src/core/host.ts).
describe('trap 16: doubled headers', () => {
  test('trap 16: two Authorization headers arrive as one', async () => {
    const { send } = serve((request) => new Response(request.headers.get('authorization')));
    expect(bodyOf(await send(requestOf('GET / HTTP/1.1', 'Host: localhost', 'Authorization: Basic YTpi', 'Authorization: Basic Yzpk')))).toBe('Basic YTpi, Basic Yzpk');
  });

  test('trap 22: two Host headers too, or the request is refused', async () => {
    const { send } = serve((request) => new Response(request.headers.get('host')));
    const answer = await send(requestOf('GET / HTTP/1.1', 'Host: a.example', 'Host: b.example'));
    if (!answer.startsWith('HTTP/1.1 400')) expect(bodyOf(answer)).toBe('a.example, b.example');
  });
});

// So the alphabet is checked first (src/core/client-auth.ts).
test.each([['!!!YTpi', 'a:b'], ['YTpi*', 'a:b'], ['YTo', 'a:'], ['YTo_', 'a:?'], ['Y T p i', 'a:b']])('trap 17: Buffer.from takes %p for base64', (text, read) => {
  expect(Buffer.from(text, 'base64').toString('latin1')).toBe(read);
});

test('… and atob takes padding that is missing, and bits that no encoder writes', () => {
  expect([atob('YTo'), atob('YTpiYh=='), atob('YTpiYg==')]).toEqual(['a:', 'a:bb', 'a:bb']);
});

// So addresses are looked up in one place, which knows both (src/http/peer.ts).
describe('trap 18: who is at the other end', () => {
  test('trap 18: IPv4 arrives as it is, or in IPv6 clothes', async () => {
    const { port } = serve((request, server) => new Response(server.requestIP(request)?.address));
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(['127.0.0.1', '::ffff:127.0.0.1']).toContain(await answer.text());
  });

  test('trap 18: on a listener for both families, IPv4 wears IPv6 clothes', async () => {
    const server = Bun.serve({ port: 0, hostname: '::', development: false, fetch: (request, own) => new Response(own.requestIP(request)?.address) });
    const address = await (await fetch(`http://127.0.0.1:${server.port}/`)).text();
    await server.stop(true);
    expect(address).toBe('::ffff:127.0.0.1');
  });

  test('trap 18: a request that no connection brought has nobody', async () => {
    const server = Bun.serve({ port: 0, development: false, fetch: () => new Response() });
    expect(server.requestIP(new Request('http://localhost/'))).toBeNull();
    await server.stop(true);
  });
});

// So Bun's limit is only the outer wall, and our reader answers far below it (src/http/form.ts).
test('trap 19: over its limit Bun answers an empty 413 of its own', async () => {
  const { send } = serve(async (request) => new Response(await request.text()), 1024);
  const answer = await send(`${requestOf('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 2000')}${'x'.repeat(2000)}`);
  expect(answer).toStartWith('HTTP/1.1 413');
  expect(answer.toLowerCase()).not.toContain('no-store');
  expect(bodyOf(answer)).toBe('');
});

// So argon2's parameters are written out (src/keys/password.ts).
test('trap 20: left to itself, Bun.password takes 64 MiB', async () => {
  expect(await Bun.password.hash('x')).toStartWith('$argon2id$v=19$m=65536,t=2,p=1$');
});

// So Host is judged from the header, and the path is cut from text that may be no URL (src/http/gate.ts).
describe('trap 22: requests without a usable Host', () => {
  test.each([
    ['HTTP/1.0 without one', 'HTTP/1.0', [] as string[], null],
    ['a space', 'HTTP/1.1', ['Host: a b'], 'a b'],
    ['a slash', 'HTTP/1.1', ['Host: a/zz'], 'a/zz'],
    ['a user', 'HTTP/1.1', ['Host: u@h'], 'u@h'],
  ])('trap 22: %s: the URL is a bare path', async (_what, version, head, host) => {
    const { send } = serve((request) => new Response(JSON.stringify([request.url, request.headers.get('host')])));
    expect(JSON.parse(bodyOf(await send(requestOf(`GET /x?y ${version}`, ...head))))).toEqual(['/x?y', host]);
  });

  test('with a good one it is whole', async () => {
    const { send } = serve((request) => new Response(request.url));
    expect(bodyOf(await send(requestOf('GET /x?y HTTP/1.1', 'Host: Example.com:81')))).toMatch(/^http:\/\/example\.com:81\/x\?y$/i);
  });
});

// So a path with dot segments or backslashes is an endpoint's own by the time that it is judged (src/http/gate.ts).
describe('spellings of a path', () => {
  const spellings: readonly (readonly [sent: string, seen: string])[] = [
    ['/x/../oauth2/introspect', '/oauth2/introspect'], ['/../oauth2/introspect', '/oauth2/introspect'], ['/oauth2/./introspect', '/oauth2/introspect'],
    ['/x/%2e%2E/oauth2/introspect', '/oauth2/introspect'], ['/x/.%2e/oauth2/introspect', '/oauth2/introspect'], ['/oauth2\\introspect', '/oauth2/introspect'],
    ['//oauth2/introspect', '//oauth2/introspect'], ['/oauth2//introspect', '/oauth2//introspect'], ['/oauth2/introspect/', '/oauth2/introspect/'],
    ['/oauth2%2fintrospect', '/oauth2%2fintrospect'], ['/oauth2%5cintrospect', '/oauth2%5cintrospect'], ['/%6fauth2/introspect', '/%6fauth2/introspect'],
    ['/OAUTH2/introspect', '/OAUTH2/introspect'], ['/oauth2/introspect;x', '/oauth2/introspect;x'],
  ];
  test.each(spellings)('%s is seen as %s', async (sent, seen) => {
    const { send } = serve((request) => new Response(request.url));
    expect(bodyOf(await send(requestOf(`GET ${sent} HTTP/1.1`, 'Host: localhost')))).toBe(`http://localhost${seen}`);
  });
});

// So only a body of untold length is counted (src/http/body.ts).
describe('lengths of bodies', () => {
  const told = (request: Request): Response => new Response(JSON.stringify([request.headers.get('content-length'), request.body === null]));
  test.each([
    ['told', ['Content-Length: 2'], 'ab', ['2', false]], ['told twice', ['Content-Length: 2', 'Content-Length: 2'], 'ab', ['2, 2', false]],
    ['chunked', ['Transfer-Encoding: chunked'], '2\r\nab\r\n0\r\n\r\n', [null, false]], ['none', [], '', [null, true]],
  ] as const)('%s', async (_what, lines, body, seen) => {
    const { send } = serve(told);
    expect(JSON.parse(bodyOf(await send(requestOf('POST / HTTP/1.1', 'Host: localhost', ...lines) + body)))).toEqual([...seen]);
  });

  test.each([
    ['two that differ', ['Content-Length: 2', 'Content-Length: 3']], ['no number', ['Content-Length: 2x']], ['both ways', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
  ])('%s: refused by Bun', async (_what, lines) => {
    const { send } = serve(told);
    expect(await send(`${requestOf('POST / HTTP/1.1', 'Host: localhost', ...lines)}abc`)).toStartWith('HTTP/1.1 400');
  });
});

// So RSA keys are made by node's generator: /healthz does not wait for them (src/keys/generate.ts).
describe('keys are made off the main thread', () => {
  /** Longest time that the event loop stood still, milliseconds. */
  async function longestPause(work: Promise<unknown>): Promise<number> {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    await work;
    longest = Math.max(longest, performance.now() - last);
    clearInterval(timer);
    return longest;
  }

  test('the loop turns while node looks for primes', async () => {
    const startedMs = performance.now();
    const pause = await longestPause(Promise.all(Array.from({ length: 4 }, () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 }))));
    const tookMs = performance.now() - startedMs;
    // Loosely, since the machine may be busy with other things: no pause is as long as the work.
    expect(pause).toBeLessThan(Math.max(50, tookMs / 2));
  });
});

// Decoding refuses what is not UTF-8, and so do the readers of forms and of Basic that lean on it.
test('decodeURIComponent throws on escapes that are none or are no UTF-8', () => {
  for (const text of ['%', '%z', '%zz', '%ff', '%c0%80', '%ed%a0%80', '%f5%80%80%80']) expect(() => decodeURIComponent(text)).toThrow(URIError);
  expect(decodeURIComponent('%C3%A9%00')).toBe('é\0');
});

// src/http/form.ts tells broken bytes by the character that stands in for them.
test('bytes that are no UTF-8 arrive as U+FFFD', async () => {
  expect(await new Request('http://localhost/', { method: 'POST', body: new Uint8Array([0x61, 0xff, 0xfe]) }).text()).toBe('a\uFFFD\uFFFD');
});
