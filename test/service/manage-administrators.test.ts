/** Links by which somebody becomes an administrator: once, within a day, and with no more than was said. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { makeTenant } from '../../src/core/tenant-settings.ts';
import { everything, putAdministrator, removeAdministrator } from '../../src/service/manage-access.ts';
import { searchAudit } from '../../src/service/manage-audit.ts';
import { acceptAdminInvitation, findOpenInvitation, inviteAdministrator, lacksAdministrator, makeSetupLink, type InvitationLink } from '../../src/service/manage-administrators.ts';
import { createUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const DAY_MS = 86_400_000;
const wish = { username: 'root', name: null, email: '', password: 'a rather long passphrase' };

let rig: Rig;
beforeEach(async () => {
  rig = openRig();
  await rig.ctx.store.createTenant(makeTenant({ id: 'ten_home', slug: 'default', nowMs: rig.clock.now() }, { algorithm: 'ES256' }), [], []);
});
afterEach(() => rig.close());

const tokenOf = ({ url }: InvitationLink): string => there(url.split('/').at(-1));
const setup = async (): Promise<string> => tokenOf(there(await makeSetupLink(rig.ctx)));
const administrators = () => rig.ctx.store.listAdministrators();

describe('UI-28 · the first administrator', () => {
  test('there is a link while there is none, at the server\'s own address; not any more afterwards', async () => {
    const link = there(await makeSetupLink(rig.ctx));
    expect(link.url).toMatch(/^https:\/\/id\.example\.com\/admin\/setup\/[A-Za-z0-9_-]{43}$/);
    expect(link.expiresAtMs).toBe(rig.clock.now() + DAY_MS);
    const made = wanted(await acceptAdminInvitation(rig.ctx, tokenOf(link), wish));
    expect([made.scopes, made.tenantId, await makeSetupLink(rig.ctx), await lacksAdministrator(rig.ctx)]).toEqual([['admin'], null, null, false]);
    expect([(await rig.events('administrator_added')).at(-1), (await rig.events('user_created')).at(-1)]).toMatchObject([{ actor: made.userId, subject: made.userId }, { subject: made.userId, reason: 'invitation' }]);
  });

  test('an administrator of some things, or who cannot sign in, is not enough', async () => {
    const user = wanted(await createUser(rig.ctx, there(await rig.ctx.store.findTenant({ slug: 'default' })), null, { username: 'ada', email: '' }));
    wanted(await putAdministrator(rig.ctx, everything, user.id, { scopes: ['admin:clients'], tenant: null }));
    expect(await lacksAdministrator(rig.ctx)).toBe(true);
    wanted(await putAdministrator(rig.ctx, everything, user.id, { scopes: ['admin'], tenant: null }));
    expect(await lacksAdministrator(rig.ctx)).toBe(false);
    wanted(await setUserEnabled(rig.ctx, there(await rig.ctx.store.findTenant({ slug: 'default' })), user.id, false));
    expect(await lacksAdministrator(rig.ctx)).toBe(true);
    expect(await removeAdministrator(rig.ctx, everything, user.id)).toMatchObject({ ok: false, error: 'conflict' });
  });

  test('the token is kept nowhere: neither in a row nor in the trail', async () => {
    const token = await setup();
    await rig.audit.flush();
    expect(JSON.stringify(await searchAudit(rig.ctx, {}, 100)).includes(token)).toBe(false);
    expect((await findOpenInvitation(rig.ctx, token))?.digest).not.toContain(token);
  });
});

describe('a link', () => {
  test('is good once', async () => {
    const token = await setup();
    wanted(await acceptAdminInvitation(rig.ctx, token, wish));
    expect(await acceptAdminInvitation(rig.ctx, token, { ...wish, username: 'other' })).toMatchObject({ ok: false, error: 'not_found' });
    expect([(await administrators()).length, await findOpenInvitation(rig.ctx, token)]).toEqual([1, null]);
  });

  test('of many who follow it at once one gets in, and one account is made', async () => {
    const token = await setup();
    const outcomes = await Promise.all(Array.from({ length: 6 }, (_, index) => acceptAdminInvitation(rig.ctx, token, { ...wish, username: `root-${index}` })));
    const users = await rig.ctx.store.listUsers('ten_home');
    expect([outcomes.filter(({ ok }) => ok).length, (await administrators()).length, users.length]).toEqual([1, 1, 1]);
  });

  test('is good for a day, to the millisecond', async () => {
    const token = await setup();
    rig.clock.advance(DAY_MS - 1);
    expect(await findOpenInvitation(rig.ctx, token)).not.toBeNull();
    rig.clock.advance(1);
    expect([await findOpenInvitation(rig.ctx, token), await acceptAdminInvitation(rig.ctx, token, wish)]).toMatchObject([null, { ok: false, error: 'not_found' }]);
  });

  test('is void when another was made, and nobody can guess one', async () => {
    const [first, second] = [await setup(), await setup()];
    expect([await findOpenInvitation(rig.ctx, first), await findOpenInvitation(rig.ctx, `${second}x`), await findOpenInvitation(rig.ctx, '')]).toEqual([null, null, null]);
    expect(await findOpenInvitation(rig.ctx, second)).not.toBeNull();
  });

  const rows: readonly (readonly [what: string, change: Partial<typeof wish>, member: string])[] = [
    ['a short password', { password: 'short' }, 'password'], ['their own name as password', { username: 'a-name-that-is-long', password: 'a-name-that-is-long' }, 'password'],
    ['no username', { username: '' }, 'username'], ['an address that is none', { email: 'nowhere' }, 'email'], ['a name with a line break', { username: 'a\nb' }, 'username'],
  ];
  for (const [what, change, member] of rows) {
    test(`${what} → refused at ${member}, and the link stays good`, async () => {
      const token = await setup();
      expect(await acceptAdminInvitation(rig.ctx, token, { ...wish, ...change })).toMatchObject({ ok: false, member });
      expect([await findOpenInvitation(rig.ctx, token) !== null, await administrators()]).toEqual([true, []]);
    });
  }

  test('a name that somebody has → refused, and the link stays good', async () => {
    wanted(await createUser(rig.ctx, there(await rig.ctx.store.findTenant({ slug: 'default' })), null, { username: 'Root', email: '' }));
    const token = await setup();
    expect(await acceptAdminInvitation(rig.ctx, token, wish)).toMatchObject({ ok: false, error: 'already_exists', member: 'username' });
    expect(await findOpenInvitation(rig.ctx, token)).not.toBeNull();
  });

  test('gives what was said, and nobody gives more than they have', async () => {
    const acme = await rig.tenant('acme');
    const link = wanted(await inviteAdministrator(rig.ctx, everything, { scopes: ['admin:clients'], tenant: acme }));
    expect(wanted(await acceptAdminInvitation(rig.ctx, tokenOf(link), wish))).toMatchObject({ scopes: ['admin:clients'], tenantId: acme.id });
    for (const [held, scopes, tenant] of [
      [{ scopes: ['admin:read'], tenantId: null }, ['admin'], null], [{ scopes: ['admin'], tenantId: acme.id }, ['admin'], null], [everything, ['root'], null], [everything, [], null],
    ] as const) expect((await inviteAdministrator(rig.ctx, held, { scopes, tenant })).ok).toBe(false);
  });
});
