/** Several tabs and several people at one browser, and what changes while somebody signs in. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { openMail } from '../../src/service/credentials/mails.ts';
import { changePassword } from '../../src/service/credentials/password.ts';
import { setUserEnabled } from '../../src/service/manage-users.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { authorizeUrl, codeOf, decide, makeApp, makePerson, PASSWORD, redeem, signIn, someone, tokensOf, type App, type Asked } from '../helpers/flow.ts';
import { decodeJwt, makeTenant, must, startFixture, type Fixture } from '../helpers/fixture.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

const OTHER_PASSWORD = 'another horse battery';

let fixture: Fixture;
let acme: Tenant;
let first: App;
let third: App;
let count = 0;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_RATE_LIMITS: 'on' } });
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  [first, third] = [await makeApp(fixture, acme, 'first', { firstParty: true }), await makeApp(fixture, acme, 'third')];
});
afterAll(() => fixture.close());

/** Somebody whom no other test knows. */
async function newcomer(): Promise<User> {
  count += 1;
  return makePerson(fixture, acme, `person-${count}`);
}

/** Another tab of the same browser: its own page, the same cookies. */
function tabOf(person: Person): Person {
  const tab = someone(fixture);
  for (const [host, jar] of person.cookies) tab.cookies.set(host, jar);
  return tab;
}

const ask = (person: Person, change: Asked = {}, app = first): Promise<PersonPage> => person.open(authorizeUrl(fixture, acme, app, change));
const steps = (page: PersonPage): readonly string[] => page.forms.flatMap(({ fields }) => fields['step'] ?? []);
const subjectOf = async (page: PersonPage, app: App): Promise<unknown> => decodeJwt(tokensOf(await redeem(fixture, acme, app, codeOf(page))).id).claims['sub'];
const person = (tenant: Tenant) => ({ tenant, from: { ip: null, requestId: null }, locale: 'en', device: null });

async function setPassword(user: User, password: string, mustChange = false): Promise<void> {
  expect(await changePassword(fixture.application.ctx, person(acme), user, password, { proofId: null, notice: null, mustChange })).toEqual({ ok: true });
}

/** The newest code that was mailed to somebody. */
async function mailedCode({ email }: User): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const item = (await fixture.application.ctx.store.listMailbox(acme.id, 200)).find(({ target }) => target === email);
    const code = item === undefined ? undefined : /^\s*(\d{6,8})\s*$/m.exec(openMail(fixture.application.ctx, item).text)?.[1];
    if (code !== undefined) return code;
    await Bun.sleep(50);
  }
  throw new Error(`no code was mailed to ${email}`);
}

describe('UI-21, AZ-48 · a page that speaks of somebody goes on with nobody else', () => {
  test('UI-21 the chooser of one person, sent after another signed in: nothing is issued', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    const tab = someone(fixture);
    await ask(tab);
    await signIn(tab, alice.username);
    const chooser = await ask(tab, { prompt: 'select_account' });
    expect(steps(chooser)).toContain('continue');
    const other = tabOf(tab);
    await ask(other, { prompt: 'login' });
    expect(await subjectOf(await signIn(other, bob.username), first)).toBe(bob.id);
    const { action, fields } = tab.form({ step: 'continue' });
    for (const step of ['continue', 'other']) {
      const page = await tab.post(action, { ...fields, step });
      expect([page.status, page.location]).toEqual([400, null]);
    }
  });

  test('AZ-32 another account: only who signs in after that will do', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    const tab = someone(fixture);
    await ask(tab);
    await signIn(tab, alice.username);
    await ask(tab, { prompt: 'select_account' });
    const page = await tab.submit({}, { form: { step: 'other' } });
    expect(steps(page)).toContain('password');
    expect(await subjectOf(await signIn(tab, bob.username), first)).toBe(bob.id);
  });

  test('UI-20 what one person allowed is not allowed by the next at the same browser', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    const tab = someone(fixture);
    await ask(tab, {}, third);
    expect(steps(await signIn(tab, alice.username))).toContain('consent');
    const other = tabOf(tab);
    await ask(other, { prompt: 'login' });
    await signIn(other, bob.username);
    const page = await decide(tab, 'allow');
    expect([page.status, page.location]).toEqual([400, null]);
    expect(await fixture.application.ctx.store.listConsents(acme.id, bob.id)).toEqual([]);
  });

  test('AZ-48 two tabs at the sign-in page: signing in in one lets the other go on, and no code is lost', async () => {
    const alice = await newcomer();
    const tab = someone(fixture);
    await ask(tab, { state: 'one' });
    const other = tabOf(tab);
    await ask(other, { state: 'two' });
    expect((await signIn(other, alice.username)).location).toContain('state=two');
    const page = await signIn(tab, alice.username);
    expect(page.location).toContain('state=one');
    expect(await subjectOf(page, first)).toBe(alice.id);
  });
});

describe('ASVS 7.4.3 · what a proof stands on must not have changed', () => {
  test('UI-06 the password was changed after it was proved: the second step does not go on, nor overwrite the new one', async () => {
    const alice = await newcomer();
    await setPassword(alice, OTHER_PASSWORD, true);
    const [intruder, owner] = [someone(fixture), someone(fixture)];
    for (const each of [intruder, owner]) {
      await ask(each);
      expect(steps(await signIn(each, alice.username, OTHER_PASSWORD))).toContain('new_password');
    }
    expect((await owner.submit({ password: PASSWORD, again: PASSWORD }, { form: { step: 'new_password' } })).location).toContain('code=');
    const page = await intruder.submit({ password: 'an intruder\'s password', again: 'an intruder\'s password' }, { form: { step: 'new_password' } });
    expect(page.location).toBeNull();
    expect(steps(page)).toContain('password');
    const again = someone(fixture);
    await ask(again);
    expect((await signIn(again, alice.username)).location).toContain('code=');
  });

  test('INT-85 disabled and enabled again between two steps: the first counts no more', async () => {
    const alice = await newcomer();
    await setPassword(alice, OTHER_PASSWORD, true);
    const tab = someone(fixture);
    await ask(tab);
    await signIn(tab, alice.username, OTHER_PASSWORD);
    for (const enabled of [false, true]) must(await setUserEnabled(fixture.application.ctx, acme, alice.id, enabled));
    const page = await tab.submit({ password: PASSWORD, again: PASSWORD }, { form: { step: 'new_password' } });
    expect(page.location).toBeNull();
    expect(steps(page)).toContain('password');
  });

  test('UI-06 a forgotten password is reset by somebody who is signed in: they go on, with another session', async () => {
    const alice = await newcomer();
    const tab = someone(fixture);
    await ask(tab);
    await signIn(tab, alice.username);
    const before = tab.cookie('sid');
    const page = await ask(tab, { prompt: 'login' });
    await tab.open(`${page.url}/forgot`);
    await tab.submit({ username: alice.username }, { form: { step: 'forgot' } });
    await tab.submit({ code: await mailedCode(alice) }, { form: { step: 'code' } });
    const done = await tab.submit({ password: OTHER_PASSWORD, again: OTHER_PASSWORD }, { form: { step: 'new_password' } });
    expect(await subjectOf(done, first)).toBe(alice.id);
    expect(tab.cookie('sid')).not.toBe(before);
  });
});

describe('forms without a name', () => {
  test.each([['email', ''], ['forgot', '/forgot']] as const)('%s: is asked for it again', async (step, view) => {
    const tab = someone(fixture);
    const page = await ask(tab);
    if (view !== '') await tab.open(`${page.url}${view}`);
    const answer = await tab.submit({ username: ' ' }, { form: { step } });
    expect([answer.status, steps(answer).includes(step)]).toEqual([400, true]);
  });
});

describe('UI-13 · guessing', () => {
  test('RL-10 an address that somebody only claims to have evades nothing', async () => {
    const alice = await newcomer();
    const tab = someone(fixture);
    await ask(tab);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      tab.headers['X-Forwarded-For'] = `198.51.100.${attempt}`;
      statuses.push((await signIn(tab, alice.username, 'not the password')).status);
    }
    expect(statuses.slice(0, 4)).toEqual([400, 400, 400, 400]);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('what a tenant offers no more', () => {
  test('a code that was mailed before is of no use after e-mail codes were switched off', async () => {
    const alice = await newcomer();
    const tab = someone(fixture);
    await ask(tab);
    await tab.submit({ username: alice.username }, { form: { step: 'email' } });
    const code = await mailedCode(alice);
    must(await updateTenant(fixture.application.ctx, acme.slug, { people: { emailCodes: false } }));
    try {
      const page = await tab.submit({ code }, { form: { step: 'code' } });
      expect(page.location).toBeNull();
    } finally {
      must(await updateTenant(fixture.application.ctx, acme.slug, { people: { emailCodes: true } }));
    }
  });
});
