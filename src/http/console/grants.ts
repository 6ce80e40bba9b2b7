/** Grants and sessions in the console: what lives, and how it is ended. */
import type { Grant, Tenant } from '../../core/model.ts';
import type { ListedBrowserSession, ListedGrant } from '../../core/operations-store.ts';

import { endGrants } from '../../service/end-grants.ts';
import { pageLiveGrants, requireGrant, revokeGrant } from '../../service/manage-grants.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { deviceOf, endUserSession, endUserSessions } from '../../service/manage-sessions.ts';
import { requireUser } from '../../service/manage-users.ts';
import { badge, link, mono, row, soft, time, yesNo, type Badge, type Value } from '../../pages/admin/views.ts';
import { tenantOf, type ConsoleCall } from './call.ts';
import { tenantPath, withQuery } from './paths.ts';
import { resource } from './resource.ts';

/** Somebody by name where there is one. */
async function person(call: ConsoleCall, userId: string): Promise<Value> {
  const { slug, id } = tenantOf(call);
  const user = await call.ctx.store.findUser(id, userId);
  return user === null || user.deletedAtMs !== null ? mono(userId) : link(user.username, tenantPath(slug, 'users', userId));
}

async function application(call: ConsoleCall, clientId: string): Promise<Value> {
  const { slug, id } = tenantOf(call);
  const client = await call.ctx.store.findClient(id, clientId);
  return client === null || client.deletedAtMs !== null ? mono(clientId) : link(client.name, tenantPath(slug, 'clients', clientId));
}

/** The id of the user that a filter names, by id or name. A filter that names nobody finds nothing. */
async function userIdOf(call: ConsoleCall, tenant: Tenant, reference: string): Promise<string> {
  const found = await requireUser(call.ctx, tenant, reference);
  return found.ok ? found.value.id : reference;
}

const stateOf = (grant: Grant, nowMs: number): Badge =>
  (grant.revokedAtMs !== null ? { text: 'revoked', mood: 'bad' } : grant.expiresAtMs <= nowMs ? { text: 'expired', mood: 'calm' } : { text: 'live', mood: 'good' });

export const grantResource = resource<ListedGrant>({
  name: 'grants', at: 'tenant', area: 'tokens', icon: 'shield', title: 'Grants', one: 'grant',
  explain: 'What clients may do in somebody\'s name right now. All tokens of a grant live and die with it.', empty: 'Nobody has allowed anything that is in use.',
  filters: [{ name: 'user', label: 'User', placeholder: 'name or ID' }, { name: 'client', label: 'Client', placeholder: 'client ID' }, { name: 'session', label: 'Session', placeholder: 'session ID' }],
  columns: [
    { title: 'User', cell: ({ grant }, call) => person(call, grant.userId) }, { title: 'Client', cell: ({ grant }, call) => application(call, grant.clientId) },
    { title: 'Grant', cell: ({ grant }, call) => link('Show', tenantPath(tenantOf(call).slug, 'grants', grant.id)) },
    { title: 'Scopes', cell: ({ grant }) => row(grant.scopes.map((scope) => mono(scope))), minor: true },
    { title: 'Begun', cell: ({ grant }) => time(grant.createdAtMs) }, { title: 'Last used', cell: ({ lastUsedAtMs }) => time(lastUsedAtMs), minor: true }, { title: 'Ends', cell: ({ grant }) => time(grant.expiresAtMs), minor: true },
  ],
  async list(call, { page, filters: { user = '', client = '', session = '' } }) {
    const live = await pageLiveGrants(call.ctx, tenantOf(call), page, { ...(user !== '' && { user }), ...(client !== '' && { clientId: client }), ...(session !== '' && { sessionId: session }) });
    // A filter that names nobody finds nothing.
    return live.ok ? live.value : { items: [], next: null };
  },
  linked: false,
  id: ({ grant }) => grant.id, label: ({ grant }) => `Grant ${grant.id}`,
  state: ({ grant }) => (grant.revokedAtMs === null ? null : { text: 'revoked', mood: 'bad' }),
  async load(call, id) {
    const found = await requireGrant(call.ctx, tenantOf(call), id);
    return found.ok ? done({ grant: found.value, lastUsedAtMs: null }) : found;
  },
  async facts({ grant }, call) {
    const { slug } = tenantOf(call);
    return [
      { title: 'Grant', facts: [
        ['State', { kind: 'badge', ...stateOf(grant, call.ctx.clock.now()) }], ['Grant ID', mono(grant.id, true)], ['User', await person(call, grant.userId)], ['Client', await application(call, grant.clientId)],
        ['Scopes', row(grant.scopes.map((scope) => mono(scope)))], ['Audience', row(grant.audience.map((one) => mono(one)))], ['Organization', mono(grant.orgId)],
        ['Session', grant.sessionId === null ? null : link(grant.sessionId, withQuery(tenantPath(slug, 'grants'), { session: grant.sessionId }), true)],
        ['Outlives its session', yesNo(grant.offline)],
      ] },
      { title: 'Times', facts: [['Begun', time(grant.createdAtMs)], ['Signed in', time(grant.authTime === null ? null : grant.authTime * 1000)], ['How', grant.amr.length === 0 ? null : `${grant.amr.join(', ')}${grant.acr === null ? '' : ` (${grant.acr})`}`], ['Refresh tokens end', time(grant.expiresAtMs)], ['Revoked', time(grant.revokedAtMs)]] },
    ];
  },
  actions: [{
    name: 'revoke', label: 'Revoke', tone: 'danger', when: ({ grant }) => grant.revokedAtMs === null,
    says: () => ['Every token of this grant is void at once. The person can sign in and allow it again.'],
    async act(call, { grant }) {
      const ended = await revokeGrant(call.ctx, tenantOf(call), grant.id);
      return ended.ok ? done({ said: 'The grant is revoked.' }, ended.warnings) : ended;
    },
  }],
  bulk: [{
    name: 'revoke', label: 'Revoke several', tone: 'danger', recent: true,
    says: () => ['Every live grant of the user, or at the client, ends, with all of its tokens. With both: of that user at that client.'],
    fields: [{ name: 'user', label: 'User', type: 'text', placeholder: 'name or ID' }, { name: 'client', label: 'Client', type: 'text', placeholder: 'client ID' }],
    fill: ({ query }) => ({ user: query.get('user') ?? '', client: query.get('client') ?? '' }),
    async act(call, form) {
      const ended = await endGrants(call.ctx, tenantOf(call), { user: form.orNull('user'), clientId: form.orNull('client') });
      return ended.ok ? done({ said: ended.value === 1 ? 'One grant ended.' : `${ended.value} grants ended.` }, ended.warnings) : ended;
    },
  }],
});

function nameOfDevice(listed: ListedBrowserSession): string {
  return deviceOf(listed) ?? 'Unknown device';
}

export const sessionResource = resource<ListedBrowserSession>({
  name: 'sessions', at: 'tenant', area: 'tokens', icon: 'device', title: 'Sessions', one: 'session',
  explain: 'Browsers in which somebody is signed in.', empty: 'Nobody is signed in.',
  filters: [{ name: 'user', label: 'User', placeholder: 'name or ID' }],
  columns: [
    { title: 'User', cell: ({ session }, call) => person(call, session.userId) }, { title: 'Session', cell: (listed, call) => link(nameOfDevice(listed), tenantPath(tenantOf(call).slug, 'sessions', listed.session.id)) },
    { title: 'Address', cell: ({ session }) => mono(session.ip) }, { title: 'Signed in', cell: ({ session }) => time(session.authTimeMs), minor: true }, { title: 'Last seen', cell: ({ session }) => time(session.lastSeenAtMs) },
    { title: 'Clients', cell: ({ clientIds }) => String(clientIds.length), number: true, minor: true },
  ],
  async list(call, { page, filters: { user = '' } }) {
    const tenant = tenantOf(call);
    return call.ctx.store.pageSessions(tenant.id, page, user === '' ? {} : { userId: await userIdOf(call, tenant, user) }, call.ctx.clock.now());
  },
  linked: false,
  id: ({ session }) => session.id, label: nameOfDevice,
  async load(call, id): Promise<Managed<ListedBrowserSession>> {
    const tenant = tenantOf(call);
    const session = await call.ctx.store.findSession(tenant.id, id);
    const all = session === null ? [] : await call.ctx.store.listBrowserSessions(tenant.id, session.userId, call.ctx.clock.now());
    const found = all.find((listed) => listed.session.id === id);
    return found === undefined ? refused('not_found', 'there is no such session, or it ended') : done(found);
  },
  async facts({ session, clientIds }, call) {
    return [{ title: 'Session', facts: [
      ['Session ID', mono(session.id, true)], ['User', await person(call, session.userId)], ['Browser', session.userAgent], ['Address', mono(session.ip)],
      ['Signed in', time(session.authTimeMs)], ['How', row([...session.amr.map((method) => mono(method)), badge(session.acr, session.acr === '1fa' ? 'calm' : 'good')])], ['Begun', time(session.createdAtMs)], ['Last seen', time(session.lastSeenAtMs)], ['Ends', time(session.expiresAtMs)],
      ['Clients', clientIds.length === 0 ? soft('none') : { kind: 'list', items: await Promise.all(clientIds.map((id) => application(call, id))) }],
    ] }];
  },
  actions: [{
    name: 'end', label: 'End', tone: 'danger', back: 'list',
    says: () => ['They are signed out in this browser. Grants that are not for offline use end with it, and its clients are told.'],
    async act(call, { session }) {
      const ended = await endUserSession(call.ctx, tenantOf(call), session.userId, session.id);
      return ended.ok ? done({ said: 'The session ended.' }) : ended;
    },
  }],
  bulk: [{
    name: 'end', label: 'End all of a user', tone: 'danger', recent: true,
    says: () => ['They are signed out everywhere. Grants for offline use stay: revoke those under Grants.'],
    fields: [{ name: 'user', label: 'User', type: 'text', required: true, placeholder: 'name or ID' }], fill: ({ query }) => ({ user: query.get('user') ?? '' }),
    async act(call, form) {
      const ended = await endUserSessions(call.ctx, tenantOf(call), form.text('user'));
      if (!ended.ok) return { ...ended, member: 'user' };
      return done({ said: ended.value === 1 ? 'One session ended.' : `${ended.value} sessions ended.` }, ended.warnings);
    },
  }],
});
