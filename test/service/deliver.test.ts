import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { PostForm, SendMail } from '../../src/core/outbound.ts';
import type { Client, Tenant } from '../../src/core/model.ts';
import type { OutboxItem } from '../../src/core/people.ts';
import type { Log } from '../../src/core/ports.ts';
import { makePostForm } from '../../src/outbound/guarded-fetch.ts';
import { makeMailer } from '../../src/outbound/mailer.ts';
import { mailItem, openMail } from '../../src/service/credentials/mails.ts';
import { makeCourier, type Carriers, type Courier } from '../../src/service/deliver.ts';
import type { Context } from '../../src/service/context.ts';
import { proveJwt } from '../../src/tokens/verify.ts';
import { originOf } from '../core/facts.ts';
import { startMailSink, type MailSink } from '../outbound/mail-sink.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';
import { dueOf } from '../storage/people-samples.ts';
import { aClient } from '../storage/samples.ts';
import { openRig, there, type Rig } from './rig.ts';

const home = originOf('http://127.0.0.1:8080');
const never: PostForm = () => Promise.reject(new Error('nothing is to be posted'));

let rig: Rig;
let tenant: Tenant;
let receiver: Receiver;
let sink: MailSink | null = null;
let lines: { level: string; message: string; fields: unknown }[] = [];

const note = (level: string) => (message: string, fields?: unknown): void => {
  lines.push({ level, message, fields });
};
const log: Log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };

beforeEach(async () => {
  lines = [];
  rig = openRig({ log });
  tenant = await rig.tenant();
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await sink?.close();
  sink = null;
  await rig.close();
});

async function listener(id = 'app', changes: Partial<Client> = {}): Promise<Client> {
  const client = aClient({ tenantId: tenant.id, id, backchannelLogoutUri: `http://127.0.0.1:${receiver.port}/${id}`, secrets: [], ...changes });
  await rig.ctx.store.createClient(client, []);
  return client;
}

async function queueLogout(target = 'app', id = `out_${rig.ctx.random.text(8)}`): Promise<OutboxItem> {
  const nowMs = rig.clock.now();
  const item: OutboxItem = {
    id, tenantId: tenant.id, kind: 'logout', target, payload: JSON.stringify({ sub: 'usr_1', sid: 'ses_1' }),
    createdAtMs: nowMs, nextAttemptAtMs: nowMs, attempts: 0, doneAtMs: null, outcome: null,
  };
  await rig.ctx.store.addOutbox([item], []);
  return item;
}

async function queueMail(to = 'ann@example.com'): Promise<OutboxItem> {
  const item = mailItem(rig.ctx, tenant, to, { kind: 'register_code', code: '123456', minutes: 10 }, null);
  await rig.ctx.store.addOutbox([item], []);
  return item;
}

/** With the deadline of everyday: on a machine that is busy a shorter one would end calls that are about to be answered. */
const posting: Carriers = { post: makePostForm({ loopbackTargets: true }), mail: null };

/** An application whose answer never comes, without the wait. */
function silent(): { readonly carriers: Carriers; readonly tokens: string[] } {
  const tokens: string[] = [];
  const post: PostForm = (_url, form) => {
    tokens.push(form['logout_token'] ?? '');
    return Promise.resolve({ failure: 'timeout' });
  };
  return { carriers: { post, mail: null }, tokens };
}

/** Runs everything that is due, as the loop would. */
async function round(courier: Courier): Promise<number> {
  const due = await dueAt(rig.clock.now());
  for (const item of due) await courier.run(await courier.address(item));
  return due.length;
}

function dueAt(atMs: number): Promise<readonly OutboxItem[]> {
  return dueOf(rig.ctx.store, atMs);
}

const FOREVER = Number.MAX_SAFE_INTEGER;

describe('Back-Channel Logout §2.5 · a logout', () => {
  test('LO-11 is posted as a form with one token, made for this delivery', async () => {
    await listener();
    await queueLogout();
    expect(await round(makeCourier(rig.ctx, posting))).toBe(1);
    expect(receiver.calls.map(({ method, url }) => ({ method, url }))).toEqual([{ method: 'POST', url: '/app' }]);
    const form = new URLSearchParams(receiver.calls[0]?.body);
    expect([...form.keys()]).toEqual(['logout_token']);
    const proof = await proveJwt(form.get('logout_token') ?? '', await rig.ctx.rings.of(tenant.id));
    const iat = Math.floor(rig.clock.now() / 1000);
    expect(proof).toEqual({
      ok: true, typ: 'logout+jwt',
      claims: {
        iss: 'https://id.example.com/t/acme', aud: 'app', sub: 'usr_1', sid: 'ses_1', iat, exp: iat + 120, jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
    });
    expect(await rig.events('logout_delivered')).toEqual([expect.objectContaining({ tenant: 'acme', actor: 'server', clientId: 'app', outcome: 'success', count: 1, reason: null })]);
    expect(await dueAt(FOREVER)).toEqual([]);
  });

  test.each([[204, 'delivered'], [200, 'delivered']] as const)('LO-14 %i: done', async (answer) => {
    await listener();
    await queueLogout();
    receiver.answer = answer;
    await round(makeCourier(rig.ctx, posting));
    expect([receiver.calls.length, (await dueAt(FOREVER)).length, (await rig.events('logout_delivered')).length]).toEqual([1, 0, 1]);
  });

  test.each([400, 404, 501, 302])('LO-14 %i: logged, and never again', async (answer) => {
    await listener();
    await queueLogout();
    receiver.answer = answer;
    await round(makeCourier(rig.ctx, posting));
    expect([receiver.calls.length, await dueAt(FOREVER)]).toEqual([1, []]);
    expect(await rig.events('logout_failed')).toEqual([expect.objectContaining({ clientId: 'app', outcome: 'failure', reason: `http_${answer}`, count: 1 })]);
    expect(lines).toContainEqual({ level: 'warn', message: 'logout was not delivered', fields: { tenant: 'acme', client_id: 'app', why: `http_${answer}`, attempt: 1, again: false } });
  });

  test.each([['500', 'http_500'], ['no answer', 'timeout']] as const)('LO-13 %s: five attempts, ever later, then given up', async (what, why) => {
    await listener();
    await queueLogout();
    receiver.answer = 500;
    const nobody = silent();
    const courier = makeCourier(rig.ctx, what === 'no answer' ? nobody.carriers : posting);
    for (const pauseS of [5, 30, 120, 600]) {
      expect(await round(courier)).toBe(1);
      expect(await round(courier)).toBe(0);
      rig.clock.advance(pauseS * 1000 - 1);
      expect(await round(courier)).toBe(0);
      rig.clock.advance(1);
    }
    expect(await round(courier)).toBe(1);
    const tokens = [...nobody.tokens, ...receiver.calls.map(({ body }) => body)];
    expect([tokens.length, new Set(tokens).size, await dueAt(FOREVER)]).toEqual([5, 5, []]);
    expect(await rig.events('logout_failed')).toEqual([expect.objectContaining({ clientId: 'app', reason: why, count: 5 })]);
  });

  test('LO-13 one that is given up without another attempt is done, with an event, and leaves nothing', async () => {
    await listener();
    const item = await queueLogout();
    const courier = makeCourier(rig.ctx, { post: never, mail: null });
    for (const _time of [1, 2]) await courier.giveUp(await courier.address(item));
    expect(await dueAt(FOREVER)).toEqual([]);
    expect(await rig.events('logout_failed')).toEqual([expect.objectContaining({ tenant: 'acme', clientId: 'app', outcome: 'failure', reason: 'timeout', count: 1 })]);
  });

  test('LO-13 whoever runs one hears what became of it, unless somebody else had it', async () => {
    await listener();
    const item = await queueLogout();
    const courier = makeCourier(rig.ctx, silent().carriers);
    const errand = await courier.address(item);
    expect([await courier.run(errand), await courier.run(errand)]).toEqual([{ kind: 'failed', why: 'timeout' }, null]);
    expect(await dueAt(FOREVER)).toMatchObject([{ id: item.id, attempts: 1 }]);
  });

  test('LO-13 what fails once and then works is delivered', async () => {
    await listener();
    await queueLogout();
    const courier = makeCourier(rig.ctx, posting);
    receiver.answer = 503;
    await round(courier);
    receiver.answer = 200;
    rig.clock.advance(5_000);
    await round(courier);
    expect((await rig.events('logout_delivered')).map(({ count }) => count)).toEqual([2]);
  });

  test('LO-15 to an address that may not be called is refused, and nothing connects', async () => {
    await listener();
    await queueLogout();
    await round(makeCourier(rig.ctx, { post: makePostForm({ loopbackTargets: false }), mail: null }));
    expect([receiver.calls, await dueAt(FOREVER)]).toEqual([[], []]);
    expect((await rig.events('logout_failed')).map(({ reason }) => reason)).toEqual(['blocked']);
  });

  test.each<readonly [string, Partial<Client>]>([['has no address any more', { backchannelLogoutUri: null }], ['is disabled', { disabledAtMs: 1 }], ['is gone', { deletedAtMs: 1 }]])('to a client that %s is refused', async (_what, changes) => {
    await listener('app', changes);
    await queueLogout();
    await round(makeCourier(rig.ctx, { post: never, mail: null }));
    expect([await dueAt(FOREVER), (await rig.events('logout_failed')).map(({ reason }) => reason)]).toEqual([[], ['no_address']]);
  });

  test('of a tenant that may not be spoken to is refused', async () => {
    await listener();
    await queueLogout();
    await rig.ctx.store.updateTenant(tenant, { ...tenant, disabledAtMs: rig.clock.now() }, []);
    await round(makeCourier(rig.ctx, { post: never, mail: null }));
    expect([await dueAt(FOREVER), (await rig.events('logout_failed')).map(({ reason }) => reason)]).toEqual([[], ['no_tenant']]);
  });

  test('LO-13 of two that try at once, one delivers', async () => {
    await listener();
    const item = await queueLogout();
    const [one, two] = [makeCourier(rig.ctx, posting), makeCourier(rig.ctx, posting)];
    await Promise.all([one.run(await one.address(item)), two.run(await two.address(item))]);
    expect([receiver.calls.length, (await rig.events('logout_delivered')).length]).toEqual([1, 1]);
  });

  test('LO-13 whoever dies with it leaves it to others, after a while', async () => {
    await listener();
    const item = await queueLogout();
    expect(await rig.ctx.store.claimOutbox(item.id, item.nextAttemptAtMs, rig.clock.now() + 10_000)).toBe(true);
    expect(await rig.ctx.store.claimOutbox(item.id, item.nextAttemptAtMs, rig.clock.now() + 10_000)).toBe(false);
    const courier = makeCourier(rig.ctx, posting);
    expect(await round(courier)).toBe(0);
    rig.clock.advance(10_000);
    expect(await round(courier)).toBe(1);
    expect(receiver.calls).toHaveLength(1);
  });
});

describe('a mail', () => {
  const mailing = (mail: SendMail | null): Carriers => ({ post: never, mail });

  test('is unsealed and sent, in the tenant\'s name', async () => {
    sink = await startMailSink();
    await queueMail();
    await round(makeCourier(rig.ctx, mailing(makeMailer({ host: '127.0.0.1', port: sink.port, implicitTls: false, requireTls: false, login: null }, { from: 'assay@id.example.com' }))));
    expect(sink.mails.map(({ envelope }) => envelope)).toEqual([{ from: 'assay@id.example.com', to: ['ann@example.com'] }]);
    expect(sink.mails[0]?.raw).toMatch(/^From: acme <assay@id\.example\.com>\r$/m);
    expect(sink.mails[0]?.raw).toContain('123456');
    expect(await dueAt(FOREVER)).toEqual([]);
    expect(lines).toEqual([{ level: 'info', message: 'mail_sent', fields: { tenant: 'acme', to: 'ann@example.com', subject: 'register_code acme' } }]);
    expect(await rig.events('mail_failed')).toEqual([]);
  });

  test('that cannot be sent now is tried again, and given up at last; the log never holds its text', async () => {
    await queueMail();
    const courier = makeCourier(rig.ctx, mailing(() => Promise.resolve({ kind: 'failed', why: 'timeout' })));
    for (const pauseS of [5, 30, 120, 600, 3_600]) {
      expect(await round(courier)).toBe(1);
      rig.clock.advance(pauseS * 1000);
    }
    expect(await round(courier)).toBe(1);
    expect([await dueAt(FOREVER), (await rig.events('mail_failed')).map(({ reason, count }) => ({ reason, count }))]).toEqual([[], [{ reason: 'timeout', count: 6 }]]);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toEqual({ level: 'warn', message: 'mail was not sent', fields: { tenant: 'acme', to: 'ann@example.com', subject: 'register_code acme', why: 'timeout', attempt: 1, again: true } });
    expect(JSON.stringify(lines)).not.toContain('123456');
  });

  test('that is refused is not tried again', async () => {
    await queueMail();
    await round(makeCourier(rig.ctx, mailing(() => Promise.resolve({ kind: 'refused', why: 'smtp_550' }))));
    expect([await dueAt(FOREVER), (await rig.events('mail_failed')).map(({ reason }) => reason)]).toEqual([[], ['smtp_550']]);
  });

  test('without a mail server, on a public origin, is refused, and one warning per minute says so', async () => {
    const courier = makeCourier(rig.ctx, mailing(null));
    for (let step = 0; step < 3; step += 1) {
      await queueMail();
      await queueMail();
      await round(courier);
      rig.clock.advance(30_000);
    }
    const { fix } = there(lines[0]).fields as { readonly fix: string };
    expect(lines).toEqual([{ level: 'warn', message: 'mail is not configured', fields: { fix } }, { level: 'warn', message: 'mail is not configured', fields: { fix } }]);
    expect(fix).toContain('ASSAY_SMTP_URL');
    expect([await dueAt(FOREVER), (await rig.events('mail_failed')).length, (await rig.ctx.store.listMailbox(tenant.id, 10)).length]).toEqual([[], 6, 0]);
  });

  test('without a mail server, on loopback, lands in the mailbox', async () => {
    const ctx: Context = { ...rig.ctx, origin: () => home };
    await queueMail();
    await round(makeCourier(ctx, mailing(null)));
    const kept = await ctx.store.listMailbox(tenant.id, 10);
    expect([lines, await dueAt(FOREVER), kept.map(({ target, outcome }) => ({ target, outcome }))]).toEqual([
      [{ level: 'info', message: 'mail_kept', fields: { tenant: 'acme', to: 'ann@example.com', subject: 'register_code acme', at: 'mailbox' } }], [], [{ target: 'ann@example.com', outcome: 'mailbox' }],
    ]);
    expect(openMail(ctx, there(kept[0]))).toEqual({ subject: 'register_code acme', text: JSON.stringify({ kind: 'register_code', code: '123456', minutes: 10 }) });
  });

  test('that was sealed for another item is trouble of its own, and others go on', async () => {
    const item = await queueMail('eve@example.com');
    const moved = { ...item, id: 'out_moved', createdAtMs: item.createdAtMs - 1 };
    await rig.ctx.store.addOutbox([moved], []);
    const sent: string[] = [];
    await round(makeCourier(rig.ctx, mailing(({ to }) => {
      sent.push(to);
      return Promise.resolve({ kind: 'sent' });
    })));
    expect(sent).toEqual(['eve@example.com']);
    expect((await dueAt(FOREVER)).map(({ id, attempts }) => ({ id, attempts }))).toEqual([{ id: 'out_moved', attempts: 1 }]);
  });
});
