/** Who is let into the console, and into which part of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Client, Tenant } from '../../src/core/model.ts';
import { auditEvent } from '../../src/core/audit-event.ts';
import { consoleRoutes } from '../../src/http/console/routes.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import { defaultTenant, issue, makeClient, makeTenant, must, send, startFixture, until, type Fixture } from '../helpers/fixture.ts';
import { makePerson, signIn, someone, withSession } from '../helpers/flow.ts';
import { expectConsoleHeaders, makeOperator, newestEvent } from '../helpers/operator.ts';
import type { Person } from '../helpers/person.ts';

const LONG_AGO_MS = 600_000;

let fixture: Fixture;
let acme: Tenant;
let other: Tenant;
let svc: Client;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOG_LEVEL: 'debug' } });
  [acme, other] = [await makeTenant(fixture, 'acme', { name: 'Acme Works' }), await makeTenant(fixture, 'other', { name: 'Other Works' })];
  svc = must(await createClient(fixture.application.ctx, acme, { id: 'svc', public: false, change: { name: 'Sprockets' }, secret: { supplied: null, ttl: null } })).client;
  await makeClient(fixture, other, 'svc-other', { name: 'Gizmos' });
});
afterAll(() => fixture.close());

/** Every page of the console, its parts filled with what there is. */
const pathOf = (pattern: string, slug = 'acme'): string => `/admin${pattern.replace(':tenant', slug).replace(':format', 'csv').replace(':id', 'svc')}`;
const pages = consoleRoutes.filter(({ show }) => show !== undefined);
const forms = consoleRoutes.filter(({ post }) => post !== undefined);
const text = async (path: string, person: Person): Promise<string> => (await person.open(path)).text;

describe('UI-09, UI-11, UI-28 · nobody is in without signing in', () => {
  test('there are pages and forms to look at', () => {
    expect([pages.length > 25, forms.length > 10]).toEqual([true, true]);
  });

  for (const { path } of pages) {
    test(`GET ${pathOf(path)} bare → to the sign-in page, and nothing else`, async () => {
      const answer = await send(`${fixture.server.url}${pathOf(path)}`, {});
      expect([answer.status, answer.headers['location']?.startsWith('/sign-in/'), answer.body, answer.headers['access-control-allow-origin']]).toEqual([303, true, '', undefined]);
    });
  }

  for (const { path } of forms) {
    test(`POST ${pathOf(path)} bare, without a token, with another page's, from another site → 403, no effect`, async () => {
      const before = await fixture.application.ctx.store.lastAuditNumber();
      expect((await someone(fixture).post(pathOf(path), { csrf: 'x' }, { follow: false })).status).toBe(403);
      const { person } = await makeOperator(fixture);
      const after = await fixture.application.ctx.store.lastAuditNumber();
      const account = await person.open('/account');
      const foreign = account.forms[0]?.fields['csrf'] ?? '';
      await person.open('/admin');
      const own = person.form().fields['csrf'] ?? '';
      for (const [csrf, headers] of [['', {}], [foreign, {}], [own, { 'Sec-Fetch-Site': 'cross-site' }], [own, { 'Sec-Fetch-Site': null, Origin: 'https://evil.example' }]] as const) {
        const page = await person.post(pathOf(path), { csrf, name: 'x', token: 'x', user: 'x' }, { follow: false, headers });
        expect([page.status, page.location]).toEqual([403, null]);
      }
      expect([before < after, await fixture.application.ctx.store.lastAuditNumber()]).toEqual([true, after]);
    });
  }

  test('UI-17 after signing in they are where they were, and never anywhere else', async () => {
    const home = await defaultTenant(fixture);
    const { user } = await makeOperator(fixture);
    const tab = someone(fixture);
    await tab.open('/admin/t/acme/clients/svc');
    const page = await signIn(tab, user.username);
    expect([page.status, new URL(page.url).pathname, page.text.includes('Sprockets')]).toEqual([200, '/admin/t/acme/clients/svc', true]);
    expect(home.slug).toBe('default');
    const stray = someone(fixture);
    await stray.open('/admin//evil.example/x');
    const landed = await signIn(stray, user.username);
    expect([new URL(landed.url).origin, new URL(landed.url).pathname]).toEqual([fixture.server.url, '/admin']);
  });

  test('only on the server\'s own origin: at a tenant\'s hostname there is nothing', async () => {
    const rooted = await makeTenant(fixture, 'rooted', { preset: 'workos' });
    const answer = await send(`http://${rooted.host ?? ''}/admin`, {});
    expect([answer.status, answer.headers['location']]).toEqual([404, undefined]);
  });

  test('HT-09, UI-19 paths of nobody, methods of nobody, and the API\'s own paths', async () => {
    const { person } = await makeOperator(fixture);
    expect((await person.open('/admin/nothing/here')).status).toBe(404);
    expectConsoleHeaders(person.page);
    expect((await send(`${fixture.server.url}/admin/t/acme/clients`, { method: 'DELETE' })).status).toBe(405);
    expect((await send(`${fixture.server.url}/admin`, { method: 'OPTIONS', headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' } })).headers['access-control-allow-origin']).toBeUndefined();
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await send(`${fixture.server.url}/admin/v1/nothing`, { method });
      expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json']);
    }
  });
});

describe('UI-28 · who is no administrator sees how to become one, and nothing of what is inside', () => {
  for (const { path } of pages) {
    test(`GET ${pathOf(path)}`, async () => {
      const { person } = await nobody();
      const page = await person.open(pathOf(path));
      expect([page.status, page.text.includes('assay admin grant'), /Acme|Sprockets|svc/.test(page.text)]).toEqual([403, true, false]);
      expectConsoleHeaders(page);
    });
  }

  test('whoever was one is out with the next request', async () => {
    const { person, user } = await makeOperator(fixture);
    expect((await person.open('/admin/t/acme/clients')).status).toBe(200);
    await fixture.application.ctx.store.removeAdministrator(user.id, []);
    expect((await person.open('/admin/t/acme/clients')).status).toBe(403);
    await until('the refusal is in the trail', async () => (await newestEvent(fixture, 'access_refused'))?.['actor'] === user.id);
  });
});

let strangers = 0;
async function nobody(): Promise<{ readonly person: Person }> {
  strangers += 1;
  const home = await defaultTenant(fixture);
  return withSession(fixture, home, await makePerson(fixture, home, `stranger-${strangers}`));
}

describe('MTN-06 · who is bound to a tenant', () => {
  let person: Person;
  beforeAll(async () => {
    ({ person } = await makeOperator(fixture, { tenant: acme }));
  });

  test('their tenant is there', async () => {
    expect(await text('/admin/t/acme/clients', person)).toContain('Sprockets');
    expect(new URL((await person.open('/admin')).url).pathname).toBe('/admin/t/acme');
  });

  test('of events only those since there is their tenant: its slug may have been another\'s before', async () => {
    const { store, audit } = fixture.application.ctx;
    const before = await store.lastAuditNumber();
    audit.add(auditEvent({ timeMs: acme.createdAtMs - 1, type: 'access_refused', tenant: 'acme', actor: 'of-the-former', outcome: 'denied', reason: 'x' }));
    await until('the event is in the trail', async () => await store.lastAuditNumber() > before);
    const { person: whole } = await makeOperator(fixture);
    const number = (await store.pageAudit({ after: null, limit: 1 }, { actor: 'of-the-former' })).items[0]?.number;
    const seen = async (who: Person): Promise<readonly boolean[]> => {
      const addresses = ['/admin/t/acme', '/admin/t/acme/audit', '/admin/t/acme/audit?from=2000-01-01', '/admin/t/acme/audit/export/csv', '/admin/events', `/admin/t/acme/audit/${number}`];
      const found: boolean[] = [];
      for (const address of addresses) found.push((await who.open(address)).html.includes('of-the-former'));
      return found;
    };
    expect([await seen(person), await seen(whole)]).toEqual([[false, false, false, false, false, false], [true, true, true, true, true, true]]);
  });

  for (const { path } of pages.filter((route) => route.path.startsWith('/t/:tenant'))) {
    test(`GET ${pathOf(path, 'other')} → 404, as for a tenant that never was`, async () => {
      const page = await person.open(pathOf(path, 'other'));
      const never = await person.open(pathOf(path, 'never'));
      expect([page.status, never.status, page.text.includes('Other Works'), page.text.includes('Gizmos')]).toEqual([404, 404, false, false]);
      expect(page.text.replaceAll('other', 'X')).toBe(never.text.replaceAll('never', 'X'));
    });
  }

  for (const { path } of pages.filter(({ serverOnly }) => serverOnly === true)) {
    test(`GET ${pathOf(path)} → 404: it concerns the server`, async () => {
      expect((await person.open(pathOf(path))).status).toBe(404);
    });
  }

  test('search, events and the inspector know their tenant only', async () => {
    expect(await text('/admin/search?q=svc&within=other', person)).not.toContain('Gizmos');
    expect(await text('/admin/search?q=svc', person)).toContain('Sprockets');
    const events = await text('/admin/events', person);
    expect([events.includes('acme'), events.includes('other'), events.includes('default')]).toEqual([true, false, false]);
    const { access_token: token } = await issue(fixture, other, 'svc-other');
    await person.open('/admin/inspect');
    const page = await person.submit({ token, tenant: 'other' }, { form: 1 });
    expect([page.text.includes('not active'), page.text.includes('svc-other')]).toEqual([true, false]);
    const revoked = await person.post('/admin/inspect/revoke', { csrf: person.form().fields['csrf'] ?? '', token, tenant: 'other' });
    expect([revoked.status, revoked.text.includes('no such tenant')]).toEqual([400, true]);
  });

  test('an export holds events of their tenant only', async () => {
    const page = await person.open('/admin/t/acme/audit/export/jsonl');
    const tenants = new Set(page.html.trim().split('\n').map((line) => (JSON.parse(line) as { readonly tenant: string }).tenant));
    expect([page.status, [...tenants]]).toEqual([200, ['acme']]);
  });
});

describe('scopes hold', () => {
  const rows: readonly (readonly [scopes: readonly string[], path: string, status: number])[] = [
    [['admin:clients:read'], '/admin/t/acme/clients', 200], [['admin:clients:read'], '/admin/t/acme/clients/new', 403], [['admin:clients:read'], '/admin/t/acme/clients/svc/delete', 403],
    [['admin:clients:read'], '/admin/t/acme/keys', 403], [['admin:clients'], '/admin/t/acme/clients/new', 200], [['admin:read'], '/admin/t/acme/keys', 200], [['admin:read'], '/admin/t/acme/keys/do/rotate', 403],
    [['admin:keys'], '/admin/t/acme/clients', 403], [['admin:audit:read'], '/admin/audit', 200], [['admin:users'], '/admin/live', 403], [['admin:users'], '/admin', 200],
  ];
  for (const [scopes, path, status] of rows) {
    test(`${scopes.join(' ')} · ${path} → ${status}`, async () => {
      const { person } = await makeOperator(fixture, { scopes });
      expect((await person.open(path)).status).toBe(status);
    });
  }

  test('what may not be seen is not in the search, on the dashboard or in the navigation', async () => {
    const { person } = await makeOperator(fixture, { scopes: ['admin:users'] });
    expect(await text('/admin/search?q=svc', person)).not.toContain('Sprockets');
    const dashboard = await text('/admin', person);
    expect([dashboard.includes('Latest events'), dashboard.includes('Requests'), dashboard.includes('Audit trail')]).toEqual([false, false, false]);
  });

  test('a post of who may only look → 403, no effect', async () => {
    const { person } = await makeOperator(fixture, { scopes: ['admin:read'] });
    await person.open('/admin');
    const page = await person.post('/admin/t/acme/clients/svc/delete', { csrf: person.form().fields['csrf'] ?? '' });
    expect([page.status, (await fixture.application.ctx.store.findClient(acme.id, svc.id))?.deletedAtMs]).toEqual([403, null]);
  });
});

describe('what cannot be taken back takes a sign-in of the last minutes', () => {
  const guarded = consoleRoutes.filter(({ recent }) => recent === true);

  test('deleting, revoking in bulk, keys and secrets are among it', () => {
    const paths = guarded.map(({ path }) => path);
    expect(['/t/:tenant/clients/:id/delete', '/t/:tenant/clients/new', '/t/:tenant/clients/:id/edit', '/t/:tenant/users/:id/edit', '/t/:tenant/clients/:id/rotate-secret', '/t/:tenant/keys/:id/revoke', '/t/:tenant/keys/do/rotate', '/t/:tenant/grants/do/revoke', '/t/:tenant/sessions/do/end']
      .filter((path) => !paths.includes(path))).toEqual([]);
  });

  for (const { path } of guarded) {
    test(`${pathOf(path)} of somebody who signed in ten minutes ago → signs in again, and nothing happened`, async () => {
      const { person } = await makeOperator(fixture, { session: { authTimeMs: Date.now() - LONG_AGO_MS } });
      expect((await person.open(pathOf(path))).text).toContain('Confirm that it is you');
      await person.open('/admin');
      const before = await fixture.application.ctx.store.lastAuditNumber();
      const page = await person.post(pathOf(path), { csrf: person.form().fields['csrf'] ?? '', id: 'made-by-nobody' });
      expect([page.text.includes('Confirm that it is you'), await fixture.application.ctx.store.lastAuditNumber()]).toEqual([true, before]);
    });
  }

  test('and then they are at the same form', async () => {
    const { person, user } = await makeOperator(fixture, { session: { authTimeMs: Date.now() - LONG_AGO_MS } });
    await person.open('/admin/t/acme/clients/svc/delete');
    const page = await signIn(person, user.username);
    expect([new URL(page.url).pathname, page.text.includes('for good')]).toEqual(['/admin/t/acme/clients/svc/delete', true]);
  });
});

test('LG-01 no token of the inspector or search, nor of a link, is in the log or an address', async () => {
  const { person } = await makeOperator(fixture);
  const { access_token: token } = await issue(fixture, acme, 'svc');
  await person.open('/admin');
  const found = await person.submit({ q: token });
  expect([found.status, new URL(found.url).search, found.text.includes('active'), found.text.includes('svc')]).toEqual([200, '', true, true]);
  await someone(fixture).open('/admin/setup/abcdefabcdefabcdefabcdefabcdefabcdefabcdef0');
  await until('the log has the request', async () => fixture.server.logs().includes('/admin/setup/'));
  for (const secret of [token, token.slice(-43), 'abcdefabcdef']) expect(fixture.server.logs().includes(secret)).toBe(false);
});
