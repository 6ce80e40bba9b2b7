/** An operator invites: what is kept, what goes out, and what ends it. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { openMail } from '../../src/service/credentials/mails.ts';
import { createInvitation, listInvitations, revokeInvitation } from '../../src/service/manage-invitations.ts';
import { createOrganization, deleteOrganization } from '../../src/service/manage-organizations.ts';
import { createRole, deleteRole } from '../../src/service/manage-roles.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { joinOrganization, openInvitation, registerInvited } from '../../src/service/sign-in/invitation.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { openRig, wanted, type Rig } from './rig.ts';

const DAY_MS = 86_400_000;
const browser = { secret: null, session: null, userAgent: null, locale: 'en', from: { ip: '192.0.2.1', requestId: 'req' } };
let rig: Rig;
let acme: Tenant;

beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant('acme');
  wanted(await createOrganization(rig.ctx, acme, 'org_1', 'Example Ltd'));
  wanted(await createRole(rig.ctx, acme, 'billing', []));
});
afterEach(() => rig.close());

const by = { actor: 'key:k1', ip: '203.0.113.7', requestId: 'req-1' };
const invite = (email = 'Ada@Example.com', roles: readonly string[] = ['billing', 'billing']) => createInvitation({ ...rig.ctx, by }, acme, 'org_1', { email, roles, locale: null });

/** The token in the newest mail. */
async function tokenOf(): Promise<string> {
  const mail = (await rig.ctx.store.listDueMails(rig.clock.now(), 99)).at(-1);
  return mail === undefined ? '' : /\/invitation\/([A-Za-z0-9_-]{43})"/.exec(openMail(rig.ctx, mail).text)?.[1] ?? '';
}

test('LG-04, CR-04 an invitation is kept by its digest, goes out by mail, and the trail says who sent it', async () => {
  const invitation = wanted(await invite());
  const token = await tokenOf();
  expect(invitation).toMatchObject({ email: 'Ada@Example.com', roles: ['billing'], digest: digestOf(token), invitedBy: 'key:k1', expiresAtMs: rig.clock.now() + 7 * DAY_MS });
  const [mail] = await rig.ctx.store.listDueMails(rig.clock.now(), 9);
  expect([mail?.target, mail?.payload.includes(token)]).toEqual(['Ada@Example.com', false]);
  expect(await rig.events('invitation_created')).toMatchObject([{ ...by, subject: invitation.id, reason: 'org_1 billing', tenant: 'acme' }]);
  expect(await rig.events('mail_queued')).toMatchObject([{ ...by, reason: 'invitation' }]);
});

test('what cannot be is refused, and nothing goes out', async () => {
  expect(await invite('nobody')).toMatchObject({ ok: false, error: 'invalid_request', member: 'email' });
  expect(await invite('ada@example.com', ['none'])).toMatchObject({ ok: false, error: 'not_found', member: 'roles' });
  expect(await createInvitation(rig.ctx, acme, 'org_9', { email: 'ada@example.com', roles: [], locale: null })).toMatchObject({ ok: false, error: 'not_found' });
  expect(await rig.ctx.store.listDueMails(rig.clock.now(), 9)).toEqual([]);
});

test('RL-08 a mailbox that asked for nothing is left alone after five within the hour, however it is written', async () => {
  for (const email of ['ada@example.com', 'Ada@example.com', 'ADA@EXAMPLE.COM', ' ada@example.com', 'ada@example.com']) wanted(await invite(email));
  expect(await invite('ada@Example.com')).toMatchObject({ ok: false, error: 'conflict', member: 'email' });
  wanted(await invite('bob@example.com'));
  expect(await rig.ctx.store.listDueMails(rig.clock.now(), 99)).toHaveLength(6);
  rig.clock.advance(3_600_001);
  wanted(await invite('ada@example.com'));
});

test('it ends with seven days, with its revocation, with another one, with its organization', async () => {
  const look = async (token: string) => (await openInvitation(rig.ctx, acme, token, null))?.due ?? null;
  const [first, firstToken] = [wanted(await invite()), await tokenOf()];
  expect(await look(firstToken)).toBe('register');
  rig.clock.advance(1);
  const [second, secondToken] = [wanted(await invite()), await tokenOf()];
  expect([await look(firstToken), await look(secondToken)]).toEqual([null, 'register']);
  expect(wanted(await listInvitations(rig.ctx, acme, 'org_1')).map(({ id }) => id)).toEqual([second.id]);
  expect(await revokeInvitation(rig.ctx, acme, 'org_1', first.id)).toMatchObject({ ok: false, error: 'not_found' });
  wanted(await revokeInvitation({ ...rig.ctx, by }, acme, 'org_1', 'ada@example.COM'));
  expect([await look(secondToken), await rig.events('invitation_revoked')]).toMatchObject([null, [{ ...by, subject: second.id }]]);
  rig.clock.advance(1);
  wanted(await invite());
  const third = await tokenOf();
  rig.clock.advance(7 * DAY_MS - 1);
  expect(await look(third)).toBe('register');
  rig.clock.advance(1);
  expect(await look(third)).toBeNull();
  wanted(await invite());
  const fourth = await tokenOf();
  wanted(await deleteOrganization(rig.ctx, acme, 'org_1'));
  expect(await look(fourth)).toBeNull();
});

test('what is due depends on who is there: an account of the address, by whatever case, or of its name', async () => {
  const ada = wanted(await createUser(rig.ctx, acme, null, { username: 'ada', email: 'ADA@example.com', emailVerified: true }));
  const bob = wanted(await createUser(rig.ctx, acme, null, { username: 'bob@example.com', email: '', emailVerified: false }));
  wanted(await invite());
  const token = await tokenOf();
  const session = { id: 'ses_1' } as never;
  const due = async (text: string, user = ada) => (await openInvitation(rig.ctx, acme, text, { session, user }))?.due;
  expect([(await openInvitation(rig.ctx, acme, token, null))?.due, await due(token), await due(token, bob)]).toEqual(['sign_in', 'join', 'wrong']);
  rig.clock.advance(1);
  wanted(await invite('bob@example.com'));
  expect([(await openInvitation(rig.ctx, acme, await tokenOf(), null))?.due, await due(await tokenOf(), bob)]).toEqual(['sign_in', 'wrong']);
  const open = await openInvitation(rig.ctx, acme, token, { session, user: bob });
  if (open === null) throw new Error('it is open');
  const invited = { ctx: rig.ctx, tenant: acme, browser, signedIn: { session, user: bob }, open };
  expect([await joinOrganization(invited), await registerInvited(invited, { name: '', password: 'glass tunnel orchard 9' })]).toEqual([false, 'stale']);
});

test('who joins has the roles that are left by then', async () => {
  wanted(await invite('new@example.com'));
  const token = await tokenOf();
  wanted(await deleteRole(rig.ctx, acme, 'billing'));
  const open = await openInvitation(rig.ctx, acme, token, null);
  if (open === null) throw new Error('it is open');
  const made = await registerInvited({ ctx: rig.ctx, tenant: acme, browser, signedIn: null, open }, { name: ' New ', password: 'glass tunnel orchard 9' });
  expect(made).toMatchObject({ ok: true, cookies: { session: expect.any(String) } });
  const [user] = await rig.ctx.store.findUsersByEmail(acme.id, 'new@example.com');
  expect(user).toMatchObject({ name: 'New', emailVerified: true });
  expect(await rig.ctx.store.listMemberships(acme.id, { userId: user?.id ?? '' })).toMatchObject([{ orgId: 'org_1', roles: [] }]);
  expect(await rig.events('invitation_accepted')).toMatchObject([{ actor: user?.id, reason: 'org_1', ip: '192.0.2.1' }]);
  expect(await rig.events('user_registered')).toMatchObject([{ subject: user?.id }]);
});
