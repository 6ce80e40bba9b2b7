/** The first administrator, from the printed link to the console. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inviteAdministrator, makeSetupLink } from '../../src/service/manage-administrators.ts';
import { searchAudit } from '../../src/service/manage-audit.ts';
import { everything } from '../../src/service/manage-access.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { must, send, startFixture, type Fixture } from '../helpers/fixture.ts';
import { signIn, someone } from '../helpers/flow.ts';
import { expectConsoleHeaders } from '../helpers/operator.ts';

const chosen = { username: 'root', name: 'Root', email: '', password: 'a rather long passphrase', again: 'a rather long passphrase' };

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOG_LEVEL: 'debug' } });
});
afterAll(() => fixture.close());

/** Path of a new link. */
async function makeLink(): Promise<string> {
  return new URL(must(await inviteAdministrator(fixture.application.ctx, everything, { scopes: ['admin'], tenant: null })).url).pathname;
}

describe('UI-28 · setting up', () => {
  test('the link\'s page, the account, the sign-in, the console; and the link is spent', async () => {
    const link = new URL((await makeSetupLink(fixture.application.ctx))?.url ?? '').pathname;
    const person = someone(fixture);
    const page = await person.open(link);
    expectConsoleHeaders(page);
    expect([page.status, page.text.includes('administrator'), (await fixture.application.ctx.store.listAdministrators()).length]).toEqual([200, true, 0]);
    const made = await person.submit(chosen);
    expect([made.status, new URL(made.url).pathname.startsWith('/sign-in/'), person.cookie('sid')]).toEqual([200, true, undefined]);
    const inside = await signIn(person, 'root', chosen.password);
    expect([inside.status, new URL(inside.url).pathname, inside.text.includes('Dashboard')]).toEqual([200, '/admin', true]);
    for (const again of [await someone(fixture).open(link), await person.open(link)]) expect([again.status, again.text.includes('This link is no good')]).toEqual([404, true]);
    expect(fixture.server.logs().includes(link.split('/').at(-1) ?? '')).toBe(false);
  });

  test('UI-10 a form that is not this browser\'s, or another site\'s → 403, and the link stays good', async () => {
    const link = await makeLink();
    const [one, other] = [someone(fixture), someone(fixture)];
    await one.open(link);
    await other.open(link);
    const { csrf = '' } = one.form().fields;
    const { csrf: foreign = '' } = other.form().fields;
    for (const [token, headers] of [['', {}], [foreign, {}], [csrf, { 'Sec-Fetch-Site': 'cross-site' }]] as const) {
      expect((await one.post(link, { ...chosen, username: 'intruder', csrf: token }, { headers, follow: false })).status).toBe(403);
    }
    expect((await send(`${fixture.server.url}${link}`, {})).status).toBe(200);
  });

  test('what is wrong is said at its field, what was typed stays, and passwords do not', async () => {
    const person = someone(fixture);
    await person.open(await makeLink());
    const page = await person.submit({ ...chosen, username: 'second', again: 'another passphrase entirely' });
    expect([page.status, page.text.includes('another password than the first'), page.html.includes('value="second"'), page.html.includes('passphrase')]).toEqual([400, true, true, false]);
    const short = await person.submit({ ...chosen, username: 'second', password: 'short', again: 'short' });
    expect([short.status, short.text.includes('characters or more')]).toEqual([400, true]);
  });

  test('two who send the form at once: one account', async () => {
    const link = await makeLink();
    const both = [someone(fixture), someone(fixture)];
    for (const person of both) await person.open(link);
    const pages = await Promise.all(both.map((person, index) => person.submit({ ...chosen, username: `racer-${index}` })));
    const users = await fixture.application.ctx.store.pageUsers((await fixture.application.ctx.store.findTenant({ slug: 'default' }))?.id ?? '', { after: null, limit: 10 }, { search: 'racer' });
    expect([pages.map(({ status }) => status).toSorted((a, b) => a - b), users.items.length]).toEqual([[200, 404], 1]);
  });

  test('where nobody signs in with passwords the page says so', async () => {
    const link = await makeLink();
    must(await updateTenant(fixture.application.ctx, 'default', { people: { passwords: false } }));
    const page = await someone(fixture).open(link);
    must(await updateTenant(fixture.application.ctx, 'default', { people: { passwords: true } }));
    expect([page.status, page.text.includes('Passwords are off')]).toEqual([409, true]);
  });

  for (const path of ['/admin/setup/x', '/admin/setup/', '/admin/setup', `/admin/setup/${'a'.repeat(101)}`, '/admin/setup/a/b']) {
    test(`${path.slice(0, 30)} tells nothing`, async () => {
      const page = await someone(fixture).open(path, { follow: false });
      expect([303, 404]).toContain(page.status);
    });
  }
});

test('ASSAY_ADMIN=off: there is neither a console nor a link', async () => {
  const closed = await startFixture({ env: { ASSAY_ADMIN: 'off' } });
  try {
    for (const path of ['/admin', '/admin/setup/x', '/admin/v1/tenants']) expect((await send(`${closed.server.url}${path}`, {})).status).toBe(404);
    expect(await searchAudit(closed.application.ctx, { types: ['administrator_invited'] }, 1)).toEqual([]);
  } finally {
    await closed.close();
  }
});
