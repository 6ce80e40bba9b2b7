/** Strangers who send much, and failures of our own that must neither last nor hide what was done. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { layouts } from '../../src/core/layouts.ts';
import type { Tenant } from '../../src/core/model.ts';
import { StoreError } from '../../src/core/store.ts';
import { makeRequestHandler } from '../../src/http/app.ts';
import { readBody } from '../../src/http/body.ts';
import { makeBrowserOrigins } from '../../src/http/cors.ts';
import { once } from '../../src/http/docs-pages.ts';
import { forBrowsers } from '../../src/http/endpoints/cross-origin.ts';
import { makeLongestLifetime } from '../../src/http/endpoints/jwks.ts';
import { makeHostWarnings } from '../../src/http/host-warnings.ts';
import { Peer } from '../../src/http/peer.ts';
import { updateClient } from '../../src/service/manage-clients.ts';
import { basic } from '../helpers/server.ts';
import { defaultTenant, homeUrl, issue, makeClient, makePublicClient, makeTenant, must, post, sendRaw, startFixture, until, type Credentials, type Fixture } from '../helpers/fixture.ts';

const FORM = 'application/x-www-form-urlencoded';

let fixture: Fixture;
let home: Tenant;
let svc: Credentials;
let token: string;
let port: number;

beforeAll(async () => {
  fixture = await startFixture();
  ({ port } = fixture.server);
  home = await defaultTenant(fixture);
  svc = await makeClient(fixture, home, 'svc');
  token = (await issue(fixture, home, 'svc')).access_token;
});
afterAll(() => fixture.close());

const head = (length: number): string =>
  ['POST /oauth2/introspect HTTP/1.1', `Host: 127.0.0.1:${port}`, `Authorization: ${basic(svc.id, svc.secret)}`, `Content-Type: ${FORM}`, `Content-Length: ${length}`, '', ''].join('\r\n');

describe('bodies', () => {
  test('RFC 9110 §15.5.14 · HT-04 a body that says it is over 64 KiB → 413 before any of it was sent, and the connection goes on', async () => {
    const early = await sendRaw(port, head(65_537));
    expect(early).toStartWith('HTTP/1.1 413 ');
    expect(early).toContain('"error":"request_too_large"');
    const form = `token=${token}`;
    const both = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(head(100_000)));
      socket.on('data', (data: Buffer) => {
        if (text === '') socket.write(`${'x'.repeat(100_000)}${head(form.length)}${form}`);
        text += data.toString();
        if (text.includes('"active":true')) socket.end();
      });
      socket.on('close', () => resolve(text));
      socket.setTimeout(3_000, () => socket.destroy());
    });
    expect(both).toContain('"active":true');
  });

  test('MTN-11, RL-07 bodies that never come take up nothing of a tenant\'s part', async () => {
    const path = new URL(homeUrl(fixture, home, 'token')).pathname;
    const slow = await Promise.all(Array.from({ length: 530 }, () => new Promise<Socket>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(head(100).replace('/oauth2/introspect', path), () => resolve(socket)));
      socket.once('error', reject);
    })));
    try {
      // Each of these comes after all of those.
      for (let round = 0; round < 3; round += 1) expect((await post(homeUrl(fixture, home, 'token'), { grant_type: 'client_credentials' }, svc)).status).toBe(200);
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });

  test('RFC 9110 §15.5.14 · HT-04 an endless chunked body → 413 while it is still being sent', async () => {
    const chunked = head(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    const answer = await sendRaw(port, `${chunked}${`4000\r\n${'x'.repeat(16_384)}\r\n`.repeat(5)}`);
    expect(answer).toStartWith('HTTP/1.1 413 ');
  });

  test('RFC 9110 §15.6.4 · HT-06 too many bodies on their way → 503 with Retry-After; a body that came with its head is served', async () => {
    // In this process, where the other bodies are waited for.
    const handle = makeRequestHandler(fixture.application.ctx, {
      proxies: { none: true, has: () => false }, bootId: 'crowd', docs: false, logRequests: false, readiness: { stopping: false, clockBehindMs: () => 0 },
    });
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', development: false, fetch: (request, own) => handle(request, own) });
    const at = server.port ?? 0;
    const ends: (() => void)[] = [];
    const stuck = Array.from({ length: 10_000 }, () => readBody(new Request('http://localhost/', {
      method: 'POST', body: new ReadableStream({ start: (controller) => void ends.push(() => controller.close()) }),
    })));
    const form = `token=${token}`;
    try {
      expect(await sendRaw(at, `${head(form.length)}${form}`)).toContain('"active":true');
      const late = await sendRaw(at, head(form.length));
      expect(late).toStartWith('HTTP/1.1 503 ');
      expect(late).toContain('"error":"temporarily_unavailable"');
      expect(late).toMatch(/^retry-after: 1\r$/im);
    } finally {
      for (const end of ends) end();
      await Promise.all(stuck);
    }
    const slow = new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(at, '127.0.0.1', () => {
        socket.write(head(form.length));
        setTimeout(() => socket.write(form), 50);
      });
      socket.on('data', (data: Buffer) => {
        text += data.toString();
        socket.end();
      });
      socket.on('close', () => resolve(text));
    });
    expect(await slow).toContain('"active":true');
    await server.stop(true);
  });
});

describe('HT-01 the log, where strangers rotate Host values', () => {
  test('ten lines a minute, then one with the count of those left out; each Host once, cut to 100 characters', () => {
    const lines: (readonly [string, unknown])[] = [];
    let nowMs = 5;
    const keep = (message: string, fields?: unknown): void => void lines.push([message, fields]);
    const warn = makeHostWarnings({ debug: keep, info: keep, warn: keep, error: keep }, { monotonic: () => nowMs }, () => 'https://as.example');
    for (let index = 0; index < 500; index += 1) warn(`${index}.${'x'.repeat(300)}.example`, 'id');
    warn(`0.${'x'.repeat(300)}.example`, 'id');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toEqual(['unexpected host', { host: `0.${'x'.repeat(98)}`, origin: 'https://as.example', request_id: 'id', fix: expect.stringContaining('--origin') as unknown }]);
    nowMs += 59_999;
    warn('late.example', 'id');
    expect(lines).toHaveLength(10);
    nowMs += 1;
    warn('next.example', 'id');
    expect(lines.slice(10)).toEqual([
      ['unexpected hosts left out of the log', { requests: 491 }], ['unexpected host', expect.objectContaining({ host: 'next.example' }) as unknown],
    ]);
    nowMs += 60_000;
    warn('another.example', 'id');
    expect(lines).toHaveLength(13);
  });

  test('at the server', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => sendRaw(port, `GET / HTTP/1.1\r\nHost: ${index}.lost.example\r\n\r\n`)));
    await until('the log tells', () => fixture.server.logs().includes('.lost.example'));
    await Bun.sleep(50);
    expect(fixture.server.logs().split('\n').filter((line) => line.includes('.lost.example'))).toHaveLength(10);
  });
});

describe('pages of public clients', () => {
  test('HT-09 a redirect URI with the default port, or in capitals, is the origin that browsers send', async () => {
    await makePublicClient(fixture, home, 'spa', {
      redirectUris: ['https://app.example:443/cb', 'HTTPS://Caps.Example/cb', 'https://app.example:8443/cb', 'http://127.0.0.1:80/cb', 'com.example.app:/cb'],
    });
    const origins = makeBrowserOrigins(fixture.application.ctx.store);
    for (const origin of ['https://app.example', 'https://caps.example', 'https://app.example:8443', 'http://127.0.0.1']) expect([origin, await origins.allows(home, origin)]).toEqual([origin, true]);
    for (const origin of ['https://app.example:443', 'null', '', 'com.example.app:', 'http://app.example']) expect([origin, await origins.allows(home, origin)]).toEqual([origin, false]);
  });

  test('REV-19 whether a page may read is decided before the endpoint acts: a failure there hides nothing that was done', async () => {
    let acted = 0;
    const handler = forBrowsers({ ctx: fixture.application.ctx }, {
      allows: () => Promise.reject(new StoreError('busy', new Error('busy'))),
    }, layouts.root, () => {
      acted += 1;
      return Promise.resolve(new Response());
    });
    const ask = (headers: Record<string, string>): Promise<Response> => {
      const request = new Request('http://localhost/oauth2/revoke', { method: 'POST', headers });
      return handler(request, { site: { kind: 'own' }, peer: new Peer(request, 'id', null, { none: true, has: () => false }), host: 'localhost' }, undefined, {});
    };
    expect(await ask({ Origin: 'https://app.example' }).catch((error: unknown) => error)).toBeInstanceOf(StoreError);
    expect(acted).toBe(0);
    await ask({});
    expect(acted).toBe(1);
  });
});

test('DS-25 how long a suspended tenant\'s keys stay is worked out once, until anything changes', async () => {
  const tenant = await makeTenant(fixture, 'asleep');
  await makeClient(fixture, tenant, 'long', { accessTokenTtl: 3_000 });
  const { store } = fixture.application.ctx;
  let asked = 0;
  const longestOf = makeLongestLifetime({
    epoch: () => store.epoch(),
    listClients: (id) => {
      asked += 1;
      return store.listClients(id);
    },
  });
  for (let again = 0; again < 5; again += 1) expect(await longestOf(tenant)).toBe(3_000);
  expect(asked).toBe(1);
  must(await updateClient(fixture.application.ctx, tenant, 'long', { accessTokenTtl: 3_500 }));
  expect([await longestOf(tenant), asked]).toEqual([3_500, 2]);
});

test('HT-18 what is made once is made again after it failed, and only then', async () => {
  let made = 0;
  const make = once(() => {
    made += 1;
    return made === 1 ? Promise.reject(new Error('no file')) : Promise.resolve(made);
  });
  expect(await make().catch((error: unknown) => error)).toBeInstanceOf(Error);
  expect([await make(), await make(), made]).toEqual([2, 2, 2]);
});
