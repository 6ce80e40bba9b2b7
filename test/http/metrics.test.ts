/** What operators are shown: metrics on their own listener and with an API key, activity, and traces. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scrape } from '../metrics/exposition.ts';
import type { Tenant } from '../../src/core/model.ts';
import { createApiKey, everything } from '../../src/service/manage-access.ts';
import { attributesOf, Collector } from '../helpers/collector.ts';
import {
  auditOf, defaultTenant, freePort, homeUrl, introspect, issue, issuePair, makeClient, makeTenant, makeUser, must, post, send, sendRaw, startFixture, until, urlOf, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const COLLECTOR_SECRET = 'collector-secret-canary';

let fixture: Fixture;
let collector: Collector;
let listener: string;
let folder: string;
let acme: Tenant;
let client: Credentials;
let apiKey: string;
/** Everything that must never be told. */
const secrets: string[] = [];

async function keyWith(scopes: readonly string[], tenant: Tenant | null = null): Promise<string> {
  const { text } = must(await createApiKey(fixture.application.ctx, everything, { name: scopes.join(' '), scopes, tenant, ttl: null }));
  secrets.push(text);
  return text;
}

const bearer = (key: string): Readonly<Record<string, string>> => ({ Authorization: `Bearer ${key}` });

/** The metrics as the listener tells them now. */
async function scrape(): Promise<Scrape> {
  return new Scrape((await send(`${listener}/metrics`, {})).body);
}

/** By how much figures grew during something. */
async function growth(work: () => Promise<unknown>, figures: readonly (readonly [name: string, labels: Readonly<Record<string, string>>])[]): Promise<readonly number[]> {
  const before = await scrape();
  await work();
  const after = await scrape();
  return figures.map(([name, labels]) => (after.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0));
}

const server = (): string => fixture.application.ctx.origin().url;

beforeAll(async () => {
  collector = new Collector();
  folder = temporaryFolder();
  const headersFile = join(folder, 'headers');
  writeFileSync(headersFile, `# for the collector\n\nAuthorization: Bearer ${COLLECTOR_SECRET}\nX-Scope:  assay \n`);
  const port = await freePort();
  listener = `http://127.0.0.1:${port}`;
  fixture = await startFixture({ args: ['--metrics', `127.0.0.1:${port}`], env: { ASSAY_OTLP_ENDPOINT: collector.url, ASSAY_OTLP_HEADERS_FILE: headersFile } });
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth', introspectionPolicy: 'issued_to' });
  client = await makeClient(fixture, acme, 'gateway-canary', { grants: ['client_credentials', 'refresh_token'], scopes: ['read'] });
  apiKey = await keyWith(['admin:metrics:read']);
  secrets.push(client.secret, COLLECTOR_SECRET);
}, 30_000);

afterAll(async () => {
  await fixture.close();
  await collector.close();
  removeFolder(folder);
});

describe('metrics count what happened', () => {
  test('introspections by result, and by policy', async () => {
    const other = await makeClient(fixture, acme, 'other', { scopes: ['read'] });
    const { access_token: token } = await issue(fixture, acme, client.id);
    secrets.push(token, other.secret);
    expect(await growth(async () => {
      expect(await introspect(fixture, acme, client, token)).toMatchObject({ active: true });
      // From memory, and counted all the same.
      await introspect(fixture, acme, client, token);
      await introspect(fixture, acme, client, 'no token');
      await introspect(fixture, acme, other, token);
      await post(homeUrl(fixture, acme, 'introspect'), { token }, { id: client.id, secret: 'wrong-secret-canary' });
    }, [
      ['assay_introspections_total', { result: 'active' }], ['assay_introspections_total', { result: 'not_a_token' }], ['assay_introspections_total', { result: 'policy' }],
      ['assay_introspection_policy_total', { outcome: 'denied' }], ['assay_client_authentication_failures_total', { reason: 'wrong_secret' }],
      ['assay_http_requests_total', { endpoint: 'introspect', layout: 'realm', status: '200' }], ['assay_http_requests_total', { endpoint: 'introspect', layout: 'realm', status: '401' }],
      ['assay_http_request_duration_seconds', { endpoint: 'introspect', layout: 'realm', outcome: '2xx' }], ['assay_errors_total', { error: 'invalid_client' }],
      ['assay_cache_lookups_total', { cache: 'answers', result: 'hit' }],
    ])).toEqual([2, 1, 1, 1, 1, 4, 1, 4, 1, 1]);
  });

  test('tokens issued, revocations by what came of them, and a spent refresh token', async () => {
    const user = await makeUser(fixture, acme, 'jane-canary');
    const { access, refresh } = await issuePair(fixture, acme, client.id, user.username);
    secrets.push(access, refresh, user.username);
    const revoke = (token: string): Promise<unknown> => post(homeUrl(fixture, acme, 'revoke'), { token }, client);
    const exchange = (form: Readonly<Record<string, string>>): Promise<unknown> => post(homeUrl(fixture, acme, 'token'), form, client);
    expect(await growth(async () => {
      await exchange({ grant_type: 'client_credentials' });
      await exchange({ grant_type: 'refresh_token', refresh_token: refresh });
      const { body } = await post(homeUrl(fixture, acme, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, client);
      const next = (JSON.parse(body) as { readonly refresh_token: string }).refresh_token;
      secrets.push(next);
      await exchange({ grant_type: 'refresh_token', refresh_token: next });
      await exchange({ grant_type: 'refresh_token', refresh_token: refresh });
      await revoke(access);
      await revoke(access);
      await revoke('nothing of ours');
    }, [
      ['assay_tokens_issued_total', { grant_type: 'client_credentials', format: 'jwt' }], ['assay_tokens_issued_total', { grant_type: 'refresh_token', format: 'jwt' }],
      ['assay_refresh_reuse_total', {}], ['assay_revocations_total', { outcome: 'revoked' }], ['assay_revocations_total', { outcome: 'already' }], ['assay_revocations_total', { outcome: 'unknown' }],
      ['assay_errors_total', { error: 'invalid_grant' }],
    ])).toEqual([1, 3, 1, 1, 1, 1, 1]);
  });

  test('storage, its rows and keys, the process', async () => {
    let found = await scrape();
    await until('all rows are counted', async () => {
      found = await scrape();
      return found.value('assay_rows', { table: 'tenants' }) !== undefined;
    });
    expect(found.value('assay_rows', { table: 'tenants' })).toBeGreaterThanOrEqual(1);
    expect(found.value('assay_database_bytes')).toBeGreaterThan(100_000);
    expect(found.value('assay_storage_commit_seconds')).toBeGreaterThan(0);
    expect(found.labelValues('assay_signing_key_age_seconds', 'tenant')).toContain('acme');
    expect(found.value('assay_signing_key_oldest_seconds')).toBeGreaterThanOrEqual(found.value('assay_signing_key_age_seconds', { tenant: 'acme' }) ?? Number.NaN);
    expect(found.value('assay_outbox_waiting', { kind: 'mail' })).toBe(0);
    expect(found.value('process_resident_memory_bytes')).toBeGreaterThan(20_000_000);
    expect(found.value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(Math.abs((found.value('process_start_time_seconds') ?? 0) - Date.now() / 1000)).toBeLessThan(300);
    expect(found.value('assay_build_info')).toBe(1);
  });

  test('every family that is a counter only grows', async () => {
    const before = await scrape();
    await introspect(fixture, acme, client, 'no token');
    const after = await scrape();
    for (const { name, type, metrics } of before.families) {
      if (type !== 'COUNTER') continue;
      for (const { labels = {}, value } of metrics) expect({ name, labels, grew: (after.value(name, labels) ?? -1) >= Number(value) }).toEqual({ name, labels, grew: true });
    }
  });

  test('LG-01 no stranger\'s word becomes a label: junk makes no new ones', async () => {
    const junk = (index: number): string => `junk-${index}-canary`;
    const strange = async (index: number): Promise<void> => {
      await send(`${server()}/${junk(index)}/oauth2/introspect`, {});
      await send(`${server()}/t/${junk(index)}/protocol/openid-connect/introspect`, { method: 'POST', body: `token=${junk(index)}` });
      await post(homeUrl(fixture, acme, 'token'), { grant_type: junk(index), scope: junk(index) }, { id: junk(index), secret: junk(index) });
      await send(`${server()}/oauth2/token`, { method: `X${index}`, headers: { 'X-Request-Id': junk(index), traceparent: junk(index) } });
      await send(`${server()}/account`, { headers: { Host: `${junk(index)}.example`, Cookie: `sid=${junk(index)}` } });
      await send(`${server()}/sign-in/${junk(index)}`, {});
    };
    await strange(0);
    const before = await scrape();
    for (let index = 1; index < 25; index += 1) await strange(index);
    const after = await scrape();
    expect(after.text).not.toContain('canary');
    expect(after.samples).toBe(before.samples);
    expect(after.value('assay_http_requests_total', { endpoint: 'none', status: '421' })).toBeGreaterThanOrEqual(24);
    expect(after.value('assay_http_requests_total', { endpoint: 'none', status: '404' })).toBeGreaterThanOrEqual(24);
  });

  test('LG-01 no secret of this fixture is in the metrics', async () => {
    const { text } = await scrape();
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe('where metrics are told', () => {
  test('on a listener of their own, to anybody: GET /metrics and /healthz, and nothing else', async () => {
    const metrics = await send(`${listener}/metrics`, {});
    expect(metrics).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } });
    expect(await send(`${listener}/healthz`, {})).toMatchObject({ status: 200, body: 'ok\n' });
    for (const path of ['/', '/oauth2/introspect', '/metrics/', '/admin/v1/metrics', '/readyz']) expect((await send(listener + path, {})).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await send(`${listener}/metrics`, { method })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    // Scrapers may leave out the Host, or name one that is none.
    expect(await sendRaw(Number(new URL(listener).port), 'GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n')).toStartWith('HTTP/1.1 ');
  });

  test('on the main listener with an API key that may read metrics of the whole server', async () => {
    const ask = (headers: Readonly<Record<string, string>> = {}): ReturnType<typeof send> => send(`${server()}/metrics`, { headers });
    expect(await ask()).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="assay"' } });
    for (const wrong of ['Bearer wrong', `Basic ${btoa(`x:${apiKey}`)}`, `Bearer ${apiKey}x`]) expect((await ask({ Authorization: wrong })).status).toBe(401);
    for (const key of [await keyWith(['admin:tenants:read']), await keyWith(['admin:metrics:read'], acme)]) {
      expect(await ask(bearer(key))).toMatchObject({ status: 403, headers: { 'www-authenticate': 'Bearer realm="assay", error="insufficient_scope", scope="admin:metrics:read"' } });
    }
    for (const key of [apiKey, await keyWith(['admin:read'])]) {
      const told = await ask(bearer(key));
      expect(told).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' } });
      expect(new Scrape(told.body).value('assay_build_info')).toBe(1);
    }
    expect((await send(`${server()}/metrics`, { method: 'POST', headers: bearer(apiKey) })).status).toBe(405);
  });

  test('MTN-06 a tenant\'s own hostname knows nothing of it', async () => {
    const rooted = await makeTenant(fixture, 'rooted', { preset: 'workos' });
    const host = new URL(urlOf(fixture, rooted, 'root', 'introspect')).host;
    expect((await send(`http://${host}/metrics`, { headers: bearer(apiKey) })).status).toBe(404);
  });

  test('the main figures, as a document', async () => {
    const told = await send(`${server()}/admin/v1/metrics`, { headers: bearer(apiKey) });
    expect(told.status).toBe(200);
    const figures = JSON.parse(told.body) as { readonly totals: Readonly<Record<string, number>>; readonly mean_seconds: Readonly<Record<string, number>>; readonly storage: Readonly<Record<string, unknown>> };
    expect(figures.totals['introspections']).toBeGreaterThan(0);
    expect(figures.totals['introspections']).toBe((figures.totals['active'] ?? 0) + (figures.totals['inactive'] ?? 0));
    expect(figures.mean_seconds['introspect']).toBeGreaterThan(0);
    expect(figures.storage).toMatchObject({ commits: expect.any(Number), rows: { tenants: expect.any(Number) } });
    expect((await send(`${server()}/admin/v1/metrics`, { headers: bearer(await keyWith(['admin:metrics:read'], acme)) })).status).toBe(403);
  });

  test('activity, the minute that runs included', async () => {
    const ask = (query: string): ReturnType<typeof send> => send(`${server()}/admin/v1/activity${query}`, { headers: bearer(apiKey) });
    await introspect(fixture, acme, client, 'no token');
    const told = await ask('');
    expect(told.status).toBe(200);
    const { minutes } = JSON.parse(told.body) as { readonly minutes: readonly { readonly minute: string; readonly counts: Readonly<Record<string, number>> }[] };
    const sum = (name: string): number => minutes.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);
    expect(sum('introspections')).toBe(sum('active') + sum('inactive'));
    expect(sum('inactive')).toBeGreaterThan(0);
    expect(sum('requests')).toBeGreaterThan(sum('introspections'));
    for (const { minute } of minutes) expect(minute).toMatch(/:00\.000Z$/);
    expect(JSON.parse((await ask(`?since=${encodeURIComponent(new Date(Date.now() + 3_600_000).toISOString())}`)).body)).toEqual({ minutes: [] });
    expect((await ask('?since=yesterday')).status).toBe(400);
  });
});

describe('traces', () => {
  test('a request is a span with its route, tenant and outcome, and continues the caller\'s trace', async () => {
    const { access_token: token } = await issue(fixture, acme, client.id);
    secrets.push(token);
    await post(homeUrl(fixture, acme, 'revoke'), { token }, client, { traceparent: `00-${TRACE}-${CALLER}-01` });
    await until('the collector has it', () => collector.spans.some(({ traceId }) => traceId === TRACE));
    const spans = collector.spans.filter(({ traceId }) => traceId === TRACE);
    const own = spans.find(({ parentSpanId }) => parentSpanId === CALLER);
    expect(own).toMatchObject({ name: 'POST /t/:slug/protocol/openid-connect/revoke', kind: 2, status: { code: 0 } });
    expect(attributesOf(own?.attributes ?? [])).toEqual({
      'http.request.method': 'POST', 'http.route': '/t/:slug/protocol/openid-connect/revoke', 'http.response.status_code': 200,
      'assay.endpoint': 'revoke', 'assay.layout': 'realm', 'assay.tenant': 'acme', 'assay.outcome': 'answered',
    });
    const parts = spans.filter((span) => span !== own);
    expect(parts.map(({ name, kind, parentSpanId }) => ({ name, kind, parentSpanId }))).toEqual([{ name: 'store revokeTokenId', kind: 1, parentSpanId: own?.spanId ?? '' }]);
    for (const { spanId, startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(BigInt(endTimeUnixNano)).toBeGreaterThan(BigInt(startTimeUnixNano));
      expect(Math.abs(Number(BigInt(startTimeUnixNano) / 1_000_000n) - Date.now())).toBeLessThan(60_000);
    }
  });

  test('the collector is called where and as the settings say', () => {
    const [first] = collector.requests;
    expect(first?.path).toBe('/v1/traces');
    expect(first?.headers.get('content-type')).toBe('application/json');
    expect(first?.headers.get('authorization')).toBe(`Bearer ${COLLECTOR_SECRET}`);
    expect(first?.headers.get('x-scope')).toBe('assay');
    const [resource] = collector.exports[0]?.resourceSpans ?? [];
    expect(attributesOf(resource?.resource.attributes ?? [])).toMatchObject({ 'service.name': 'assay', 'service.instance.id': expect.any(String) });
    expect(resource?.scopeSpans[0]?.scope.name).toBe('assay');
  });

  test('a broken traceparent is not believed, and who does not record is not recorded', async () => {
    const unrecorded = TRACE.replace('4b', 'aa');
    const broken = TRACE.replace('4b', 'bb');
    await post(homeUrl(fixture, acme, 'token'), {}, client, { traceparent: `00-${unrecorded}-${CALLER}-00` });
    const before = collector.spans.length;
    await post(homeUrl(fixture, acme, 'token'), {}, client, { traceparent: `00-${broken}-${CALLER}` });
    await until('the second was sent', () => collector.spans.length > before);
    expect(collector.spans.filter(({ traceId }) => traceId === broken || traceId === unrecorded)).toEqual([]);
    expect(attributesOf(collector.spans.at(-1)?.attributes ?? [])).toMatchObject({ 'http.response.status_code': 400, 'assay.outcome': 'refused' });
  });

  test('a path\'s tenant that nobody knows is not told', async () => {
    const before = collector.spans.length;
    await send(`${server()}/t/nobody-canary/protocol/openid-connect/certs`, {});
    await until('it was sent', () => collector.spans.length > before);
    expect(collector.spans.slice(before).map(({ attributes }) => attributesOf(attributes)['assay.tenant'])).toEqual([undefined as never]);
  });

  test('a collector in trouble is no trouble of requests: what it does not take is counted, and told once', async () => {
    collector.status = 400;
    const [failed] = await growth(async () => {
      await introspect(fixture, acme, client, 'no token');
      await until('the failure is counted', async () => ((await scrape()).value('assay_trace_spans_total', { outcome: 'failed' }) ?? 0) > 0);
      await introspect(fixture, acme, client, 'no token');
    }, [['assay_trace_spans_total', { outcome: 'failed' }]]);
    collector.status = 200;
    expect(failed).toBeGreaterThan(0);
    expect(fixture.server.logs().split('\n').filter((line) => line.includes('traces were not taken')).length).toBe(1);
    expect(fixture.server.logs()).toContain('http_400');
  });

  test('LG-01 no secret, token, user name or query of this fixture is in any span, nor the collector\'s secret in the log', async () => {
    await send(`${server()}/oauth2/authorize?client_id=query-canary&state=state-canary`, {});
    await until('it was sent', () => collector.spans.some(({ name }) => name === 'GET /oauth2/authorize'));
    const bodies = collector.requests.map(({ body }) => body).join('\n');
    for (const secret of [...secrets, 'canary', client.id]) expect(bodies).not.toContain(secret);
    expect(fixture.server.logs()).not.toContain(COLLECTOR_SECRET);
  });
});

describe('without it', () => {
  test('a listener whose port is taken keeps the server from starting, in words', async () => {
    const taken = new URL(listener).host;
    const failing = await startFixture({ args: ['--metrics', taken] }).then(() => 'started', (error: unknown) => String(error));
    expect(failing).toContain(`${taken} is taken by another program: stop it, or choose another --metrics`);
  });

  test('headers that are none keep it from starting, without a word of them', async () => {
    const file = join(folder, 'broken');
    writeFileSync(file, 'Authorization: Bearer fine\nsecret-without-a-name\n');
    const failing = await startFixture({ env: { ASSAY_OTLP_ENDPOINT: collector.url, ASSAY_OTLP_HEADERS_FILE: file } }).then(() => 'started', (error: unknown) => String(error));
    expect(failing).toContain(`line 2 of ${file} is not`);
    expect(failing).not.toContain('secret-without-a-name');
  });

  test('with the admin API off there are no metrics on the main listener; activity is written at the stop all the same', async () => {
    const off = await startFixture({ env: { ASSAY_ADMIN: 'off' } });
    try {
      const tenant = await defaultTenant(off);
      const asking = await makeClient(off, tenant, 'asking');
      await introspect(off, tenant, asking, 'no token');
      expect((await send(`${off.application.ctx.origin().url}/metrics`, { headers: bearer(apiKey) })).status).toBe(404);
      await off.server.stop();
      const counts = (await off.application.ctx.store.listActivity(0)).flatMap((minute) => Object.entries(minute.counts));
      expect(counts.filter(([name]) => name === 'introspections')).toEqual([['introspections', 1]]);
      expect((await auditOf(off, tenant, 'token_introspection_denied')).length).toBe(0);
    } finally {
      await off.close();
    }
  });
});
