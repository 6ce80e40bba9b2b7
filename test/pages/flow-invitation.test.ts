/** Invitations into organizations in Chromium: with an account, without one, as somebody else, and with a link that is good for nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { createInvitation } from '../../src/service/manage-invitations.ts';
import { createOrganization } from '../../src/service/manage-organizations.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { defaultTenant, must } from '../helpers/fixture.ts';
import { makePerson, PASSWORD } from '../helpers/flow.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');

describe.skipIf(chromium === undefined)('an invitation in Chromium', () => {
  let town: Neighbourhood;
  let home: Tenant;

  beforeAll(async () => {
    town = await Neighbourhood.open(chromium ?? '');
    home = await defaultTenant(town.fixture);
    must(await createOrganization(town.fixture.application.ctx, home, 'org_1', 'Example Ltd'));
  });
  afterAll(() => town.close());

  /** Invites an address; gives the link that its mail has. */
  async function invite(person: BrowserPerson, email: string, name?: string): Promise<string> {
    must(await createInvitation(town.fixture.application.ctx, home, 'org_1', { email, roles: [], locale: null }));
    const { link } = await person.readMail(`${town.url}/mailbox`, email, /you are invited to Example Ltd/, name);
    if (link === null) throw new Error('the mail has no link');
    return link;
  }

  test('who has an account signs in, comes back and joins', () => town.walk(async (person) => {
    await makePerson(town.fixture, home, 'iris');
    const link = await invite(person, 'iris@example.com', 'mailbox-invitation');
    await person.goto(link);
    await person.sees('Join Example Ltd', 'invitation-sign-in');
    await person.press('Sign in to join');
    await person.sees('Sign in');
    await person.signIn('iris', PASSWORD);
    await person.sees('Join Example Ltd', 'invitation-join');
    await person.press('Join');
    await person.hears('status', 'You are a member of the organization now.');
    expect(await person.page.getByText('Example Ltd').count()).toBe(1);
    await person.goto(link);
    await person.sees('This invitation cannot be used', 'invitation-gone');
  }), 30_000);

  test('who has none makes one there, though strangers may not, and without JavaScript', () => town.walk(async (person) => {
    const link = await invite(person, 'newcomer@example.com');
    await person.goto(link);
    await person.sees('Join Example Ltd');
    await person.fill({ 'Your name': 'New Comer', Password: 'short' });
    await person.press('Create account and join');
    await person.page.getByRole('alert').waitFor();
    expect(await person.page.getByLabel('Your name').inputValue()).toBe('New Comer');
    await person.fill({ Password: 'glass tunnel orchard 9' });
    await person.press('Create account and join');
    await person.hears('status', 'You are a member of the organization now.');
    expect(await person.page.getByText('newcomer@example.com').count()).toBeGreaterThan(0);
  }, { javaScriptEnabled: false }), 30_000);

  test('UI-21 who is signed in as somebody else is told so, and signs in as who is meant', () => town.walk(async (person) => {
    for (const name of ['meant', 'other']) await makePerson(town.fixture, home, name);
    const link = await invite(person, 'meant@example.com');
    await person.goto(`${town.url}/account`);
    await person.signIn('other', PASSWORD);
    await person.sees('Overview');
    await person.goto(link);
    await person.sees('Join Example Ltd', 'invitation-wrong');
    expect(await person.page.getByRole('button', { name: 'Join', exact: true }).count()).toBe(0);
    await person.press('Use another account');
    await person.sees('Sign in');
    await person.signIn('meant', PASSWORD);
    await person.press('Join');
    await person.hears('status', 'You are a member of the organization now.');
  }), 30_000);
});
