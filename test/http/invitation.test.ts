/** Invitations into organizations, as those who get them see them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { openMail } from '../../src/service/credentials/mails.ts';
import { createInvitation, revokeInvitation } from '../../src/service/manage-invitations.ts';
import { createOrganization } from '../../src/service/manage-organizations.ts';
import { createRole } from '../../src/service/manage-roles.ts';
import { requireUser, updateUser } from '../../src/service/manage-users.ts';
import { makePerson, signIn, someone } from '../helpers/flow.ts';
import { makeTenant, must, startFixture, type Fixture } from '../helpers/fixture.ts';
import type { Person, PersonPage } from '../helpers/person.ts';
import { listAudit } from '../helpers/trail.ts';

let fixture: Fixture;
let acme: Tenant;
let count = 0;
const NEW_PASSWORD = 'glass tunnel orchard 9';

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_RATE_LIMITS: 'on' } });
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  const { ctx } = fixture.application;
  must(await createOrganization(ctx, acme, 'org_1', 'Example Ltd'));
  must(await createRole(ctx, acme, 'billing', ['orders:read']));
});
afterAll(() => fixture.close());

const fresh = (word: string): string => {
  count += 1;
  return `${word}-${count}`;
};
const idOf = async (email: string): Promise<string> => must(await createInvitation(fixture.application.ctx, acme, 'org_1', { email, roles: ['billing'], locale: null })).id;

/** The link of the newest mail to an address, as it is on this server. */
async function linkTo(email: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const item = (await fixture.application.ctx.store.listMailbox(acme.id, 200)).find(({ target }) => target === email);
    const link = item === undefined ? undefined : /^https?:\S+\/invitation\/\S+$/m.exec(openMail(fixture.application.ctx, item).text)?.[0];
    if (link !== undefined) return link;
    await Bun.sleep(50);
  }
  throw new Error(`no invitation was mailed to ${email}`);
}

async function invite(email: string): Promise<string> {
  await idOf(email);
  return linkTo(email);
}

const steps = (page: PersonPage): readonly string[] => page.forms.flatMap(({ fields }) => fields['step'] ?? []);
const send = (person: Person, step: string, fields: Readonly<Record<string, string>> = {}): Promise<PersonPage> => person.submit(fields, { form: { step } });
const rolesOf = async (user: User): Promise<unknown> => fixture.application.ctx.store.listMemberships(acme.id, { userId: user.id });
const isGone = (page: PersonPage): void => {
  expect([page.status, page.text.includes('This invitation cannot be used'), page.forms]).toEqual([400, true, []]);
};

describe('who has an account', () => {
  test('signs in, comes back, and joins with one button; the link then works no more', async () => {
    const user = await makePerson(fixture, acme, fresh('ada'));
    const link = await invite(user.email);
    const person = someone(fixture);
    const page = await person.open(link);
    expect([page.status, steps(page), page.headers.get('referrer-policy'), page.headers.get('cache-control')]).toEqual([200, ['sign_in'], 'no-referrer', 'no-store']);
    await send(person, 'sign_in');
    expect(person.page.url).not.toContain(link.split('/').at(-1) ?? '');
    const back = await signIn(person, user.username);
    expect([back.url, steps(back)]).toEqual([link, ['join']]);
    const done = await send(person, 'join');
    expect([new URL(done.url).pathname.endsWith('/account'), done.text.includes('You are a member of the organization now.'), done.text.includes('Example Ltd')]).toEqual([true, true, true]);
    expect(await rolesOf(user)).toMatchObject([{ orgId: 'org_1', roles: ['billing'] }]);
    isGone(await person.open(link));
    const [event] = await listAudit(fixture.application.ctx.store, { tenant: 'acme', type: 'invitation_accepted', limit: 1 });
    expect(event).toMatchObject({ actor: user.id, reason: 'org_1' });
  });

  test('UI-11 opening the link changes nothing, and a foreign form neither', async () => {
    const user = await makePerson(fixture, acme, fresh('gil'));
    const link = await invite(user.email);
    const person = someone(fixture);
    await person.open(link);
    await send(person, 'sign_in');
    await signIn(person, user.username);
    for (let times = 0; times < 3; times += 1) await person.open(link);
    expect(await rolesOf(user)).toEqual([]);
    const { fields } = person.form({ step: 'join' });
    const forged = [{ ...fields, csrf: '' }, { ...fields, csrf: 'x'.repeat(43) }];
    for (const form of forged) expect((await person.post(link, form)).status).toBe(403);
    const stranger = someone(fixture);
    expect((await stranger.post(link, fields)).status).toBe(403);
    expect(await rolesOf(user)).toEqual([]);
    expect((await person.post(link, { ...fields, step: 'nonsense' })).status).toBe(400);
  });

  test('an address that was not verified counts as verified by it', async () => {
    const user = await makePerson(fixture, acme, fresh('una'));
    must(await updateUser(fixture.application.ctx, acme, user.id, { emailVerified: false }));
    const link = await invite(user.email.toUpperCase());
    const person = someone(fixture);
    await person.open(link);
    await send(person, 'sign_in');
    await signIn(person, user.username);
    await send(person, 'join');
    expect(must(await requireUser(fixture.application.ctx, acme, user.id)).emailVerified).toBe(true);
  });

  test('UI-21 another person is told so, and may sign in as who is meant', async () => {
    const [meant, other] = [await makePerson(fixture, acme, fresh('meant')), await makePerson(fixture, acme, fresh('other'))];
    const link = await invite(meant.email);
    const person = someone(fixture);
    await person.open(link);
    await send(person, 'sign_in');
    const wrong = await signIn(person, other.username);
    expect([wrong.url, steps(wrong), wrong.text.includes('You are signed in with another account')]).toEqual([link, ['switch'], true]);
    // A form that the page does not have is no way round.
    const { fields } = person.form({ step: 'switch' });
    expect((await person.post(link, { ...fields, step: 'join' })).location ?? link).toContain('/invitation/');
    expect(await rolesOf(other)).toEqual([]);
    await person.open(link);
    await send(person, 'switch');
    expect(steps(await signIn(person, other.username))).toEqual(['switch']);
    await send(person, 'switch');
    expect(steps(await signIn(person, meant.username))).toEqual(['join']);
    await send(person, 'join');
    expect([(await rolesOf(meant) as readonly unknown[]).length, await rolesOf(other)]).toEqual([1, []]);
  });

  test('a form of one person is nobody else\'s after another signed in', async () => {
    const [meant, other] = [await makePerson(fixture, acme, fresh('meant')), await makePerson(fixture, acme, fresh('other'))];
    const link = await invite(meant.email);
    const person = someone(fixture);
    await person.open(link);
    await send(person, 'sign_in');
    await signIn(person, meant.username);
    const { fields } = person.form({ step: 'join' });
    await person.open(`${new URL(link).origin}${new URL(link).pathname.replace(/\/invitation\/.*/, '/account')}`);
    await send(person, 'sign_out').catch(() => person.submit({}, { form: { act: 'sign_out' } }));
    await person.open(link);
    await send(person, 'sign_in');
    await signIn(person, other.username);
    expect((await person.post(link, fields)).status).toBe(403);
    expect(await rolesOf(meant)).toEqual([]);
  });
});

describe('who has none', () => {
  test('makes one there, verified and signed in, though registration is off; its password is held to the rules', async () => {
    const email = `${fresh('new')}@example.com`;
    const link = await invite(email);
    const person = someone(fixture);
    expect(steps(await person.open(link))).toEqual(['register']);
    const short = await send(person, 'register', { name: 'New Person', password: 'short' });
    expect([short.status, short.forms.find(({ fields }) => fields['step'] === 'register')?.fields['name'], short.html.includes('>short<') || short.html.includes('"short"')]).toEqual([400, 'New Person', false]);
    const done = await send(person, 'register', { name: 'New Person', password: NEW_PASSWORD });
    expect(done.text).toContain('You are a member of the organization now.');
    const user = must(await requireUser(fixture.application.ctx, acme, email));
    expect(user).toMatchObject({ email, emailVerified: true, name: 'New Person' });
    expect(await rolesOf(user)).toMatchObject([{ orgId: 'org_1', roles: ['billing'] }]);
    isGone(await person.open(link));
    const later = someone(fixture);
    await later.open(link.replace(/\/invitation\/.*/, '/account'));
    expect((await signIn(later, email, NEW_PASSWORD)).text).toContain('Example Ltd');
  });

  test('makes one also where somebody else is signed in, who is then no more', async () => {
    const other = await makePerson(fixture, acme, fresh('sits'));
    const email = `${fresh('new')}@example.com`;
    const link = await invite(email);
    const person = someone(fixture);
    await person.open(link.replace(/\/invitation\/.*/, '/account'));
    await signIn(person, other.username);
    expect(steps(await person.open(link))).toEqual(['register']);
    const done = await send(person, 'register', { name: '', password: NEW_PASSWORD });
    expect(done.text).toContain(email);
    expect(await rolesOf(other)).toEqual([]);
    expect(await fixture.application.ctx.store.listBrowserSessions(acme.id, other.id, Date.now())).toEqual([]);
  });

  test('of several who send the form at once one account comes of it', async () => {
    const email = `${fresh('race')}@example.com`;
    const link = await invite(email);
    const person = someone(fixture);
    await person.open(link);
    const { fields } = person.form({ step: 'register' });
    await Promise.all([1, 2, 3].map(() => person.post(link, { ...fields, name: 'Race', password: NEW_PASSWORD }).catch(() => null)));
    expect(await fixture.application.ctx.store.findUsersByEmail(acme.id, email)).toHaveLength(1);
  });
});

describe('UI-12 a link that is good for nothing looks like any other', () => {
  test('used, revoked, replaced, expired, another tenant\'s, or never one of ours', async () => {
    const { ctx } = fixture.application;
    const email = `${fresh('gone')}@example.com`;
    const revokedId = await idOf(email);
    const revoked = await linkTo(email);
    must(await revokeInvitation(ctx, acme, 'org_1', revokedId));
    const again = await makePerson(fixture, acme, fresh('twice'));
    const replaced = await invite(again.email);
    await idOf(again.email);
    const expired = `${fresh('late')}@example.com`;
    const token = 'A'.repeat(43);
    await ctx.store.createInvitation({
      id: fresh('inv'), tenantId: acme.id, orgId: 'org_1', email: expired, roles: [], digest: digestOf(token), invitedBy: 'operator', createdAtMs: Date.now() - 2000, expiresAtMs: Date.now() - 1000, acceptedAtMs: null, revokedAtMs: null,
    }, { audit: [], outbox: [] });
    const base = revoked.replace(/\/invitation\/.*/, '');
    const good = await invite(`${fresh('good')}@example.com`);
    const bodies = [];
    for (const link of [revoked, replaced, `${base}/invitation/${token}`, `${base}/invitation/${'B'.repeat(43)}`, `${base}/invitation/x`, `${new URL(good).origin}/invitation/${good.split('/').at(-1)}`]) {
      const page = await someone(fixture).open(link);
      isGone(page);
      if (link.startsWith(base)) bodies.push(page.html);
    }
    expect(new Set(bodies).size).toBe(1);
    const person = someone(fixture);
    isGone(await person.post(revoked, { csrf: 'x', step: 'join' }));
  });

  test('LG-01 the token of a link is in no row and no log', async () => {
    const link = await invite(`${fresh('quiet')}@example.com`);
    const token = link.split('/').at(-1) ?? '';
    const person = someone(fixture);
    await person.open(link);
    expect(fixture.server.logs()).not.toContain(token);
    expect(JSON.stringify(await listAudit(fixture.application.ctx.store, { limit: 500 }))).not.toContain(token);
    expect(JSON.stringify(await fixture.application.ctx.store.listInvitations(acme.id, 'org_1', Date.now()))).not.toContain(token);
  });
});

