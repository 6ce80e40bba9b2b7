import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import { deriveOrigin, readStoredOrigin, settleOrigin } from '../../src/service/manage-origin.ts';
import { createTenant, requireTenant } from '../../src/service/manage-tenants.ts';
import { must } from '../helpers/fixture.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { listAudit } from '../helpers/trail.ts';

let data: string;
let application: Application;

beforeEach(async () => {
  data = temporaryFolder();
  application = await openData(data);
});
afterEach(async () => {
  await application.close();
  removeFolder(data);
});

const derived = 'http://127.0.0.1:9000';
const settle = (wanted: string | null, move = false, from = derived) => settleOrigin(application.ctx, wanted, from, move);

async function addClient(slug: string): Promise<void> {
  const tenant = must(await requireTenant(application.ctx, slug));
  must(await createClient(application.ctx, tenant, { id: 'svc', public: false, change: {}, secret: { supplied: null, ttl: null } }));
}

describe('wire contract §1 · the origin belongs to the data', () => {
  test('MTN-02 before the first start it is loopback, and then follows the address until one is given', async () => {
    expect((await readStoredOrigin(application.ctx.store)).url).toBe('http://127.0.0.1:8080');
    expect(await settle(null)).toMatchObject({ ok: true, changed: true, origin: { url: derived } });
    expect(await settle(null)).toMatchObject({ ok: true, changed: false });
    await addClient('default');
    expect(await settle(null, false, 'http://127.0.0.1:9001')).toMatchObject({ ok: true, changed: true, origin: { url: 'http://127.0.0.1:9001' } });
    expect((await readStoredOrigin(application.ctx.store)).url).toBe('http://127.0.0.1:9001');
  });

  test('once given it stays, whatever the address', async () => {
    await addClient('default');
    expect(await settle('https://id.example.com')).toMatchObject({ ok: true, changed: true });
    expect(await settle(null)).toMatchObject({ ok: true, changed: false, origin: { url: 'https://id.example.com' } });
    expect(await settle('https://id.example.com')).toMatchObject({ ok: true, changed: false });
  });

  test('moving is refused while clients exist, lists whom it concerns, and can be insisted on', async () => {
    must(await createTenant(application.ctx, 'empty', { algorithm: 'ES256' }));
    must(await createTenant(application.ctx, 'used', { algorithm: 'ES256' }));
    must(await createTenant(application.ctx, 'elsewhere', { algorithm: 'ES256', host: 'login.example.com' }));
    expect(await settle('https://one.example.com')).toMatchObject({ ok: true });
    expect(await settle('https://two.example.com')).toMatchObject({ ok: true });
    await addClient('used');
    await addClient('elsewhere');
    expect(await settle('https://three.example.com')).toMatchObject({
      ok: false, tenants: ['used'], description: expect.stringContaining('--move-origin'),
    });
    expect(await settle('http://two.example.com')).toMatchObject({ ok: false, tenants: ['elsewhere', 'used'] });
    expect((await readStoredOrigin(application.ctx.store)).url).toBe('https://two.example.com');
    expect(await settle('https://three.example.com', true)).toMatchObject({ ok: true, changed: true });
    expect((await readStoredOrigin(application.ctx.store)).url).toBe('https://three.example.com');
  });

  test('a tenant\'s hostname cannot become the origin', async () => {
    must(await createTenant(application.ctx, 'acme', { algorithm: 'ES256', host: 'login.example.com' }));
    expect(await settle('https://login.example.com', true)).toMatchObject({ ok: false, tenants: ['acme'] });
  });

  test('LG-04 a change is audited', async () => {
    await settle('https://id.example.com');
    expect(await listAudit(application.ctx.store, { type: 'origin_changed', limit: 5 })).toMatchObject([{ subject: 'https://id.example.com', tenant: null }]);
  });

  test.each([
    ['127.0.0.1', 8080, false, 'http://127.0.0.1:8080'], ['localhost', 80, false, 'http://localhost'], ['0.0.0.0', 8080, false, 'http://127.0.0.1:8080'],
    ['::', 8443, true, 'https://127.0.0.1:8443'], ['::1', 8080, false, 'http://[::1]:8080'], ['ID.example.com', 443, true, 'https://id.example.com'],
  ] as const)('HT-03 %s:%i, https %p is %s', (host, port, tls, url) => {
    expect(deriveOrigin(host, port, tls)).toBe(url);
  });
});
