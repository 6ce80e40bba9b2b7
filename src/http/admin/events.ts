import { t } from 'elysia';
import { auditTypes } from '../../core/audit-event.ts';
import { isSlug } from '../../core/layouts.ts';
import { refused } from '../../service/manage-outcome.ts';
import { makeEventWaiter, type EventWish } from '../../service/read-events.ts';
import { feedDocument } from '../../service/webhook-documents.ts';
import { ITEMS, MOST_ITEMS, operation, told, type AdminCall, type AdminOperation, type AdminOutcome } from './operation.ts';

/** Longest wait that may be asked for, and longest there is (seconds): connections without traffic are closed after 30. */
const MOST_WAIT_S = 30;
const LONGEST_S = 25;

const nullableText = t.Nullable(t.String());

const eventAnswer = t.Object({
  id: t.String({ description: 'The same each time that it is told.', example: 'evt_1' }), type: t.String({ enum: [...auditTypes] }), timestamp: t.String({ format: 'date-time' }),
  data: t.Object({
    number: t.Integer(), tenant: nullableText, actor: nullableText, client_id: nullableText, subject: nullableText, outcome: t.String({ enum: ['success', 'denied', 'failure'] }), reason: nullableText,
    grant_id: nullableText, request_id: nullableText, count: t.Integer(),
  }, { description: 'Ids and reason codes: nothing personal, no secret.' }),
}, { description: 'As webhooks are told.' });

const query = {
  after: t.Optional(t.String({ pattern: '^(?:latest|(?:evt_)?[0-9]{1,15})$', description: 'The `next` of the part before, an event\'s id, or `latest` for what comes from now on. Without it: from the oldest that is kept.' })),
  limit: t.Optional(t.String({ pattern: '^[0-9]{1,3}$', description: `At most so many: 1 to ${MOST_ITEMS}, ${ITEMS} unless it is said.` })),
  type: t.Optional(t.String({ maxLength: 4096, description: 'Only these types, separated by commas.', example: 'user_created,user_deleted' })),
  wait: t.Optional(t.String({ pattern: '^[0-9]{1,2}$', description: `Where there are no events yet: wait so many seconds for some, up to ${MOST_WAIT_S}. The answer may come earlier, and without events.` })),
};
type Query = { readonly [name in keyof typeof query]?: string };

const feedAnswer = t.Object({ items: t.Array(eventAnswer), next: t.String({ description: 'Ask with it as `after` to go on; there always is one.' }) });
const text = 'In the order in which they happened, oldest first, and the same whenever they are asked for. Who keeps `next` misses nothing, as far back as the audit trail is kept.';
const waiter = makeEventWaiter();

async function answerFeed({ ctx, server }: Pick<AdminCall<never, never>, 'ctx' | 'server'>, asked: Query, whose: Pick<EventWish, 'owner' | 'tenant'>): Promise<AdminOutcome> {
  const limit = Number(asked.limit ?? ITEMS);
  if (limit < 1 || limit > MOST_ITEMS) return refused('invalid_request', `limit must be a whole number from 1 to ${MOST_ITEMS}`, { member: 'limit' });
  const waitS = Number(asked.wait ?? 0);
  if (waitS > MOST_WAIT_S) return refused('invalid_request', `wait must be a whole number of seconds, up to ${MOST_WAIT_S}`, { member: 'wait' });
  const wish: EventWish = { ...whose, types: asked.type?.split(',') ?? [], after: asked.after ?? null, limit };
  return told(await waiter.read(ctx, wish, Math.min(waitS, LONGEST_S) * 1000, () => !server.readiness.stopping), feedDocument);
}

/** The feed of events. */
export const eventOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/tenants/:tenant/events', id: 'listTenantEvents', area: 'audit', access: 'read', summary: 'What happened in a tenant, in order', text, query: t.Object(query), answer: feedAnswer,
    run: (call) => answerFeed(call, call.query, { owner: call.tenant, tenant: null }),
  }),
  operation({
    method: 'GET', path: '/events', id: 'listEvents', area: 'audit', access: 'read', serverOnly: true, summary: 'What happened, in order', text: `${text} Of all tenants and the server, or of one.`,
    query: t.Object({ ...query, tenant: t.Optional(t.String({ maxLength: 63, description: 'Slug of the one tenant.' })) }), answer: feedAnswer,
    run: async (call) => (call.query.tenant !== undefined && !isSlug(call.query.tenant)
      ? refused('invalid_request', 'tenant must be a slug', { member: 'tenant' })
      : answerFeed(call, call.query, { owner: null, tenant: call.query.tenant ?? null })),
  }),
];
