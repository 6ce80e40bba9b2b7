import { t } from 'elysia';
import { grantDocument, listedGrantDocument, listedSessionDocument } from '../../service/grant-documents.ts';
import { pageLiveGrants, requireGrant, revokeGrant, type GrantFilter } from '../../service/manage-grants.ts';
import { endSession, endUserSession, endUserSessions, pageLiveSessions } from '../../service/manage-sessions.ts';
import { listed, operation, told, type AdminCall, type AdminOperation, type AdminOutcome } from './operation.ts';
import { filterText, grantAnswer, listedGrant, sessionAnswer } from './people-schemas.ts';
import { given, partOf } from './schemas.ts';

type Place = Pick<AdminCall<unknown, unknown>, 'ctx' | 'tenant' | 'page'>;

async function listSessions({ ctx, tenant, page }: Place, user?: string): Promise<AdminOutcome> {
  const sessions = await pageLiveSessions(ctx, tenant, page, user);
  return sessions.ok ? listed(sessions.value, listedSessionDocument) : sessions;
}

async function listGrants({ ctx, tenant, page }: Place, filter: GrantFilter): Promise<AdminOutcome> {
  const grants = await pageLiveGrants(ctx, tenant, page, filter);
  return grants.ok ? listed(grants.value, (grant) => listedGrantDocument(grant, tenant)) : grants;
}

const person = '/tenants/:tenant/users/:user';
const grant = '/tenants/:tenant/grants/:grant';
const read = { area: 'tokens', access: 'read' } as const;
const write = { area: 'tokens', access: 'write' } as const;
const partial = 'A part may show fewer than `limit`, though more follow.';

/** Where people are signed in, and what they allowed whom. */
export const sessionOperations: readonly AdminOperation[] = [
  operation({
    ...read, method: 'GET', path: '/tenants/:tenant/sessions', id: 'listSessions', paged: true, summary: 'List where people are signed in', text: `The latest visit first. ${partial}`,
    query: t.Object({ user: filterText('Only this user\'s, by id or username.') }), answer: partOf(sessionAnswer), run: async (call) => listSessions(call, call.query.user),
  }),
  operation({
    ...write, method: 'DELETE', path: '/tenants/:tenant/sessions/:session', id: 'endSession', summary: 'End a session', text: 'With its grants that are not for offline use, and so all their tokens.', answer: null,
    run: async (call) => endSession(call.ctx, call.tenant, call.param('session')),
  }),
  operation({
    ...read, method: 'GET', path: `${person}/sessions`, id: 'listUserSessions', paged: true, summary: 'List where a user is signed in', text: `The latest visit first. ${partial}`, answer: partOf(sessionAnswer),
    run: async (call) => listSessions(call, call.param('user')),
  }),
  operation({
    ...write, method: 'DELETE', path: `${person}/sessions`, id: 'endUserSessions', summary: 'Sign a user out everywhere', text: 'What was allowed for offline use stays.',
    answer: t.Object({ ended: t.Integer({ minimum: 0, description: 'How many sessions ended.' }) }, { $id: 'EndedSessions' }),
    run: async (call) => told(await endUserSessions(call.ctx, call.tenant, call.param('user')), (ended) => ({ ended })),
  }),
  operation({
    ...write, method: 'DELETE', path: `${person}/sessions/:session`, id: 'endUserSession', summary: 'End one session of a user', text: 'With its grants that are not for offline use.', answer: null,
    run: async (call) => endUserSession(call.ctx, call.tenant, call.param('user'), call.param('session')),
  }),
  operation({
    ...read, method: 'GET', path: `${person}/grants`, id: 'listUserGrants', paged: true, summary: 'List what a user allowed whom', text: `The newest first. ${partial}`,
    query: t.Object({ client: filterText('Only those of this client.') }), answer: partOf(listedGrant),
    run: async (call) => listGrants(call, given<GrantFilter>({ user: call.param('user'), clientId: call.query.client })),
  }),
  operation({
    ...read, method: 'GET', path: '/tenants/:tenant/grants', id: 'listGrants', paged: true, summary: 'List grants that are good',
    text: `The newest first; without a filter client by client. ${partial}`,
    query: t.Object({ user: filterText('Only those of this user, by id or username.'), client: filterText('Only those of this client.'), session: filterText('Only those of this session.') }), answer: partOf(listedGrant),
    run: async (call) => {
      const { user, client, session } = call.query;
      return listGrants(call, given<GrantFilter>({ user, clientId: client, sessionId: session }));
    },
  }),
  operation({
    ...read, method: 'GET', path: grant, id: 'getGrant', summary: 'Read a grant', text: 'Whatever became of it, for as long as a token of it could live.', answer: grantAnswer,
    run: async (call) => told(await requireGrant(call.ctx, call.tenant, call.param('grant')), (one) => grantDocument(one, call.tenant)),
  }),
  operation({
    ...write, method: 'POST', path: `${grant}/revoke`, id: 'revokeGrant', summary: 'Revoke a grant', text: 'Every token that came of it is worthless at once.', answer: grantAnswer,
    run: async (call) => told(await revokeGrant(call.ctx, call.tenant, call.param('grant')), (one) => grantDocument(one, call.tenant)),
  }),
];
