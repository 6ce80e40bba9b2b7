import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { makePostForm, makePostJson, type GuardOptions } from '../../src/outbound/guarded-fetch.ts';
import { makeCertificate } from '../helpers/certificate.ts';
import { needProgram } from '../helpers/programs.ts';
import { startReceiver, type Receiver } from './receiver.ts';

const openssl = await needProgram('openssl');
const certificate = openssl === undefined ? undefined : makeCertificate(openssl);
const tls = certificate === undefined ? null : { key: readFileSync(certificate.keyFile, 'utf8'), cert: certificate.pem };

let receiver: Receiver | null = null;
async function open(secure = false): Promise<Receiver> {
  receiver = await startReceiver(secure ? tls : null);
  return receiver;
}
afterEach(async () => {
  await receiver?.close();
  receiver = null;
});

/** A resolver that says these addresses, and how often it was asked. */
function resolver(...addresses: readonly string[]): { readonly resolve: NonNullable<GuardOptions['resolve']>; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve: (name) => {
      asked.push(name);
      return addresses.length === 0 ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(addresses);
    },
  };
}

describe('what arrives', () => {
  test('SS-08 a form by POST with a fixed User-Agent, and nothing else of ours', async () => {
    const { port, calls } = await open();
    expect(await makePostForm({ loopbackTargets: true })(`http://127.0.0.1:${port}/logout?a=1`, { logout_token: 'a.b+c=&d' })).toEqual({ status: 200 });
    expect(calls).toEqual([{
      method: 'POST', url: '/logout?a=1', body: 'logout_token=a.b%2Bc%3D%26d',
      headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/x-www-form-urlencoded', 'content-length': '27', 'user-agent': 'Assay', connection: 'close' },
    }]);
  });

  test('SS-08 a JSON document with the headers that it is given, and nothing else of ours', async () => {
    const target = await open();
    target.answer = 429;
    target.headers = { 'Retry-After': '7' };
    const { port, calls } = target;
    expect(await makePostJson({ loopbackTargets: true })(`http://127.0.0.1:${port}/in?a=1`, '{"text":"Zoë"}', { 'webhook-id': 'evt_1' })).toEqual({ status: 429, retryAfter: '7' });
    expect(calls).toEqual([{
      method: 'POST', url: '/in?a=1', body: '{"text":"Zoë"}',
      headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/json', 'content-length': '15', 'user-agent': 'Assay', connection: 'close', 'webhook-id': 'evt_1' },
    }]);
  });

  test.skipIf(tls === null)('SS-03 over TLS to the judged address, with the name in Host and SNI, and its certificate verified', async () => {
    const { port, calls } = await open(true);
    const { resolve, asked } = resolver('127.0.0.1');
    const url = `https://localhost:${port}/`;
    const trusting = makePostForm({ loopbackTargets: true, resolve, ca: tls?.cert ?? '' });
    expect(await trusting(url, {})).toEqual({ status: 200 });
    expect([asked, calls[0]?.headers.host]).toEqual([['localhost'], `localhost:${port}`]);
    expect(await makePostForm({ loopbackTargets: true, resolve })(url, {})).toEqual({ failure: 'tls' });
    expect(calls).toHaveLength(1);
  });
});

describe('what is not called', () => {
  test.each([
    ['SS-01 http', 'http://rp.example/', ['93.184.216.34']],
    ['SS-01 another port', 'https://rp.example:8443/', ['93.184.216.34']],
    ['SS-01 a user name', 'https://u:p@rp.example/', ['93.184.216.34']],
    ['SS-02 a name that is loopback', 'https://rp.example/', ['127.0.0.1']],
    ['SS-02 a name that is private', 'https://rp.example/', ['10.1.2.3']],
    ['SS-02 cloud metadata', 'https://rp.example/', ['169.254.169.254']],
    ['SS-02 a mapped address', 'https://rp.example/', ['::ffff:127.0.0.1']],
    ['SS-02 NAT64', 'https://rp.example/', ['64:ff9b::a00:1']],
    ['SS-02 one good address and one bad', 'https://rp.example/', ['93.184.216.34', '127.0.0.1']],
    ['SS-02 one bad address and one good', 'https://rp.example/', ['fe80::1', '93.184.216.34']],
    ['SS-02 what is no address', 'https://rp.example/', ['evil']],
    ['SS-02 a private address itself, whatever a resolver says', 'https://10.0.0.1/', ['93.184.216.34']],
    ['SS-02 an IPv6 address itself', 'https://[fd00::1]/', ['93.184.216.34']],
    ['SS-06 a number', 'https://2130706433/', ['93.184.216.34']],
    ['SS-06 a dot at its end', 'https://localhost./', ['127.0.0.1']],
    ['SS-09 this machine without the switch', 'http://127.0.0.1:1/', ['127.0.0.1']],
    ['LO-15 a fragment', 'https://rp.example/#x', ['93.184.216.34']],
  ])('%s', async (_what, url, addresses) => {
    expect(await makePostForm({ loopbackTargets: false, resolve: resolver(...addresses).resolve })(url, {})).toEqual({ failure: 'blocked' });
    expect(await makePostJson({ loopbackTargets: false, resolve: resolver(...addresses).resolve })(url, '{}', {})).toEqual({ failure: 'blocked' });
  });

  test('SS-09 with the switch, a loopback name that leads elsewhere, and a name elsewhere that leads here', async () => {
    const { port, calls } = await open();
    expect(await makePostForm({ loopbackTargets: true, resolve: resolver('10.0.0.1').resolve })(`http://localhost:${port}/`, {})).toEqual({ failure: 'blocked' });
    expect(await makePostForm({ loopbackTargets: true, resolve: resolver('127.0.0.1').resolve })(`https://rp.example/`, {})).toEqual({ failure: 'blocked' });
    expect(calls).toEqual([]);
  });

  test('a name that nobody has', async () => {
    expect(await makePostForm({ loopbackTargets: false, resolve: resolver().resolve })('https://rp.example/', {})).toEqual({ failure: 'unresolved' });
  });

  test('SS-03 the name is resolved once: a second answer would not count', async () => {
    const { port } = await open();
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    let asked = 0;
    const post = makePostForm({ loopbackTargets: true, resolve: () => Promise.resolve(answers[asked++] ?? []) });
    expect(await post(`http://localhost:${port}/`, {})).toEqual({ status: 200 });
    expect(asked).toBe(1);
  });
});

describe('what may be slow, large or elsewhere', () => {
  test('SS-04 a redirect is an answer and is not followed', async () => {
    const target = await open();
    target.answer = 307;
    target.headers = { Location: `http://127.0.0.1:${target.port}/other` };
    expect(await makePostForm({ loopbackTargets: true })(`http://127.0.0.1:${target.port}/`, {})).toEqual({ status: 307 });
    expect(target.calls.map(({ url }) => url)).toEqual(['/']);
  });

  test('SS-05 an endless body is not read', async () => {
    const target = await open();
    target.answer = 'endless';
    const before = performance.now();
    expect(await makePostForm({ loopbackTargets: true })(`http://127.0.0.1:${target.port}/`, {})).toEqual({ status: 200 });
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('SS-05, LO-13 no answer: 5 seconds and no more', async () => {
    const target = await open();
    target.answer = 'hang';
    const before = performance.now();
    expect(await makePostForm({ loopbackTargets: true })(`http://127.0.0.1:${target.port}/`, {})).toEqual({ failure: 'timeout' });
    expect(performance.now() - before).toBeGreaterThan(4_900);
    expect(performance.now() - before).toBeLessThan(6_000);
  }, 10_000);

  test('SS-05 a header that never ends, byte by byte, is late too', async () => {
    const dripping = createServer((socket) => {
      const timer = setInterval(() => socket.write('H'), 20);
      socket.on('close', () => clearInterval(timer)).on('error', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => {
      dripping.listen(0, '127.0.0.1', resolve);
    });
    const { port } = dripping.address() as AddressInfo;
    const outcome = await makePostForm({ loopbackTargets: true, timeoutMs: 300 })(`http://127.0.0.1:${port}/`, {});
    expect(outcome).toEqual({ failure: expect.stringMatching(/^(?:timeout|unreachable)$/) });
    dripping.close();
  });

  test('a resolver that never answers is late too', async () => {
    expect(await makePostForm({ loopbackTargets: false, resolve: () => new Promise(() => undefined), timeoutMs: 100 })('https://rp.example/', {})).toEqual({ failure: 'timeout' });
  });

  test('SS-07 nobody there is one word', async () => {
    const { port } = await open();
    await receiver?.close();
    receiver = null;
    expect(await makePostForm({ loopbackTargets: true })(`http://127.0.0.1:${port}/`, {})).toEqual({ failure: 'unreachable' });
  });

  test('after a timeout nothing of the call is left open', async () => {
    const closed = Promise.withResolvers<void>();
    const mute = createServer((socket) => socket.on('close', () => closed.resolve()).on('error', () => undefined).resume());
    await new Promise<void>((resolve) => {
      mute.listen(0, '127.0.0.1', resolve);
    });
    const { port } = mute.address() as AddressInfo;
    expect(await makePostForm({ loopbackTargets: true, timeoutMs: 100 })(`http://127.0.0.1:${port}/`, {})).toEqual({ failure: 'timeout' });
    await closed.promise;
    mute.close();
  });
});

test('SS-10 proxies of the environment are not used', async () => {
  const { port, calls } = await open();
  const child = Bun.spawn([process.execPath, '-e', `
    const { makePostForm } = await import(${JSON.stringify(new URL('../../src/outbound/guarded-fetch.ts', import.meta.url).pathname)});
    console.log(JSON.stringify(await makePostForm({ loopbackTargets: true })('http://127.0.0.1:${port}/', {})));
  `], { env: { ...Bun.env, HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9', NO_PROXY: '', no_proxy: '' }, stdout: 'pipe' });
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual({ status: 200 });
  expect(calls).toHaveLength(1);
});
