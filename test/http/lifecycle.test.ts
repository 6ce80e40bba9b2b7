/** Starting, being healthy, stopping, sharing data, and trouble with the disk (HT-21, HT-22, OP-05, OP-06, TOK-17). */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled } from '../../src/service/manage-clients.ts';
import { basic, openData, removeFolder, startServer, untilReady, type RunningServer } from '../helpers/server.ts';
import {
  defaultTenant, errorFault, introspect, issue, issuePair, jsonAnswer, makeClient, makeTenant, makeUser, must, parseObject, post, send, startFixture, storedState,
  until, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const FORM = 'application/x-www-form-urlencoded';
const USER_GRANTS = ['client_credentials', 'refresh_token'] as const;

/** A server with a client, seeded and with nobody else on its data. */
async function startAlone(): Promise<{ readonly server: RunningServer; readonly client: Credentials }> {
  const server = await startServer();
  await untilReady(server);
  const application = await openData(server.data);
  const fixture: Fixture = { server, application, close: async () => undefined };
  const client = await makeClient(fixture, await defaultTenant(fixture), 'svc');
  await application.close();
  return { server, client };
}

/** Sends the beginning of a request; `finish` sends the rest and reads the answer. */
async function beginRequest(server: RunningServer, client: Credentials): Promise<{ readonly finish: () => Promise<string>; readonly socket: Socket }> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const body = 'token=whatever';
  socket.write(`POST /oauth2/introspect HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: ${basic(client.id, client.secret)}\r\n`
    + `Content-Type: ${FORM}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 6)}`);
  await Bun.sleep(150);
  return {
    socket,
    async finish() {
      socket.write(body.slice(6));
      await Promise.race([closed, until('an answer', () => text.includes('}'))]);
      socket.destroy();
      return text;
    },
  };
}

describe('health', () => {
  test('HT-22, HT-12 /healthz and /readyz: constant answers, GET and HEAD only, nothing else in them, credentials make no difference', async () => {
    const server = await startServer();
    await untilReady(server);
    for (const [path, body] of [['/healthz', '{"status":"ok"}'], ['/readyz', '{"status":"ready"}']] as const) {
      const url = server.url + path;
      expect(await send(url, {})).toEqual(jsonAnswer(200, body));
      expect(await send(`${url}?x=y`, { headers: { Authorization: 'Basic eDp5' } })).toEqual(jsonAnswer(200, body));
      expect(await send(url, { method: 'HEAD' })).toEqual({ ...jsonAnswer(200, body), body: '' });
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(errorFault(await send(url, { method }), 405, 'method_not_allowed', { allow: 'GET, HEAD' })).toBeNull();
      expect(errorFault(await send(`${url}/`, {}), 404, 'not_found')).toBeNull();
    }
    expect(await server.stop()).toBe(0);
    removeFolder(server.data);
  });

  test('HT-22, JK-06 while the first RSA keys are made: alive, not ready, tokens and key set → 503 with Retry-After; then ready', async () => {
    const server = await startServer({ env: { ASSAY_RSA_BITS: '4096' } });
    const seen = { alive: 0, notReady: 0, busy: 0 };
    for (;;) {
      const [live, ready, jwks] = await Promise.all(['/healthz', '/readyz', '/oauth2/jwks.json'].map((path) => send(server.url + path, {})));
      expect(live).toEqual(jsonAnswer(200, '{"status":"ok"}'));
      seen.alive += 1;
      if (jwks?.status === 503) {
        expect(errorFault(jwks, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBeNull();
        seen.busy += 1;
      }
      if (ready?.status === 200) break;
      expect(ready).toEqual(jsonAnswer(503, '{"status":"not_ready","problems":["keys"]}', { 'retry-after': '1' }));
      seen.notReady += 1;
      await Bun.sleep(5);
    }
    expect(seen.alive).toBeGreaterThan(1);
    expect(seen.notReady).toBeGreaterThan(0);
    const { body } = await send(`${server.url}/oauth2/jwks.json`, {});
    expect(Buffer.from((JSON.parse(body) as { keys: { n: string }[] }).keys[0]?.n ?? '', 'base64url')).toHaveLength(512);
    // The second key may still be in the making: a stop does not wait for it.
    expect(await server.stop()).toBe(0);
    removeFolder(server.data);
  }, 60_000);
});

describe('stopping', () => {
  test('HT-21 SIGTERM: no new connections, what is under way is finished, the journal is emptied, exit 0', async () => {
    const { server, client } = await startAlone();
    const idle = connect(server.port, '127.0.0.1').on('error', () => undefined);
    const { finish } = await beginRequest(server, client);
    const stopped = server.stop();
    await Bun.sleep(300);
    const refused = await fetch(`http://127.0.0.1:${server.port}/healthz`).then(() => 'answered', () => 'refused');
    expect(refused).toBe('refused');
    const answer = await finish();
    expect(answer).toStartWith('HTTP/1.1 200');
    expect(answer).toEndWith('{"active":false}');
    expect(await stopped).toBe(0);
    idle.destroy();
    const wal = join(server.data, 'assay.db-wal');
    expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
    const lines = server.logs().trim().split('\n').map((line) => parseObject(line)['event']);
    expect(lines).toContain('stopping');
    removeFolder(server.data);
  }, 20_000);

  test('HT-21 idle keep-alive connections do not hold it up; on them readiness says stopping', async () => {
    const { server, client } = await startAlone();
    const { socket: slow } = await beginRequest(server, client);
    let text = '';
    const kept = connect(server.port, '127.0.0.1');
    kept.on('data', (data: Buffer) => {
      text += data.toString();
    });
    kept.on('error', () => undefined);
    const ask = (): boolean => kept.write(`GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    ask();
    await until('the first answer', () => text.includes('"ready"'));
    const stopped = server.stop();
    await Bun.sleep(200);
    text = '';
    ask();
    await Bun.sleep(200);
    // Either the connection was closed with the rest, or it tells.
    if (text !== '') expect(text).toContain('"problems":["stopping"]');
    slow.destroy();
    const began = performance.now();
    expect(await stopped).toBe(0);
    expect(performance.now() - began).toBeLessThan(3_000);
    kept.destroy();
    removeFolder(server.data);
  }, 20_000);

  test('HT-21 what never finishes is cut after 10 s; exit 0 all the same', async () => {
    const { server, client } = await startAlone();
    const { socket } = await beginRequest(server, client);
    const began = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(13_000);
    socket.destroy();
    removeFolder(server.data);
  }, 30_000);
});

describe('two servers on one data folder', () => {
  test('OP-03, OP-05, INT-97, TRT-13 what one does the other knows in its next request; a refresh token is spent once among both', async () => {
    const first = await startFixture();
    const { server } = first;
    const second = await startServer({ data: server.data, args: ['--origin', server.url], env: { ASSAY_RATE_LIMITS: 'off', ASSAY_REFRESH_GRACE: '10' } });
    try {
      const tenant = await makeTenant(first, 'shared');
      const client = await makeClient(first, tenant, 'web', { grants: USER_GRANTS });
      await makeUser(first, tenant, 'alice');
      const base = '/t/shared/protocol/openid-connect';
      const at = (to: RunningServer, path: string, form: Readonly<Record<string, string>>, as = client): Promise<Answer> =>
        post(`http://127.0.0.1:${to.port}${base}/${path}`, form, as, { Host: `127.0.0.1:${server.port}` });

      for (let round = 0; round < 20; round += 1) {
        const { access, refresh } = await issuePair(first, tenant, 'web', 'alice');
        const [here, there] = round % 2 === 0 ? [server, second] : [second, server];
        for (const token of [access, refresh]) expect((await at(there, 'introspect', { token })).body).toStartWith('{"active":true');
        expect((await at(here, 'revoke', { token: round % 4 < 2 ? access : refresh })).status).toBe(200);
        expect((await at(there, 'introspect', { token: access })).body).toBe('{"active":false}');
      }
      for (let round = 0; round < 5; round += 1) {
        const { refresh } = await issuePair(first, tenant, 'web', 'alice');
        const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => at(index % 2 === 0 ? server : second, 'token', { grant_type: 'refresh_token', refresh_token: refresh })));
        expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
        expect(new Set(answers.map(({ body }) => parseObject(body)['refresh_token'])).size).toBe(1);
      }
      must(await setClientEnabled(first.application.ctx, tenant, 'web', false));
      for (const to of [server, second]) expect((await at(to, 'introspect', { token: 'x' })).status).toBe(401);
    } finally {
      await second.stop();
      await first.close();
    }
  }, 20_000);
});

describe('trouble with the disk', () => {
  test('OP-06, TOK-17, INT-29, REV-18 the database is locked too long: changes → 503 with Retry-After and none is half done; reading goes on; then all is well', async () => {
    const fixture = await startFixture();
    const lock = new Database(join(fixture.server.data, 'assay.db'));
    try {
      const home = await defaultTenant(fixture);
      const [web, opaque] = [await makeClient(fixture, home, 'web', { grants: USER_GRANTS }), await makeClient(fixture, home, 'opaque', { tokenFormat: 'opaque' })];
      await makeUser(fixture, home, 'alice');
      const { access, refresh } = await issuePair(fixture, home, 'web', 'alice');
      const { access_token: other } = await issue(fixture, home, 'web');
      const url = (path: string): string => `${fixture.server.url}/oauth2/${path}`;
      const before = storedState(fixture);
      const changes: readonly (() => Promise<Answer>)[] = [
        () => post(url('revoke'), { token: other }, web), () => post(url('revoke'), { token: refresh }, web), () => post(url('revoke'), { token: 'unknown' }, web),
        () => post(url('token'), { grant_type: 'refresh_token', refresh_token: refresh }, web), () => post(url('token'), { grant_type: 'client_credentials' }, opaque),
      ];

      lock.run('BEGIN IMMEDIATE');
      const waiting = Promise.all(changes.map((change) => change()));
      // What readiness found lately holds for a second.
      const readiness = Bun.sleep(1_050).then(() => send(`${fixture.server.url}/readyz`, {}));
      for (let question = 0; question < 20; question += 1) {
        const askedAt = performance.now();
        expect(await introspect(fixture, home, web, access)).toMatchObject({ active: true });
        expect((await post(url('token'), { grant_type: 'client_credentials' }, web)).status).toBe(200);
        expect(performance.now() - askedAt).toBeLessThan(500);
        await Bun.sleep(50);
      }
      for (const answer of await waiting) expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBeNull();
      expect(await readiness).toEqual(jsonAnswer(503, '{"status":"not_ready","problems":["database"]}', { 'retry-after': '1' }));
      expect(storedState(fixture)).toBe(before);
      lock.run('ROLLBACK');

      await until('the log tells', () => fixture.server.logs().includes('"event":"storage failed"'));
      for (const token of [access, refresh, other]) expect(await introspect(fixture, home, web, token)).toMatchObject({ active: true });
      const [revoked, , , refreshed, issued] = [await changes[0]?.(), null, null, await changes[3]?.(), await changes[4]?.()];
      for (const answer of [revoked, refreshed, issued]) expect(answer?.status).toBe(200);
      await untilReady(fixture.server);
    } finally {
      lock.close();
      await fixture.close();
    }
  }, 30_000);

  const limited = process.platform === 'linux' && Bun.which('prlimit') !== null;
  test.skipIf(!limited)('OP-06, TOK-17, REV-19 the disk is full: 503 and nothing half done, reading goes on; space returns, and so does service', async () => {
    const kib = 1_500;
    const fixture = await startFixture({ prefix: ['prlimit', `--fsize=${kib * 1024}:`, 'sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'] });
    try {
      const home: Tenant = await defaultTenant(fixture);
      const web = await makeClient(fixture, home, 'web', { grants: USER_GRANTS });
      await makeUser(fixture, home, 'alice');
      const url = (path: string): string => `${fixture.server.url}/oauth2/${path}`;
      const { access: live } = await issuePair(fixture, home, 'web', 'alice');
      const tokens = await Promise.all(Array.from({ length: 400 }, async () => (await issue(fixture, home, 'web')).access_token));
      let full: { readonly token: string; readonly answer: Answer } | undefined;
      for (const token of tokens) {
        const answer = await post(url('revoke'), { token }, web);
        if (answer.status === 200) expect(await introspect(fixture, home, web, token)).toEqual({ active: false });
        else full ??= { token, answer };
        if (full !== undefined) break;
      }
      expect(full === undefined ? 'never full' : errorFault(full.answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBeNull();
      for (const token of [live, full?.token ?? '']) expect(await introspect(fixture, home, web, token)).toMatchObject({ active: true });
      expect((await post(url('token'), { grant_type: 'client_credentials' }, web)).status).toBe(200);
      expect((await send(`${fixture.server.url}/readyz`, {})).status).toBeOneOf([200, 503]);
      await until('the log tells', () => fixture.server.logs().includes('"event":"storage failed"'));

      Bun.spawnSync(['prlimit', '--pid', String(fixture.server.pid), '--fsize=unlimited:']);
      expect((await post(url('revoke'), { token: full?.token ?? '' }, web)).status).toBe(200);
      expect(await introspect(fixture, home, web, full?.token ?? '')).toEqual({ active: false });
      await untilReady(fixture.server);
    } finally {
      await fixture.close();
    }
  }, 40_000);
});
