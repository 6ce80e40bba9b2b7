/** What the console does: things made, changed, ended; what it shows once, and what it says. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { segment } from '../../src/http/console/paths.ts';
import { gatherBars } from '../../src/http/console/dashboard.ts';
import { defaultTenant, homeUrl, introspect, issue, issuePair, makeClient, makeResource, makeTenant, makeUser, post, startFixture, until, type Fixture } from '../helpers/fixture.ts';
import { makePerson, withSession } from '../helpers/flow.ts';
import { expectConsoleHeaders, makeOperator, newestEvent } from '../helpers/operator.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

let fixture: Fixture;
let acme: Tenant;
let person: Person;
let operator: User;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme');
  ({ person, user: operator } = await makeOperator(fixture));
});
afterAll(() => fixture.close());

/** Sends the form of a page, whose address it goes to. */
async function send(path: string, fields: Readonly<Record<string, string>> = {}): Promise<PersonPage> {
  const page = await person.open(path);
  const form = page.forms.findIndex(({ action }) => new URL(action).pathname === path);
  return person.submit(fields, { form });
}

const client = (id: string) => fixture.application.ctx.store.findClient(acme.id, id);

describe('a client, from its making to its end', () => {
  test('CA-17 made: its secret is shown once, works, and is nowhere afterwards', async () => {
    const page = await send('/admin/t/acme/clients/new', { id: 'orders', name: 'Orders', scopes: 'orders:read orders:write', introspect: 'tenant', accessTokenTtl: '900' });
    expectConsoleHeaders(page);
    const secret = /cs_[A-Za-z0-9_-]{43}/.exec(page.html)?.[0] ?? '';
    expect([page.status, secret !== '', page.text.includes('only time it is shown')]).toEqual([200, true, true]);
    const { access_token: token } = await issue(fixture, acme, 'orders');
    expect((await introspect(fixture, acme, { id: 'orders', secret }, token))['active']).toBe(true);
    const shown = await person.open('/admin/t/acme/clients/orders');
    expect([shown.text.includes('Orders'), shown.text.includes('15 minutes'), shown.html.includes(secret), shown.html.includes('cs_')]).toEqual([true, true, false, false]);
    expect(await newestEvent(fixture, 'client_created')).toMatchObject({ actor: operator.id, clientId: 'orders', tenant: 'acme', ip: '127.0.0.1' });
  });

  test('refused: what was typed stays, the field is marked, and nothing was made', async () => {
    const page = await send('/admin/t/acme/clients/new', { id: 'wrong', name: 'Kept as typed', redirectUris: 'javascript:alert(1)', accessTokenTtl: 'soon' });
    expect([page.status, page.html.includes('Kept as typed'), /aria-invalid="true"/.test(page.html), page.text.includes('whole number'), await client('wrong')]).toEqual([400, true, true, true, null]);
    const again = await send('/admin/t/acme/clients/new', { id: 'wrong', redirectUris: 'javascript:alert(1)' });
    expect([again.status, /role="alert"/.test(again.html), await client('wrong')]).toEqual([400, true, null]);
    const taken = await send('/admin/t/acme/clients/new', { id: 'orders' });
    expect([taken.status, taken.text.includes('already')]).toEqual([400, true]);
  });

  test('UI-18 what it is called is text, wherever it stands', async () => {
    await makeClient(fixture, acme, 'odd', { name: '<script>alert(1)</script>' });
    for (const path of ['/admin/t/acme/clients', '/admin/t/acme/clients/odd', '/admin/search?q=%3Cscript', '/admin/t/acme/clients/odd/delete']) {
      const page = await person.open(path);
      expect([path, page.html.includes('<script>alert'), page.text.includes('<script>alert(1)</script>')]).toEqual([path, false, true]);
    }
  });

  test('an id of any visible characters has a page of its own', async () => {
    for (const id of ['a/b', 'new', 'do', 'per%cent?&#', '..', '~tilde', '-dash']) {
      await makeClient(fixture, acme, id, { name: `Named ${id}` });
      const page = await person.open(`/admin/t/acme/clients/${segment(id)}`);
      expect([id, page.status, page.text.includes(`Named ${id}`)]).toEqual([id, 200, true]);
      expect((await person.open('/admin/t/acme/clients')).html).toContain(`/admin/t/acme/clients/${segment(id)}"`);
    }
  });

  test('changed; and not where somebody else changed it meanwhile', async () => {
    await makeClient(fixture, acme, 'changing', { name: 'Before' });
    const page = await person.open('/admin/t/acme/clients/changing/edit');
    const form = page.forms.findIndex(({ action }) => action.endsWith('/edit'));
    const { fields } = person.form(form);
    await fixture.application.ctx.store.updateClient((await client('changing'))!, { ...(await client('changing'))!, name: 'Theirs' }, []);
    const stale = await person.post('/admin/t/acme/clients/changing/edit', { ...fields, name: 'Mine' });
    expect([stale.status, stale.text.includes('meanwhile'), (await client('changing'))?.name]).toEqual([400, true, 'Theirs']);
    const saved = await send('/admin/t/acme/clients/changing/edit', { name: 'Mine' });
    expect([saved.status, new URL(saved.url).pathname, saved.text.includes('Saved.'), (await client('changing'))?.name]).toEqual([200, '/admin/t/acme/clients/changing', true, 'Mine']);
  });

  test('CA-16 rotated: a new secret, and the former one as long as was said', async () => {
    const made = await makeClient(fixture, acme, 'rotating', { introspect: 'tenant' });
    const { access_token: token } = await issue(fixture, acme, 'rotating');
    const page = await send('/admin/t/acme/clients/rotating/rotate-secret', { overlap: '0' });
    const secret = /cs_[A-Za-z0-9_-]{43}/.exec(page.html)?.[0] ?? '';
    expect((await introspect(fixture, acme, { id: 'rotating', secret }, token))['active']).toBe(true);
    expect((await post(homeUrl(fixture, acme, 'introspect'), { token }, made)).status).toBe(401);
  });

  test('disabled, enabled, its tokens revoked, deleted: each is asked first, and each is an event of who did it', async () => {
    await makeClient(fixture, acme, 'ending');
    for (const [action, type, said] of [['disable', 'client_disabled', 'is disabled'], ['enable', 'client_enabled', 'is enabled'], ['revoke-tokens', 'client_tokens_revoked', 'void'], ['delete', 'client_deleted', 'was deleted']] as const) {
      const before = await newestEvent(fixture, type);
      await person.open(`/admin/t/acme/clients/ending/${action}`);
      expect(await newestEvent(fixture, type)).toEqual(before);
      const page = await send(`/admin/t/acme/clients/ending/${action}`);
      expect([action, page.status, page.text.includes(said), await newestEvent(fixture, type)]).toMatchObject([action, 200, true, { actor: operator.id, clientId: 'ending' }]);
    }
    expect((await person.open('/admin/t/acme/clients/ending')).status).toBe(404);
  });
});

test('a page says what happened only where it did: the words in its address cannot be forged, and do not last', async () => {
  const saved = await send('/admin/t/acme/clients/orders/edit', { name: 'Orders' });
  const { pathname, search } = new URL(saved.url);
  expect((await person.open(pathname + search)).text).toContain('Saved.');
  const { person: another } = await makeOperator(fixture);
  expect((await another.open(pathname + search)).text).not.toContain('Saved.');
  const forged = Buffer.from(JSON.stringify(['Forged.'])).toString('base64url');
  expect((await person.open(`${pathname}?said=${forged}.${Date.now()}.${search.split('.').at(-1) ?? ''}`)).text).not.toContain('Forged.');
  expect((await person.open(`${pathname}?said=x.y.z`)).status).toBe(200);
});

describe('lists are in parts, and narrowed', () => {
  test('fifty at a time, then the others, each once', async () => {
    const crowd = await makeTenant(fixture, 'crowd');
    for (let number = 0; number < 53; number += 1) await makeClient(fixture, crowd, `c${String(number).padStart(2, '0')}`);
    const page = await person.open('/admin/t/crowd/clients');
    const more = /href="(\/admin\/t\/crowd\/clients\?after=[^"]+)"/.exec(page.html)?.[1] ?? '';
    const rest = await person.open(more.replaceAll('&amp;', '&'));
    const ids = (html: string): readonly string[] => [...html.matchAll(/clients\/(c\d\d)"/g)].map(([, id]) => id ?? '');
    expect([ids(page.html).length, ids(rest.html), rest.text.includes('That is all.')]).toEqual([50, ['c50', 'c51', 'c52'], true]);
    expect(ids((await person.open('/admin/t/crowd/clients?q=c4')).html)).toEqual(Array.from({ length: 10 }, (_, index) => `c4${index}`));
    expect((await person.open('/admin/t/crowd/clients?state=disabled')).text).toContain('Nothing matches.');
  });
});

describe('the token inspector', () => {
  test('says what a token is, why it is or is not good, and who would be told', async () => {
    await makeClient(fixture, acme, 'api', { name: 'API' });
    await makeClient(fixture, acme, 'stranger', { introspect: 'issued_to' });
    await makeResource(fixture, acme, { uri: 'https://api.example.com', owner: 'api' });
    await makeClient(fixture, acme, 'app', { grants: ['client_credentials'], audience: ['https://api.example.com'], introspect: 'audience' });
    const { access_token: token } = await issue(fixture, acme, 'app');
    await person.open('/admin/inspect');
    const page = await person.submit({ token, tenant: '' }, { form: 1 });
    expectConsoleHeaders(page);
    for (const part of ['Nothing speaks against it.', 'access token, JWT', 'answers for https://api.example.com', 'it was issued to it', 'The policy keeps it from this client']) expect(page.text).toContain(part);
    const revoked = await person.submit({}, { form: { tenant: 'acme' } });
    expect([revoked.text.includes('The token is revoked.'), new URL(revoked.url).pathname, revoked.url.includes(token)]).toEqual([true, '/admin/inspect', false]);
    expect(await newestEvent(fixture, 'token_revoked')).toMatchObject({ actor: operator.id, clientId: 'app' });
    const after = await person.submit({ token, tenant: 'acme' }, { form: 1 });
    expect([after.text.includes('It was revoked.'), after.text.includes('Revoke the token')]).toEqual([true, false]);
  });

  for (const [token, said] of [['', 'Paste a token.'], ['nonsense', 'No tenant of this server'], [`at_${'x'.repeat(43)}`, 'No tenant of this server'], ['eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.x', 'No tenant of this server']] as const) {
    test(`${JSON.stringify(token.slice(0, 12))} → ${said}`, async () => {
      await person.open('/admin/inspect');
      expect((await person.submit({ token }, { form: 1 })).text).toContain(said);
    });
  }
});

describe('grants and sessions', () => {
  test('a grant is found by its user or client, shown, and revoked; or all of a user at once', async () => {
    await makeClient(fixture, acme, 'web', { grants: ['authorization_code', 'refresh_token'] });
    const owner = await makeClient(fixture, acme, 'asker', { introspect: 'tenant' });
    const ada = await makeUser(fixture, acme, 'ada');
    const pairs = [await issuePair(fixture, acme, 'web', ada.id), await issuePair(fixture, acme, 'web', ada.id), await issuePair(fixture, acme, 'web', ada.id)];
    const page = await person.open('/admin/t/acme/grants?user=ada');
    const ids = [...new Set([...page.html.matchAll(/grants\/(gr_[A-Za-z0-9_-]+)"/g)].map(([, id]) => id ?? ''))];
    expect(ids.length).toBe(3);
    expect((await person.open('/admin/t/acme/grants?user=nobody')).text).toContain('Nothing matches.');
    const ended = await send(`/admin/t/acme/grants/${ids[0] ?? ''}/revoke`);
    expect(ended.text).toContain('The grant is revoked.');
    const all = await send('/admin/t/acme/grants/do/revoke', { user: 'ada' });
    expect(all.text).toContain('2 grants ended.');
    for (const { access } of pairs) expect((await introspect(fixture, acme, owner, access))['active']).toBe(false);
    expect((await send('/admin/t/acme/grants/do/revoke')).status).toBe(400);
  });

  test('a session is ended, and all of somebody', async () => {
    const home = await defaultTenant(fixture);
    const bea = await makePerson(fixture, home, 'bea');
    const [one, two, three] = [await withSession(fixture, home, bea), await withSession(fixture, home, bea), await withSession(fixture, home, bea)];
    expect((await send(`/admin/t/default/sessions/${one.session.id}/end`)).text).toContain('The session ended.');
    expect(new URL((await one.person.open('/account')).url).pathname).not.toBe('/account');
    expect((await two.person.open('/account')).status).toBe(200);
    expect((await send('/admin/t/default/sessions/do/end', { user: 'bea' })).text).toContain('2 sessions ended.');
    expect(new URL((await three.person.open('/account')).url).pathname).not.toBe('/account');
  });
});

test('JK-03, JK-05 keys: rotated, and one revoked with what dies with it said before', async () => {
  const own = await makeTenant(fixture, 'keyed');
  const keys = async () => fixture.application.ctx.store.listKeys(own.id);
  const active = (await keys()).find(({ status }) => status === 'active')?.kid ?? '';
  expect((await send('/admin/t/keyed/keys/do/rotate')).text).toContain('The next key signs now.');
  expect((await keys()).find(({ kid }) => kid === active)?.status).toBe('retired');
  const asked = await person.open(`/admin/t/keyed/keys/${segment(active)}/revoke`);
  expect([asked.text.includes('Everything that it signed is void.'), asked.text.includes('cannot be taken back')]).toEqual([true, true]);
  await send(`/admin/t/keyed/keys/${segment(active)}/revoke`);
  expect((await keys()).find(({ kid }) => kid === active)?.status).toBe('revoked');
});

describe('the audit trail', () => {
  test('filters, single events, and exports that are events themselves', async () => {
    const page = await person.open('/admin/t/acme/audit?type=client_deleted');
    const number = /\/admin\/t\/acme\/audit\/(\d+)"/.exec(page.html)?.[1] ?? '';
    const event = await person.open(`/admin/t/acme/audit/${number}`);
    expect([event.status, event.text.includes('Client deleted'), event.text.includes('ending')]).toEqual([200, true, true]);
    for (const odd of ['0', '99999999', 'x', '-1']) expect((await person.open(`/admin/t/acme/audit/${odd}`)).status).toBe(404);
    const csv = await person.open('/admin/t/acme/audit/export/csv?type=client_deleted');
    expect([csv.headers.get('content-type'), csv.headers.get('content-disposition')?.startsWith('attachment; filename="audit-acme-'), csv.headers.get('cache-control'), csv.html.trim().split('\n').length]).toEqual(['text/csv; charset=utf-8', true, 'no-store', 2]);
    expect(await newestEvent(fixture, 'audit_exported')).toMatchObject({ actor: operator.id, tenant: 'acme' });
    expect((await person.open('/admin/t/acme/audit/export/xml')).status).toBe(404);
  });
});

describe('live events', () => {
  const follow = (follower: Person, path = '/admin/live', signal?: AbortSignal): Promise<Response> => fetch(`${fixture.server.url}${path}`, {
    headers: { Cookie: [...(follower.cookies.get('127.0.0.1') ?? [])].map(([name, value]) => `${name}=${value}`).join('; ') }, redirect: 'manual', ...(signal !== undefined && { signal }),
  });

  test('what happens comes as it does, as text, to who may know', async () => {
    const { person: follower } = await makeOperator(fixture, { scopes: ['admin:audit:read'], tenant: acme });
    const response = await follow(follower);
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store']);
    const other = await makeTenant(fixture, 'unseen');
    await makeClient(fixture, other, 'unseen-client');
    await makeClient(fixture, acme, 'seen-<b>');
    const reader = response.body!.getReader();
    let text = '';
    for (const decoder = new TextDecoder(); !text.includes('seen-&lt;b');) text += decoder.decode((await reader.read()).value, { stream: true });
    await reader.cancel();
    expect([/^id: \d+$/m.test(text), text.includes('Client created'), text.includes('unseen'), text.includes('<b>')]).toEqual([true, true, false, false]);
  });

  test('five at once for each, and a place is free again when one is left', async () => {
    const { person: follower } = await makeOperator(fixture);
    const aborts = Array.from({ length: 5 }, () => new AbortController());
    for (const { signal } of aborts) expect((await follow(follower, '/admin/live', signal)).status).toBe(200);
    expect((await follow(follower)).status).toBe(503);
    aborts[0]?.abort();
    await until('there is a place', async () => {
      const again = new AbortController();
      const { status } = await follow(follower, '/admin/live', again.signal);
      again.abort();
      return status === 200;
    });
    for (const abort of aborts) abort.abort();
  });
});

test('HT-21 whoever watches events does not hold up the end of the server', async () => {
  const ending = await startFixture();
  const { person: watcher } = await makeOperator(ending);
  const response = await fetch(`${ending.server.url}/admin/live`, { headers: { Cookie: [...(watcher.cookies.get('127.0.0.1') ?? [])].map(([name, value]) => `${name}=${value}`).join('; ') } });
  const begunMs = performance.now();
  const [code] = await Promise.all([ending.server.stop(), response.text()]);
  expect([response.status, code, performance.now() - begunMs < 5_000]).toEqual([200, 0, true]);
  await ending.close();
});

test('the bars of the dashboard: every minute is in its bar, and none that is older', () => {
  const bars = gatherBars([{ minuteMs: 0, counts: { requests: 5 } }, { minuteMs: 120_000, counts: { requests: 1 } }, { minuteMs: 180_000, counts: { requests: 2, active: 1 } }, { minuteMs: 240_000, counts: { requests: 4 } }], { bars: 2, barMs: 120_000 }, 299_999);
  expect(bars).toEqual([{ fromMs: 120_000, counts: { requests: 3, active: 1 } }, { fromMs: 240_000, counts: { requests: 4 } }]);
});

test('every page of the frame has its headers and one heading', async () => {
  for (const path of ['/admin', '/admin?range=week', '/admin/t/acme', '/admin/t/acme/clients', '/admin/t/acme/keys', '/admin/audit', '/admin/events', '/admin/inspect', '/admin/search?q=or', '/admin/nothing']) {
    const page = await person.open(path);
    expectConsoleHeaders(page);
    expect([path, [...page.html.matchAll(/<h1/g)].length, /style="/.test(page.html), /<script(?! src="\/assets\/console-)/.test(page.html)]).toEqual([path, 1, false, false]);
  }
});
