import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { mailItem } from '../../src/service/credentials/mails.ts';
import { makeTenant, send, startFixture, until, type Answer, type Fixture } from '../helpers/fixture.ts';
import { startMailSink } from '../outbound/mail-sink.ts';
import { listAudit } from '../helpers/trail.ts';

let fixture: Fixture;
let acme: Tenant;
let other: Fixture | null = null;

beforeAll(async () => {
  fixture = await startFixture({ args: ['--trust-proxy', '127.0.0.1'] });
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
});
afterAll(() => fixture.close());
afterEach(async () => {
  await other?.close();
  other = null;
});

async function queue({ application: { ctx } }: Fixture, tenant: Tenant, to: string, code: string): Promise<string> {
  const item = mailItem(ctx, tenant, to, { kind: 'sign_in_code', code, link: 'https://id.example/link?a=1&b=2', minutes: 10, client: null }, 'en');
  await ctx.store.addOutbox([item], []);
  return item.id;
}

const look = (path: string, headers: Readonly<Record<string, string>> = {}, at = fixture): Promise<Answer> => send(`${at.server.url}${path}`, { headers });

describe('the development mailbox', () => {
  test('holds what would have been sent, with its code and link, per tenant', async () => {
    const id = await queue(fixture, acme, 'ann@example.com', '135790');
    await until('the mail is there', async () => (await look('/t/acme/mailbox')).body.includes('ann@example.com'));
    const list = await look('/t/acme/mailbox');
    expect([list.status, list.headers['cache-control'], list.body.includes(`href="/t/acme/mailbox/${id}"`), list.body.includes('135790')]).toEqual([200, 'no-store', true, false]);
    const open = await look(`/t/acme/mailbox/${id}`);
    expect([open.status, open.body.includes('135790'), open.body.includes('href="https://id.example/link?a=1&amp;b=2"')]).toEqual([200, true, true]);
    expect((await look('/mailbox')).body).not.toContain('ann@example.com');
    expect((await look(`/mailbox/${id}`)).status).toBe(404);
    expect((await look('/t/acme/mailbox/out_ghost')).status).toBe(404);
    expect(fixture.server.logs()).not.toContain('135790');
  });

  test('is for callers on this machine only', async () => {
    expect((await look('/t/acme/mailbox', { 'X-Forwarded-For': '192.0.2.7' })).status).toBe(404);
    expect((await look('/t/acme/mailbox', { 'X-Forwarded-For': '127.0.0.1' })).status).toBe(200);
  });

  test('is not there where mails are sent, and they are; the password is in no log', async () => {
    const sink = await startMailSink({ login: { user: 'me', password: 'hunter2-of-smtp' }, clear: true });
    other = await startFixture({ env: { ASSAY_SMTP_URL: `smtp://me:hunter2-of-smtp@127.0.0.1:${sink.port}`, ASSAY_MAIL_FROM: 'sign-in@acme.example', ASSAY_LOG_LEVEL: 'debug' } });
    const tenant = await makeTenant(other, 'acme', { preset: 'kotauth' });
    await queue(other, tenant, 'ann@example.com', '246801');
    await until('the mail is sent', () => sink.mails.length === 1);
    expect(sink.mails.map(({ envelope, user }) => ({ envelope, user }))).toEqual([{ envelope: { from: 'sign-in@acme.example', to: ['ann@example.com'] }, user: 'me' }]);
    expect(sink.mails[0]?.raw).toContain('246801');
    expect((await look('/t/acme/mailbox', {}, other)).status).toBe(404);
    await until('it is logged', () => other?.server.logs().includes('"event":"mail_sent"') === true);
    const logs = other.server.logs();
    expect([logs.includes('hunter2'), logs.includes('246801'), logs.includes('ann@example.com')]).toEqual([false, false, true]);
    await sink.close();
  });

  test('is not there on a public origin, where a mail without a mail server goes nowhere', async () => {
    other = await startFixture({ args: ['--origin', 'https://id.example.com'], env: { ASSAY_RATE_LIMITS: 'on' } });
    const tenant = await makeTenant(other, 'acme', { preset: 'kotauth' });
    await queue(other, tenant, 'ann@example.com', '112233');
    await until('somebody is told', () => other?.server.logs().includes('mail is not configured') === true);
    expect((await send(`http://127.0.0.1:${other.server.port}/t/acme/mailbox`, { headers: { Host: 'id.example.com' } })).status).toBe(404);
    await until('it is done', async () => other !== null && (await listAudit(other.application.ctx.store, { type: 'mail_failed', limit: 10 })).length === 1);
    expect(await other.application.ctx.store.listMailbox(tenant.id, 10)).toEqual([]);
  });
});
