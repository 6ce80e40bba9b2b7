/** The audit trail over the admin API: what it finds, and who sees what of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { deleteTenant } from '../../src/service/manage-tenants.ts';
import { AdminStage, makeKey } from '../helpers/admin.ts';
import { makeClient, makeTenant, must } from '../helpers/fixture.ts';

let stage: AdminStage;
beforeAll(async () => {
  stage = await AdminStage.start();
  await makeTenant(stage.fixture, 'other');
});
afterAll(() => stage.close());

type Event = { readonly number: number; readonly tenant: string | null; readonly type: string; readonly client_id: string | null; readonly actor: string; readonly ip: string | null; readonly request_id: string | null };
const lines = (text: string): readonly Event[] => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Event);

describe('MTN-06 a caller of one tenant', () => {
  test('sees only that tenant\'s events, wherever they ask', async () => {
    const key = await makeKey(stage.fixture, 'admin:audit:read', stage.acme);
    const { ctx } = stage.fixture.application;
    await ctx.store.recordAudit([]);
    for (const query of [{}, { tenant: 'other' }, { tenant: '' }]) {
      const { json } = await stage.call('searchAudit', { key, query });
      expect(json.items.length).toBeGreaterThan(0);
      expect(new Set(json.items.map(({ tenant }: Event) => tenant))).toEqual(new Set(['acme']));
      expect(new Set(lines((await stage.call('exportAudit', { key, query })).text).map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
      expect((await stage.call('verifyAudit', { key, query })).json.items.map(({ tenant }: Event) => tenant)).toEqual(['acme']);
    }
    for (const id of ['searchTenantAudit', 'exportTenantAudit', 'verifyTenantAudit']) expect((await stage.call(id, { key, parts: { tenant: 'other' } })).status).toBe(404);
  });

  test('MTN-12 sees nothing of a former tenant of the same name; an administrator does', async () => {
    const slug = stage.fresh('again');
    const former = await makeTenant(stage.fixture, slug, { accessTokenTtl: 1, refreshTokenTtl: 1 });
    await makeClient(stage.fixture, former, 'of-the-former');
    const { ctx } = stage.fixture.application;
    must(await deleteTenant(ctx, slug));
    // Its name is held while its tokens may live.
    let tenant = null;
    for (let attempt = 0; tenant === null && attempt < 400; attempt += 1) {
      tenant = await makeTenant(stage.fixture, slug).catch(() => null);
      if (tenant === null) await Bun.sleep(200);
    }
    if (tenant === null) throw new Error('the name was never free again');
    const own = await stage.call('searchTenantAudit', { key: await makeKey(stage.fixture, 'admin', tenant), parts: { tenant: slug }, query: { limit: '200' } });
    expect(own.json.items.map(({ type }: Event) => type).toSorted()).toEqual(['access_key_created', 'key_created', 'key_created', 'tenant_created']);
    const all = await stage.call('searchTenantAudit', { parts: { tenant: slug }, query: { client_id: 'of-the-former' } });
    expect(all.json.items.map(({ type }: Event) => type)).toEqual(['client_created']);
  }, 90_000);
});

describe('LG-05 searching', () => {
  test('LG-04 what is done over the API is found by its request id, with who did it and from where', async () => {
    const made = await stage.call('createClient', { parts: { tenant: 'acme' }, body: { client_id: stage.fresh('found') } });
    const requestId = made.headers.get('x-request-id') ?? '';
    const { json } = await stage.call('searchAudit', { query: { request_id: requestId } });
    expect(json.items).toMatchObject([{ type: 'client_created', tenant: 'acme', client_id: made.json.client_id, ip: '127.0.0.1', request_id: requestId, outcome: 'success' }]);
    expect(`key:${stage.key}`).toStartWith(json.items[0].actor);
  });

  test('parts follow each other without gaps', async () => {
    const seen: number[] = [];
    for (let after: string | null = null; ;) {
      const { json } = await stage.call('searchAudit', { query: { tenant: 'acme', limit: '3', ...(after !== null && { after }) } });
      seen.push(...json.items.map(({ number }: Event) => number));
      if (json.next === null) break;
      after = json.next;
    }
    const { store } = stage.fixture.application.ctx;
    expect(seen).toEqual((await store.readAudit({ tenant: 'acme', after: 0, limit: 10_000 })).map(({ number }) => number).toReversed());
  });

  test('wrong values are refused by name', async () => {
    for (const [name, value] of [['since', 'yesterday'], ['until', '2020-13-45'], ['outcome', 'well']] as const) {
      const answer = await stage.call('searchAudit', { query: { [name]: value } });
      expect([answer.status, answer.text.includes(name)]).toEqual([400, true]);
    }
    expect((await stage.call('verifyAudit', { query: { after: '5' } })).status).toBe(400);
    expect((await stage.call('verifyAudit', { query: { head: '5' } })).status).toBe(400);
  });
});

describe('LG-08 writing out and verifying', () => {
  test('an export is an event; HEAD takes nothing', async () => {
    const taken = async (): Promise<number> => (await stage.call('searchAudit', { query: { type: 'audit_exported', limit: '200' } })).json.items.length;
    const before = await taken();
    const url = stage.urlOf('exportAudit');
    const head = await fetch(url, { method: 'HEAD', headers: { Authorization: `Bearer ${stage.key}` } });
    expect([head.status, head.headers.get('content-type'), head.headers.get('cache-control')]).toEqual([200, 'application/x-ndjson', 'no-store']);
    expect(await taken()).toBe(before);
    await stage.call('exportAudit', { query: { type: 'server_started' } });
    expect(await taken()).toBe(before + 1);
  });

  test('a head that was noted is held, and a chain can be verified from an event on', async () => {
    const { json } = await stage.call('verifyTenantAudit', { parts: { tenant: 'acme' } });
    const { head, events } = json.items[0];
    const again = (await stage.call('verifyTenantAudit', { parts: { tenant: 'acme' }, query: { head: `${head.number}:${head.hash}` } })).json;
    expect([again.ok, again.holds_head]).toEqual([true, true]);
    const rest = (await stage.call('verifyAudit', { query: { tenant: 'acme', after: String(head.number) } })).json;
    expect(rest).toMatchObject({ ok: true, complete: true });
    expect(rest.items[0].events).toBeLessThan(events);
  });
});
