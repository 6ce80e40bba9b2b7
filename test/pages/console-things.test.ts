/** Everything that the console has pages for, in a browser: made, changed, acted on and deleted without scripts, and looked at with what a real place holds. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { inviteAdministrator } from '../../src/service/manage-administrators.ts';
import { createApiKey, everything } from '../../src/service/manage-access.ts';
import { createInvitation } from '../../src/service/manage-invitations.ts';
import { createOrganization, putMember } from '../../src/service/manage-organizations.ts';
import { createRole } from '../../src/service/manage-roles.ts';
import { setTenantEnabled, updateTenant } from '../../src/service/manage-tenants.ts';
import { createUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { createWebhook } from '../../src/service/manage-webhooks.ts';
import { testWebhook } from '../../src/service/replay-webhooks.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { issuePair, makeClient, makeResource, makeTenant, must, until } from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');
const PASSWORD = 'a rather long passphrase';
const names = ['Ada Lovelace', 'Zoë Müller-Lüdenscheidt', '山田 太郎', 'محمد عبد الله', 'Ольга Иванова', 'José María de la Concepción y Álvarez de Toledo'];

describe.skipIf(chromium === undefined)('UI-01…UI-29 · the things of the console in a browser', () => {
  let place: Neighbourhood;
  let acme: Tenant;
  let org: string;
  let ada: string;
  let hook: string;

  beforeAll(async () => {
    place = await Neighbourhood.open(chromium ?? '');
    const { fixture } = place;
    const { ctx } = fixture.application;
    acme = await makeTenant(fixture, 'acme', { name: 'Acme Works' });
    await makeTenant(fixture, 'nordwind-logistik-und-speditionsgesellschaft-hamburg', { name: 'Nordwind Logistik- und Speditionsgesellschaft Hamburg mbH & Co. KG' });
    await makeTenant(fixture, 'tokyo', { name: '東京データ株式会社', preset: 'kotauth' });
    await makeTenant(fixture, 'old', { name: 'Old project' });
    must(await setTenantEnabled(ctx, 'old', false));
    must(await updateTenant(ctx, 'acme', { accessTokenTtl: 900, people: { color: '#ffd400', claims: [{ claim: 'department', source: 'attribute:department', targets: ['id_token'] }] } }));
    await makeClient(fixture, acme, 'storefront', { name: 'Storefront', grants: ['authorization_code', 'refresh_token'], redirectUris: ['https://shop.example.com/callback'], scopes: ['openid', 'profile'] });
    await makeClient(fixture, acme, 'orders-api', { name: 'Orders API' });
    await makeResource(fixture, acme, { uri: 'https://billing.internal.acme-works.example.com/organizations/all/invoices/version-2', scopes: ['orders:read', 'orders:write'] });
    must(await createRole(ctx, acme, 'editor', ['posts:read', 'posts:write']));
    must(await createRole(ctx, acme, 'accountant', Array.from({ length: 12 }, (_, index) => `invoices:action-${index}`)));
    org = must(await createOrganization(ctx, acme, null, 'Customers of the northern region')).id;
    const people: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      const name = names[index % names.length] ?? '';
      const user = must(await createUser(ctx, acme, null, { username: index % 6 === 2 ? `山田${index}` : `user.${String(index).padStart(3, '0')}`, name, email: `u${index}@example.com`, emailVerified: index % 3 === 0, attributes: index === 0 ? { given_name: 'Ada', department: 'Analytical engines', tags: ['a', 'b'] } : {} }));
      people.push(user.id);
      must(await putMember(ctx, acme, org, user.id, index % 2 === 0 ? ['editor', 'accountant'] : []));
    }
    ada = people[0] ?? '';
    must(await setUserEnabled(ctx, acme, people[4] ?? '', false));
    must(await createInvitation(ctx, acme, org, { email: 'new.colleague@example.com', roles: ['editor'], locale: null }));
    await issuePair(fixture, acme, 'storefront', ada);
    hook = must(await createWebhook(ctx, acme, { name: 'Customer database', url: 'https://hooks.example.com/assay/incoming/events/for-the-customer-database', events: ['user_created'], secret: null })).webhook.id;
    must(await testWebhook(ctx, acme, hook));
    must(await createApiKey(ctx, everything, { name: 'Metrics scraper for the dashboard in the hall', scopes: ['admin:metrics:read', 'admin:users', 'admin:audit:read'], tenant: acme, ttl: 86_400 }));
  }, 30_000);
  afterAll(() => place.close());

  async function comeIn(person: BrowserPerson, username: string): Promise<void> {
    const { url } = must(await inviteAdministrator(place.fixture.application.ctx, everything, { scopes: ['admin'], tenant: null }));
    await person.goto(url);
    await person.sees('Set up your account');
    for (const [label, value] of Object.entries({ Username: username, Password: PASSWORD, 'Password, again': PASSWORD })) await person.page.getByLabel(new RegExp(`^${label}(?: optional)?$`)).first().fill(value);
    await person.press('Create the account');
    await person.signIn(username, PASSWORD);
    await person.sees('Dashboard');
  }

  const field = (person: BrowserPerson, label: string) => person.page.getByRole('main').getByLabel(new RegExp(`^${label}(?: optional)?$`)).first();
  /** Fills in fields of the form; presses; hears what happened. */
  async function fillIn(person: BrowserPerson, fields: Readonly<Record<string, string>>, button: string): Promise<void> {
    for (const [label, value] of Object.entries(fields)) await field(person, label).fill(value);
    await person.press(button, person.page.getByRole('main'));
  }
  const at = (person: BrowserPerson, path: string): Promise<void> => person.goto(`${place.url}/admin${path}`);

  const plain = { javaScriptEnabled: false };

  test('UI-29 a tenant: made, its settings changed section by section, deleted', () => place.walk(async (person) => {
    await comeIn(person, 'tenant-maker');
    await at(person, '/tenants');
    await person.follow('New tenant');
    await person.sees('New tenant');
    await fillIn(person, { Slug: 'young', Name: 'Young & Co' }, 'Create tenant');
    await person.sees(/^Young & Co/);
    await person.hears('status', 'Tenant created.');
    await at(person, '/t/young/settings');
    await person.follow('Change preset');
    await field(person, 'Preset').selectOption('kotauth');
    await person.press('Save');
    await person.hears('status', 'The tenant is set as kotauth says.');
    await person.follow('Color');
    await fillIn(person, { 'Color of buttons and links': 'yellow' }, 'Save');
    await person.hears('alert', 'look at what is marked');
    await fillIn(person, { 'Color of buttons and links': '#ffd400' }, 'Save');
    await person.page.getByRole('img', { name: /#ffd400/ }).first().waitFor();
    await person.follow('Delete');
    await fillIn(person, { Slug: 'young' }, 'Delete');
    await person.hears('status', 'Young & Co was deleted.');
  }, plain));

  test('UI-29 a user: made with a password that is shown once, changed, disabled, deleted', () => place.walk(async (person) => {
    await comeIn(person, 'user-maker');
    await at(person, '/t/acme/users');
    await person.follow('New user');
    await fillIn(person, { Username: 'grace', 'E-mail address': 'grace@example.com', Attributes: 'department=Compilers' }, 'Create user');
    await person.sees('User created');
    expect(await person.page.locator('.shown-once code').innerText()).toMatch(/^[a-z2-9]{5}(?:-[a-z2-9]{5}){3}$/);
    await person.follow('Go on to the user');
    await person.sees(/^grace/);
    await person.page.getByText('Compilers').waitFor();
    await person.follow('Edit');
    expect(await field(person, 'Attributes').inputValue()).toBe('department=Compilers');
    await fillIn(person, { 'Full name': 'Grace Hopper' }, 'Save');
    await person.hears('status', 'Saved.');
    await person.follow('Disable');
    await person.press('Disable');
    await person.hears('status', 'grace is disabled.');
    await person.follow('Delete');
    await person.press('Delete');
    await person.hears('status', 'grace was deleted.');
    await fillIn(person, { Search: 'user.00' }, 'Show');
    expect(await person.page.getByRole('row').count()).toBeGreaterThan(5);
  }, plain));

  test('UI-29 an organization, its members and invitations; a role; a resource', () => place.walk(async (person) => {
    await comeIn(person, 'org-maker');
    await at(person, '/t/acme/organizations/new');
    await fillIn(person, { Name: 'South' }, 'Create organization');
    await person.sees('South');
    await person.follow('Add a member');
    await fillIn(person, { User: 'user.001' }, 'Add or change a member');
    await person.hears('status', 'user.001 is a member, without roles.');
    await person.follow('Change');
    await person.page.getByLabel(/^editor/).check();
    await person.press('Add or change a member');
    await person.hears('status', 'with editor');
    await person.follow('Remove user.001');
    expect(await field(person, 'User').inputValue()).toBe('user.001');
    await person.press('Remove a member');
    await person.hears('status', 'user.001 is no member any more.');
    await person.follow('Invite');
    await fillIn(person, { 'E-mail address': 'guest@example.com' }, 'Invite');
    await person.hears('status', 'An invitation goes to guest@example.com.');
    await person.follow('Revoke the invitation of guest@example.com');
    await person.press('Revoke an invitation');
    await person.hears('status', 'is void');
    await person.follow('Delete');
    await person.press('Delete');
    await person.hears('status', 'South was deleted.');

    await at(person, '/t/acme/roles/new');
    await fillIn(person, { Name: 'reader', Permissions: 'posts:read' }, 'Create role');
    await person.sees('reader');
    await person.follow('Edit');
    await fillIn(person, { Permissions: 'posts:read\nposts:list' }, 'Save');
    await person.page.getByText('posts:list').waitFor();
    await person.follow('Delete');
    await person.press('Delete');
    await person.hears('status', 'The role reader was deleted.');

    await at(person, '/t/acme/resources/new');
    await fillIn(person, { URI: 'https://orders.example.com', Owner: 'orders-api', Scopes: 'orders:read' }, 'Create resource');
    await person.sees('https://orders.example.com');
    await person.follow('Edit');
    await fillIn(person, { Owner: 'nobody' }, 'Save');
    await person.hears('alert', 'look at what is marked');
    await fillIn(person, { Owner: '' }, 'Save');
    await person.hears('status', 'Saved.');
    await person.follow('Delete');
    await person.press('Delete');
    await person.hears('status', 'was deleted');
  }, plain));

  test('UI-29 a webhook, an API key, an administrator', () => place.walk(async (person) => {
    await comeIn(person, 'access-maker');
    await at(person, '/webhooks/new');
    await fillIn(person, { Name: 'Monitoring', URL: 'https://siem.example.com/in' }, 'Create webhook');
    await person.sees('Webhook created');
    expect(await person.page.locator('.shown-once code').innerText()).toMatch(/^whsec_/);
    await person.follow('Go on to the webhook');
    await person.follow('Edit');
    await person.page.getByLabel('User created').check();
    await person.press('Save');
    await person.hears('status', 'Saved.');
    await person.follow('Rotate secret');
    await person.press('Rotate secret');
    await person.sees('Rotate secret');
    await person.follow('Go on to the webhook');
    await person.follow('Delete');
    await person.press('Delete');
    await person.hears('status', 'Monitoring was deleted.');

    await at(person, '/api-keys/new');
    await person.page.getByRole('group', { name: 'Users', exact: true }).getByLabel('look', { exact: true }).check();
    await fillIn(person, { Name: 'Reports', Tenant: 'acme' }, 'Create API key');
    await person.sees('API key created');
    expect(await person.page.locator('.shown-once code').innerText()).toMatch(/^assay_/);
    await person.follow('Go on to the API key');
    await person.page.getByText('Users: look').waitFor();
    await person.follow('Revoke');
    await person.press('Revoke');
    await person.hears('status', 'Reports is revoked.');

    await at(person, '/administrators/do/invite');
    await field(person, 'May').selectOption('admin:read');
    await person.press('Invite');
    expect(await person.page.locator('.shown-once code').innerText()).toMatch(/\/admin\/setup\//);
  }, plain));

  test('a text of its pages says something else', () => place.walk(async (person) => {
    await comeIn(person, 'writer');
    await at(person, '/t/acme/wording');
    await fillIn(person, { Search: 'forgot your' }, 'Show');
    await person.follow('Forgot your password?');
    await person.follow('Edit');
    await fillIn(person, { English: 'Lost it?' }, 'Save');
    await person.hears('status', 'Saved.');
    await person.follow('Say it as it was');
    await person.press('Say it as it was');
    await person.hears('status', 'says what it said before');
  }, plain));

  test('all of it, in all of its looks', () => place.walk(async (person) => {
    await comeIn(person, 'looker');
    await until('the webhook was tried', async () => (await place.fixture.application.ctx.store.pageDeliveries(hook, { after: null, limit: 1 })).items.length > 0, 10_000);
    const pages: readonly (readonly [path: string, heading: string | RegExp, name: string])[] = [
      ['/tenants', 'Tenants', 'tenants'], ['/tenants/new', 'New tenant', 'tenant-new'], ['/t/acme/settings', /^Settings/, 'settings'], ['/t/acme/wording', 'Wording', 'wording'],
      ['/t/acme/users', 'Users', 'users'], ['/t/acme/users/new', 'New user', 'user-new'], [`/t/acme/users/${ada}`, /^user\.000/, 'user'], [`/t/acme/organizations/${org}`, 'Customers of the northern region', 'organization'],
      [`/t/acme/organizations/${org}/set-member?user=user.000&roles=editor`, /^Add or change/, 'member'], ['/t/acme/resources', 'Resources', 'resources'], 
      ['/t/acme/webhooks/new', 'New webhook', 'webhook-new'], [`/t/acme/webhooks/${hook}`, /^Customer database/, 'webhook'], ['/t/tokyo/webhooks', 'Webhooks', 'webhooks-none'],
      ['/api-keys', 'API keys', 'api-keys'], ['/api-keys/new', 'New API key', 'api-key-new'], ['/administrators', 'Administrators', 'administrators'], ['/settings', 'Server settings', 'server-settings'],
    ];
    for (const [path, heading, name] of pages) {
      await at(person, path);
      await person.sees(heading, `console-${name}`);
    }
  }), 90_000);
});
