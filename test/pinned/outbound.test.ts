/** What calls to the outside rely on in Bun's node:https and node:http (src/outbound/guarded-fetch.ts). */
import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createServer, request, type RequestOptions } from 'node:https';
import { request as requestPlain } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { makeCertificate } from '../helpers/certificate.ts';
import { needProgram } from '../helpers/programs.ts';
import { startReceiver } from '../outbound/receiver.ts';

const openssl = await needProgram('openssl');
const certificate = openssl === undefined ? undefined : makeCertificate(openssl);

let close: (() => void) | null = null;
afterEach(() => {
  close?.();
  close = null;
});

function pinTo(address: string, asked: string[]): LookupFunction {
  return (hostname, { all }, callback) => {
    asked.push(hostname);
    if (all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
}

/** Status, or the code of the error. */
function call(options: RequestOptions, by: typeof request | typeof requestPlain = request): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const sent = by({ method: 'POST', path: '/', agent: false, ...options }, (response) => {
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.on('error', (error) => resolve(String(Reflect.get(error, 'code'))));
    sent.end();
  });
}

describe.skipIf(certificate === undefined)('node:https', () => {
  test('SS-03 connects to the address that `lookup` says and to no other, once, with the name in Host and SNI', async () => {
    const seen: unknown[] = [];
    const server = createServer({ key: readFileSync(there(certificate).keyFile), cert: there(certificate).pem }, (incoming, response) => {
      seen.push(incoming.headers.host, Reflect.get(incoming.socket, 'servername'));
      response.end();
    });
    close = () => server.close();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const asked: string[] = [];
    const good: RequestOptions = { hostname: 'localhost', port, ca: there(certificate).pem, lookup: pinTo('127.0.0.1', asked) };
    expect(await call(good)).toBe(200);
    expect([asked, seen]).toEqual([['localhost'], [`localhost:${port}`, 'localhost']]);
    expect(await call({ ...good, lookup: pinTo('127.0.0.9', []) })).toBe('ECONNREFUSED');
    expect(await call({ ...good, hostname: 'rp.example' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await call({ hostname: 'localhost', port, lookup: pinTo('127.0.0.1', []) })).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(seen).toHaveLength(2);
  });
});

test('SS-04 node:http does not follow redirects', async () => {
  const receiver = await startReceiver();
  close = () => void receiver.close();
  receiver.answer = 302;
  receiver.headers = { Location: `http://127.0.0.1:${receiver.port}/other` };
  expect(await call({ hostname: '127.0.0.1', port: receiver.port }, requestPlain)).toBe(302);
  expect(receiver.calls.map(({ url }) => url)).toEqual(['/']);
});

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('openssl is missing');
  return value;
}
