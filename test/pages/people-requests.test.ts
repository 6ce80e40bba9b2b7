/** What a pending request's pages say where the wording depends on how far it came. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { openMail } from '../../src/service/credentials/mails.ts';
import { authorizeUrl, codeOf, decide, makeApp, makePerson, PASSWORD, signIn, someone, type App } from '../helpers/flow.ts';
import { makeTenant, startFixture, until, type Fixture } from '../helpers/fixture.ts';

let fixture: Fixture;
let acme: Tenant;
let app: App;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  app = await makeApp(fixture, acme, 'orders');
  for (const name of ['ann', 'ben', 'cem']) await makePerson(fixture, acme, name);
});
afterAll(() => fixture.close());

/** The link of the newest mail of a kind to an address; empty: none came yet. */
async function linkOf(address: string, subject: RegExp): Promise<string> {
  const { ctx } = fixture.application;
  const mails = (await ctx.store.listMailbox(acme.id, 100)).filter(({ target }) => target === address).map((item) => openMail(ctx, item));
  return mails.filter((mail) => subject.test(mail.subject)).flatMap(({ text }) => /^https?:\S+$/m.exec(text)?.[0] ?? [])[0] ?? '';
}

for (const decision of ['allow', 'deny'] as const) {
  test(`AZ-45 going back to a request after "${decision}": it is done, and not late`, async () => {
    const person = someone(fixture);
    const { url } = await person.open(authorizeUrl(fixture, acme, app));
    await signIn(person, decision === 'allow' ? 'ann' : 'ben');
    const { csrf = '' } = person.form({ step: 'consent' }).fields;
    const answer = await decide(person, decision);
    if (decision === 'allow') codeOf(answer);
    const back = await person.open(url);
    expect([back.status, back.forms]).toEqual([400, []]);
    expect(back.text).toContain('This is already done. Go back to the application, or start again there.');
    const again = await person.post(url, { csrf, step: 'password', username: 'ann', password: PASSWORD });
    expect([again.status, again.text.includes('This is already done.'), again.location]).toEqual([400, true, null]);
  });
}

test('AZ-45 the link of a mail says what it is for: to sign in, or to choose a new password', async () => {
  const person = someone(fixture);
  const { url } = await person.open(authorizeUrl(fixture, acme, app));
  for (const [path, step, subject, title] of [['', 'email', /sign-in/, 'Finish signing in'], ['/forgot', 'forgot', /password/, 'Reset your password']] as const) {
    await person.open(`${url}${path}`);
    await person.submit({ username: 'cem' }, { form: { step } });
    let link = '';
    await until('the mail is there', async () => {
      link = await linkOf('cem@example.com', subject);
      return link !== '';
    });
    const page = await person.open(link);
    expect([page.status, page.html.includes(`<h1>${title}</h1>`), page.forms.map(({ fields }) => fields['step'])]).toEqual([200, true, ['link']]);
  }
});
