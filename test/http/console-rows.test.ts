/** Every row of the console's table, with things that are there: who sees its pages, and whose forms do something. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { adminAreas, type AdminArea } from '../../src/core/admin.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { ConsoleRoute } from '../../src/http/console/call.ts';
import { routesOf } from '../../src/http/console/engine.ts';
import { segment } from '../../src/http/console/paths.ts';
import { consoleResources } from '../../src/http/console/table.ts';
import { createApiKey, everything } from '../../src/service/manage-access.ts';
import { createOrganization } from '../../src/service/manage-organizations.ts';
import { createRole } from '../../src/service/manage-roles.ts';
import { createWebhook } from '../../src/service/manage-webhooks.ts';
import { issuePair, makeClient, makeResource, makeTenant, makeUser, must, startFixture, storedState, type Fixture } from '../helpers/fixture.ts';
import { makePerson, withSession } from '../helpers/flow.ts';
import { expectConsoleHeaders, makeOperator } from '../helpers/operator.ts';
import type { Person } from '../helpers/person.ts';

let fixture: Fixture;
let acme: Tenant;
let other: Tenant;
/** Ids of things by row, at a tenant or the server. */
const ids = new Map<string, string>();
const operators = new Map<string, Promise<Person>>();

const rows = consoleResources.map((row) => ({ row, title: `${row.at === 'tenant' ? 't/' : ''}${row.name}`, routes: routesOf(row) }));

beforeAll(async () => {
  fixture = await startFixture();
  const { ctx } = fixture.application;
  [acme, other] = [await makeTenant(fixture, 'acme', { name: 'Acme Works' }), await makeTenant(fixture, 'other')];
  await makeClient(fixture, acme, 'app', { grants: ['authorization_code', 'refresh_token'] });
  await makeResource(fixture, acme, { uri: 'https://api.example.com' });
  const ada = await makeUser(fixture, acme, 'ada');
  await issuePair(fixture, acme, 'app', ada.id);
  const [grant] = (await ctx.store.pageGrants(acme.id, { after: null, limit: 1 }, { userId: ada.id }, Date.now())).items;
  const { session } = await withSession(fixture, acme, await makePerson(fixture, acme, 'bea'));
  const signing = (await ctx.store.listKeys(acme.id)).find(({ status }) => status === 'active');
  const wish = { name: 'Hook', url: 'https://hooks.example.com/x', events: [], secret: null };
  const { user } = await makeOperator(fixture);
  const named: readonly (readonly [string, string])[] = [
    ['t/clients', 'app'], ['t/resources', 'https://api.example.com'], ['t/users', ada.id], ['t/organizations', must(await createOrganization(ctx, acme, 'org_a', 'A')).id], ['t/roles', must(await createRole(ctx, acme, 'editor', [])).name],
    ['t/grants', grant?.grant.id ?? ''], ['t/sessions', session.id], ['t/keys', signing?.kid ?? ''], ['t/webhooks', must(await createWebhook(ctx, acme, wish)).webhook.id], ['webhooks', must(await createWebhook(ctx, null, wish)).webhook.id],
    ['t/audit', String((await ctx.store.readAudit({ tenant: 'acme', after: 0, limit: 1 }))[0]?.number)], ['audit', '1'], ['t/wording', 'sign_in.title'], ['administrators', user.id],
    ['api-keys', must(await createApiKey(ctx, everything, { name: 'Key', scopes: ['admin:read'], tenant: acme, ttl: null })).key.id],
  ];
  for (const [title, id] of named) ids.set(title, id);
});
afterAll(() => fixture.close());

/** An operator for many tests. */
function operator(name: string, options: Parameters<typeof makeOperator>[1]): Promise<Person> {
  const known = operators.get(name) ?? makeOperator(fixture, options).then(({ person }) => person);
  operators.set(name, known);
  return known;
}

const areaOf = ({ area }: ConsoleRoute): AdminArea => {
  if (area === null) throw new Error('a row is behind an area');
  return area;
};
const pathOf = (title: string, { path }: ConsoleRoute, slug = 'acme'): string => `/admin${path.replace(':tenant', slug).replace(':id', segment(ids.get(title) ?? 'missing'))}`;
const others = (area: AdminArea): readonly string[] => adminAreas.filter((one) => one !== area).map((one) => `admin:${one}`);

test('every row with things of its own has one to look at', () => {
  expect(rows.filter(({ title, routes }) => routes.some(({ path }) => path.includes(':id')) && !ids.has(title)).map(({ title }) => title)).toEqual([]);
  expect(rows.length).toBeGreaterThan(15);
});

for (const { row, title, routes } of rows) {
  describe(`MTN-06 · ${title}`, () => {
    for (const route of routes) {
      const shown = route.path;

      test(`GET ${shown}: of a full administrator 200, without admin:${areaOf(route)} 403${route.access === 'write' ? ', of who may only look 403' : ''}`, async () => {
        const page = await (await operator('full', {})).open(pathOf(title, route));
        expect([page.status, page.text.includes('Not found')]).toEqual([200, false]);
        expectConsoleHeaders(page);
        const without = await (await operator(`without ${areaOf(route)}`, { scopes: others(areaOf(route)) })).open(pathOf(title, route));
        const looker = await (await operator('looker', { scopes: ['admin:read'] })).open(pathOf(title, route));
        expect([without.status, looker.status]).toEqual([403, route.access === 'write' ? 403 : 200]);
      });

      test(`GET ${shown}: of who is bound to another tenant 404, and to this one only what is not the server's`, async () => {
        const stranger = await operator('bound to other', { tenant: other });
        const own = await operator('bound to acme', { tenant: acme });
        const [theirs, ours] = [await stranger.open(pathOf(title, route)), await own.open(pathOf(title, route))];
        const alone = /:tenant|:id/.test(shown) || route.serverOnly === true;
        expect([theirs.status, ours.status]).toEqual([alone ? 404 : 200, route.serverOnly === true ? 404 : 200]);
        expect(theirs.text).not.toContain('Acme Works');
      });

      if (route.post === undefined) continue;
      test(`POST ${shown} without the session's token, of another area or another tenant → 403 or 404, no effect`, async () => {
        const full = await operator('full', {});
        const without = await operator(`without ${areaOf(route)}`, { scopes: others(areaOf(route)) });
        const stranger = await operator('bound to other', { tenant: other });
        const tokenOf = async (person: Person): Promise<string> => (await person.open('/admin')).forms[0]?.fields['csrf'] ?? '';
        const tokens = [await tokenOf(without), await tokenOf(stranger)];
        const before = storedState(fixture);
        const fields = { slug: 'acme', name: 'Changed', user: 'ada', uri: 'https://x.example', overlap: '0', email: 'x@example.com' };
        const answers = [
          (await full.post(pathOf(title, route), fields, { follow: false })).status, (await full.post(pathOf(title, route), { ...fields, csrf: tokens[0] ?? '' }, { follow: false })).status,
          (await without.post(pathOf(title, route), { ...fields, csrf: tokens[0] ?? '' }, { follow: false })).status,
        ];
        expect(answers).toEqual([403, 403, 403]);
        if (row.at === 'tenant' || route.serverOnly === true || shown.includes(':id')) expect((await stranger.post(pathOf(title, route), { ...fields, csrf: tokens[1] ?? '' }, { follow: false })).status).toBe(404);
        expect(storedState(fixture)).toBe(before);
      });
    }
  });
}

test('who is bound to a tenant neither suspends nor deletes it', async () => {
  const own = await operator('bound to acme', { tenant: acme });
  const page = await own.open('/admin/t/acme/settings');
  expect([page.text.includes('Revoke all tokens'), /Disable|Delete/.test(page.text)]).toEqual([true, false]);
  const csrf = page.forms[0]?.fields['csrf'] ?? '';
  for (const name of ['disable', 'delete']) expect((await own.post(`/admin/t/acme/settings/${name}`, { csrf, slug: 'acme' })).status).toBe(404);
  expect(await fixture.application.ctx.store.findTenant({ slug: 'acme' })).toMatchObject({ disabledAtMs: null, deletedAtMs: null });
});

test('buttons are there for what may be done', async () => {
  const looker = await operator('looker', { scopes: ['admin:read'] });
  const users = await operator('users only', { scopes: ['admin:users'] });
  const path = `/admin/t/acme/users/${ids.get('t/users') ?? ''}`;
  const [seen, managed] = [await looker.open(path), await users.open(path)];
  expect([/Edit|Delete|Set temporary/.test(seen.text), managed.text.includes('Delete'), managed.text.includes('Revoke all tokens'), managed.text.includes('Sessions')]).toEqual([false, true, false, false]);
});
