/** Webhooks and the feed of a real server: a receiver that verifies, crashes and comes back, and a server that is killed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { Webhook as Verifier } from 'standardwebhooks';
import type { Tenant } from '../../src/core/model.ts';
import { AdminStage, makeKey } from '../helpers/admin.ts';
import { makeTenant, makeUser, must, until } from '../helpers/fixture.ts';
import { openData, removeFolder, startServer, untilReady } from '../helpers/server.ts';
import { createTenant } from '../../src/service/manage-tenants.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { createWebhook } from '../../src/service/manage-webhooks.ts';

const env = { ASSAY_LOOPBACK_TARGETS: 'allow' };

type Message = { readonly id: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
type Kept = { readonly type: string; readonly data: { readonly subject: string; readonly tenant: string | null } };

/** A receiver on this machine that can go away and come back at its port. */
class Hook {
  readonly messages: Message[] = [];
  answer: number | (() => Promise<number>) = 204;
  private server = this.listen(0);
  readonly port = this.server.port ?? 0;
  readonly url = `http://127.0.0.1:${this.port}/in`;

  private listen(port: number): Bun.Server<undefined> {
    return Bun.serve({
      port, hostname: '127.0.0.1',
      fetch: async (request) => {
        const headers = Object.fromEntries(request.headers);
        this.messages.push({ id: headers['webhook-id'] ?? '', headers, body: await request.text() });
        return new Response(null, { status: typeof this.answer === 'number' ? this.answer : await this.answer() });
      },
    });
  }

  async crash(): Promise<void> {
    await this.server.stop(true);
  }

  comeBack(): void {
    this.server = this.listen(this.port);
  }

  /** What came, as `type subject`. */
  get heard(): readonly string[] {
    return this.messages.map(({ body }) => JSON.parse(body) as Kept).map(({ type, data }) => `${type} ${data.subject}`);
  }
}

let stage: AdminStage;
let other: Tenant;
let hooks: Hook[] = [];
beforeAll(async () => {
  stage = await AdminStage.start({ env });
  other = await makeTenant(stage.fixture, 'other');
});
afterAll(() => stage.close());
afterEach(async () => {
  for (const hook of hooks) await hook.crash();
  hooks = [];
});

function open(): Hook {
  const hook = new Hook();
  hooks.push(hook);
  return hook;
}

const acme = { tenant: 'acme' };

/** A webhook of acme through the API; null: the server's own. */
async function register(hook: Hook, more: object = {}, own = false): Promise<{ readonly id: string; readonly secret: string; readonly parts: Readonly<Record<string, string>> }> {
  const parts = own ? {} : acme;
  const { id, secret } = await stage.made(own ? 'createServerWebhook' : 'createWebhook', { parts, body: { name: 'hook', url: hook.url, events: ['user_created', 'user_updated'], ...more } });
  return { id, secret, parts: { ...parts, webhook: id } };
}

/** Somebody new; their id is what the event is about. */
async function newUser(tenant = stage.acme): Promise<string> {
  return (await makeUser(stage.fixture, tenant, stage.fresh('user'))).id;
}

describe('Standard Webhooks', () => {
  test('LG-07 events arrive in order, signed, thin, and only those of the tenant', async () => {
    const [hook, all] = [open(), open()];
    const { id, secret, parts } = await register(hook);
    await register(all, { name: 'all' }, true);
    const users = [await newUser(), await newUser(other), await newUser()];
    await until('both heard', () => hook.messages.length === 2 && all.messages.length === 3);
    expect(hook.heard).toEqual([`user_created ${users[0]}`, `user_created ${users[2]}`]);
    expect(all.heard).toEqual(users.map((user) => `user_created ${user}`));
    for (const { body, headers } of hook.messages) {
      const kept = new Verifier(secret).verify(body, headers) as Kept;
      expect([Object.keys(kept), kept.data.tenant, headers['content-type'], headers['user-agent'], headers['cookie'], headers['authorization']]).toEqual([['id', 'type', 'timestamp', 'data'], 'acme', 'application/json', 'Assay', undefined, undefined]);
      expect(body).not.toContain('example.com');
    }
    await until('it is noted', async () => (await stage.made('listWebhookDeliveries', { parts })).items.length === 2);
    expect((await stage.made('getWebhookStatus', { parts })).last_event).toBe(hook.messages[1]?.id);
    expect((await stage.made('getWebhook', { parts })).id).toBe(id);
  });

  test('CR-06 while a secret rotates both verify, and no answer, log or event holds either', async () => {
    const hook = open();
    const { secret, parts } = await register(hook);
    const rotated = await stage.made('rotateWebhookSecret', { parts, body: { overlap: 3_600 } });
    await newUser();
    await until('it arrived', () => hook.messages.length === 1);
    const { body, headers } = hook.messages[0] ?? { body: '', headers: {} };
    for (const one of [secret, rotated.secret]) expect(new Verifier(one).verify(body, headers)).toMatchObject({ type: 'user_created' });
    const said = [(await stage.call('getWebhook', { parts })).text, (await stage.call('listWebhooks', { parts: acme })).text, (await stage.call('listEvents', { query: { after: '0', limit: '200' } })).text, stage.fixture.server.logs()].join('\n');
    for (const one of [secret, rotated.secret]) expect(said).not.toContain(one.slice(6, 40));
  });

  test('LG-07 a receiver that crashes gets everything when it is back, in order and with the same ids', async () => {
    const hook = open();
    const { parts } = await register(hook);
    hook.answer = 500;
    const users = [await newUser()];
    await until('it failed', () => hook.messages.length === 1);
    await hook.crash();
    users.push(await newUser());
    hook.comeBack();
    hook.answer = 204;
    // A change of it is a reason to try at once.
    await stage.made('updateWebhook', { parts, body: { name: 'repaired' } });
    await until('all is there', () => hook.messages.length === 3);
    expect(hook.heard).toEqual([users[0], users[0], users[1]].map((user) => `user_created ${user}`));
    expect(hook.messages[0]?.id).toBe(hook.messages[1]?.id ?? '');
  });

  test('a slow receiver delays nobody else', async () => {
    const [slow, quick] = [open(), open()];
    const held = Promise.withResolvers<number>();
    slow.answer = () => held.promise;
    await register(slow);
    await register(quick);
    const user = await newUser();
    await until('the quick one heard', () => quick.messages.length === 1 && slow.messages.length === 1);
    await newUser();
    await until('and once more', () => quick.messages.length === 2);
    expect([slow.messages.length, slow.heard]).toEqual([1, [`user_created ${user}`]]);
    held.resolve(204);
    await until('so did the slow one', () => slow.messages.length === 2);
  });

  test('410 disables it, and enabling lets it go on', async () => {
    const hook = open();
    const { parts } = await register(hook);
    hook.answer = 410;
    await newUser();
    await until('it is disabled', async () => (await stage.made('getWebhook', { parts })).enabled === false);
    hook.answer = 200;
    await stage.made('enableWebhook', { parts });
    await until('it is told', () => hook.messages.length === 2);
    expect(hook.messages[0]?.id).toBe(hook.messages[1]?.id ?? '');
  });

  test('a replay brings the same message again; a test one of its own', async () => {
    const hook = open();
    const { secret, parts } = await register(hook);
    await newUser();
    await until('it arrived', () => hook.messages.length === 1);
    const [first] = hook.messages;
    expect((await stage.made('replayWebhookEvents', { parts, body: { event: first?.id } })).events).toBe(1);
    await until('it arrived again', () => hook.messages.length === 2);
    expect([hook.messages[1]?.id, hook.messages[1]?.body]).toEqual([first?.id, first?.body]);
    const tested = await stage.made('testWebhook', { parts });
    expect(tested).toMatchObject({ event_id: hook.messages[2]?.id, delivery: { outcome: 'delivered', status: 204, replay: true } });
    const { body, headers } = hook.messages[2] ?? { body: '', headers: {} };
    expect(new Verifier(secret).verify(body, headers)).toMatchObject({ type: 'webhook_tested' });
  });

  test.each([
    ['SS-01 plain http', 'http://hooks.example.com/'], ['SS-01 another port', 'https://hooks.example.com:8443/'], ['SS-02 a private address', 'https://192.168.0.1/'], ['SS-02 cloud metadata', 'https://169.254.169.254/latest'],
    ['SS-06 a number', 'https://0x0a.1/'],
  ])('%s is refused when it is registered, by member', async (_what, url) => {
    const { status, json } = await stage.call('createWebhook', { parts: acme, body: { name: 'x', url } });
    expect([status, json.errors?.[0]?.pointer]).toEqual([400, '/url']);
  });

  test('an API key of another tenant knows nothing of it', async () => {
    const { parts } = await register(open());
    const key = await makeKey(stage.fixture, 'admin', other);
    for (const id of ['getWebhook', 'listWebhookDeliveries']) expect((await stage.call(id, { parts, key })).status).toBe(404);
    expect((await stage.call('getWebhook', { parts: { ...parts, tenant: 'other' }, key })).status).toBe(404);
    expect((await stage.call('getServerWebhook', { parts: { webhook: parts['webhook'] ?? '' } })).status).toBe(404);
  });

  test('SS-07 how a connection failed is for who operates the server, not for who operates a tenant', async () => {
    const hook = open();
    await hook.crash();
    const { parts } = await register(hook);
    await newUser();
    const first = async (key?: string) => (await stage.made('listWebhookDeliveries', { parts, ...(key !== undefined && { key }) })).items.at(-1);
    await until('it was tried', async () => (await first()) !== undefined);
    expect(await first()).toMatchObject({ reason: 'unreachable', duration_ms: expect.any(Number), outcome: 'failed', status: null });
    expect(await first(await makeKey(stage.fixture, 'admin:webhooks:read', stage.acme))).toMatchObject({ reason: 'no_answer', duration_ms: null, outcome: 'failed', status: null });
  });

  test('HT-19 If-Match: what changed meanwhile is not changed or deleted; a delivery is no change', async () => {
    const hook = open();
    const { parts } = await register(hook);
    const etag = (await stage.call('getWebhook', { parts })).headers.get('etag') ?? '';
    await newUser();
    await until('it arrived', () => hook.messages.length === 1);
    const first = await stage.call('updateWebhook', { parts, body: { name: 'a' }, headers: { 'If-Match': etag } });
    expect(first.status).toBe(200);
    expect([(await stage.call('updateWebhook', { parts, body: { name: 'b' }, headers: { 'If-Match': etag } })).status, (await stage.call('deleteWebhook', { parts, headers: { 'If-Match': etag } })).status]).toEqual([412, 412]);
    expect((await stage.call('deleteWebhook', { parts, headers: { 'If-Match': first.headers.get('etag') ?? '' } })).status).toBe(204);
  });
});

describe('the feed', () => {
  test('waits for what comes, and goes on from where it was', async () => {
    const { next } = await stage.made('listTenantEvents', { parts: acme, query: { after: 'latest' } });
    const waiting = stage.made('listTenantEvents', { parts: acme, query: { after: next, wait: '20' } });
    await Bun.sleep(300);
    const user = await newUser();
    const { items, next: later } = await waiting;
    expect(items.map(({ type, data }: Kept) => `${type} ${data.subject}`)).toEqual([`user_created ${user}`]);
    const begunMs = performance.now();
    expect((await stage.made('listTenantEvents', { parts: acme, query: { after: later, wait: '1' } })).items).toEqual([]);
    expect(performance.now() - begunMs).toBeGreaterThan(900);
  });

  test.each([['limit', '0'], ['limit', '201'], ['wait', '31'], ['after', 'x'], ['type', 'user_born']])('TX-08 %s=%s is refused by name', async (name, value) => {
    const { status, json } = await stage.call('listEvents', { query: { [name]: value } });
    expect([status >= 400 && status < 500, JSON.stringify(json).includes(name)]).toEqual([true, true]);
  });

  test('another tenant\'s events are not in it', async () => {
    await newUser(other);
    const { items } = await stage.made('listTenantEvents', { parts: acme, query: { limit: '200' } });
    expect(items.filter(({ data }: Kept) => data.tenant !== 'acme')).toEqual([]);
  });
});

describe('a server', () => {
  test('LG-07 that is killed while a receiver has the message tells it again after its next start, with the same id, and what came meanwhile', async () => {
    const hook = open();
    const never = Promise.withResolvers<number>();
    hook.answer = () => never.promise;
    const first = await startServer({ env });
    await untilReady(first);
    const { data } = first;
    const application = await openData(data);
    const tenant = must(await createTenant(application.ctx, 'acme', { algorithm: 'ES256' }));
    const { secret } = must(await createWebhook(application.ctx, tenant, { name: 'hook', url: hook.url, events: ['user_created'], secret: null }));
    const make = async (username: string): Promise<string> => must(await createUser(application.ctx, tenant, null, { username, email: `${username}@example.com`, emailVerified: true, name: username })).id;
    const users = [await make('ann')];
    await until('the receiver has it', () => hook.messages.length === 1);
    await first.kill();
    users.push(await make('bob'));
    hook.answer = 204;
    const second = await startServer({ data, env });
    await until('both arrived', () => hook.messages.length === 3, 15_000);
    expect(hook.heard).toEqual([users[0], users[0], users[1]].map((user) => `user_created ${user}`));
    expect(hook.messages[0]?.id).toBe(hook.messages[1]?.id ?? '');
    for (const { body, headers } of hook.messages) expect(new Verifier(secret ?? '').verify(body, headers)).toMatchObject({ type: 'user_created' });
    expect(await second.stop()).toBe(0);
    await application.close();
    removeFolder(data);
  }, 30_000);

  test('SS-09 without the switch calls nobody on this machine, and says why', async () => {
    const hook = open();
    const server = await startServer();
    await untilReady(server);
    const application = await openData(server.data);
    const { ctx } = application;
    const { webhook } = must(await createWebhook(ctx, null, { name: 'hook', url: hook.url, events: [], secret: null }));
    await until('it was tried', async () => (await ctx.store.pageDeliveries(webhook.id, { after: null, limit: 9 })).items.length === 1);
    expect([(await ctx.store.pageDeliveries(webhook.id, { after: null, limit: 9 })).items.map(({ outcome, why }) => `${outcome} ${why}`), hook.messages]).toEqual([['failed blocked'], []]);
    await server.stop();
    await application.close();
    removeFolder(server.data);
  }, 15_000);
});
