import { t } from 'elysia';
import { auditTypes } from '../../core/audit-event.ts';
import { readEventId } from '../../core/event-document.ts';
import type { Webhook } from '../../core/webhook.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import {
  createWebhook, deleteWebhook, listDeliveries, listWebhooks, MOST_OVERLAP_S, OVERLAP_S, requireWebhook, rotateWebhookSecret, setWebhookEnabled, updateWebhook, type WebhookOwner,
} from '../../service/manage-webhooks.ts';
import { awaitDelivery, MOST_REPLAYED, replayEvents, testWebhook, type ReplayWish } from '../../service/replay-webhooks.ts';
import { deliveryDocument, webhookDocument, webhookStatusDocument } from '../../service/webhook-documents.ts';
import { listed, operation, told, type AdminCall, type AdminOperation } from './operation.ts';

/** How long the caller of a test waits for what came of it, milliseconds: longer than one call to a receiver lasts. */
const TEST_WAIT_MS = 6_500;

const time = t.String({ format: 'date-time' });
const name = t.String({ minLength: 1, maxLength: 256, description: 'For people.' });
const url = t.String({ minLength: 1, maxLength: 2048, description: 'Where events are posted: https on port 443, on the open internet.', example: 'https://hooks.example.com/assay' });
const events = t.Array(t.String({ enum: [...auditTypes] }), { maxItems: auditTypes.length, description: 'Types of events that it wants; empty: all.', example: ['user_created', 'user_deleted'] });
const suppliedSecret = t.String({ minLength: 38, maxLength: 94, description: 'A secret to sign with, brought along: `whsec_` and 24 to 64 bytes in base64. Without it one is made.', example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' });
const shownSecret = t.Optional(t.String({ description: 'The signing secret: this once and never again.' }));

const settings = {
  id: t.String(), tenant: t.Nullable(t.String({ description: 'null: it is the server\'s own, and hears of everything.' })), name: t.String(), url: t.String(), events: t.Array(t.String()), enabled: t.Boolean(),
  secrets: t.Array(t.Object({ created_at: time, expires_at: t.Nullable(time) }), { description: 'Secrets that sign now, the newest first.' }),
  created_at: time,
};
const status = {
  last_event: t.Nullable(t.String({ description: 'Id of the last event that is settled: taken, given up or not wanted.' })), attempts: t.Integer({ description: 'Failed attempts at the event after that.' }),
  failing_since: t.Nullable(time), next_attempt_at: t.Nullable(time), gives_up_at: t.Nullable(time),
};
const webhookAnswer = t.Object(settings);
const secretAnswer = t.Object({ ...settings, secret: shownSecret });
const statusAnswer = t.Object(status);
const delivery = {
  event_id: t.String(), type: t.String(), attempt: t.Integer(), at: time, duration_ms: t.Nullable(t.Integer()), status: t.Nullable(t.Integer({ description: 'HTTP status; null: there was no answer.' })),
  outcome: t.String({ enum: ['delivered', 'failed', 'given_up'] }), reason: t.Nullable(t.String({ description: 'One word. Callers of one tenant are told `no_answer` for whatever kept an answer from coming, and no duration.' })), replay: t.Boolean(),
};

type Call = AdminCall<unknown, unknown>;
/** Whose webhooks a path speaks of. */
type Place = { readonly prefix: string; readonly word: string; readonly serverOnly: boolean; readonly owner: (call: Pick<Call, 'tenant'>) => WebhookOwner; readonly whose: string };

const places: readonly Place[] = [
  { prefix: '/tenants/:tenant/webhooks', word: '', serverOnly: false, owner: ({ tenant }) => tenant, whose: 'a tenant' },
  { prefix: '/webhooks', word: 'Server', serverOnly: true, owner: () => null, whose: 'the server' },
];

/** Reads which events are to be told again: one member of three. */
function readReplay(body: { readonly event?: string; readonly since?: string; readonly after?: string }): Managed<ReplayWish> {
  if (Object.keys(body).length !== 1) return refused('invalid_request', 'name what is to be told again with exactly one of event, since and after');
  if (body.since !== undefined) {
    const sinceMs = Date.parse(body.since);
    return Number.isNaN(sinceMs) ? refused('invalid_request', 'since must be a time like 2030-01-31T12:00:00Z', { member: 'since' }) : done({ sinceMs });
  }
  const [member, text] = body.event === undefined ? ['after', body.after] : ['event', body.event];
  const number = readEventId(text ?? '');
  if (number === null) return refused('invalid_request', 'it is an event\'s id or number', { member });
  return done(member === 'event' ? { event: number } : { after: number });
}

function rowsAt({ prefix, word, serverOnly, owner, whose }: Place): readonly AdminOperation[] {
  const one = `${prefix}/:webhook`;
  const common = { area: 'webhooks', ...(serverOnly && { serverOnly }) } as const;
  const read = { ...common, access: 'read' } as const;
  const write = { ...common, access: 'write' } as const;
  const documentAt = (call: Pick<Call, 'tenant' | 'ctx'>, shown: string | null = null) => (webhook: Webhook): object => webhookDocument(webhook, owner(call)?.slug ?? null, call.ctx.clock.now(), shown);
  const switched = (enabled: boolean) => async (call: Call) => told(await setWebhookEnabled(call.ctx, owner(call), call.param('webhook'), enabled), documentAt(call));
  return [
    operation({
      ...read, method: 'GET', path: prefix, id: `list${word}Webhooks`, summary: `Webhooks of ${whose}`, text: 'By name, with how each fares.',
      answer: t.Object({ items: t.Array(t.Object({ ...settings, ...status })), next: t.Null() }),
      run: async (call) => listed({ items: await listWebhooks(call.ctx, owner(call)), next: null }, (webhook) => ({ ...documentAt(call)(webhook), ...webhookStatusDocument(webhook) })),
    }),
    operation({
      ...write, method: 'POST', path: prefix, id: `create${word}Webhook`, summary: `Create a webhook of ${whose}`, creates: true,
      text: 'It hears of everything from now on, in order, each event at least once: the next goes out when the one before was answered with 2xx, or given up after three days of attempts. Messages and signatures follow Standard Webhooks; `secret` is shown this once.',
      body: t.Object({ name, url, events: t.Optional(events), secret: t.Optional(suppliedSecret) }, { additionalProperties: false }), answer: secretAnswer,
      run: async (call) => {
        const { body } = call;
        return told(await createWebhook(call.ctx, owner(call), { name: body.name, url: body.url, events: body.events ?? [], secret: body.secret ?? null }), ({ webhook, secret }) => documentAt(call, secret)(webhook));
      },
    }),
    operation({
      ...read, method: 'GET', path: one, id: `get${word}Webhook`, summary: 'One webhook', etag: true, answer: webhookAnswer,
      run: async (call) => told(await requireWebhook(call.ctx, owner(call), call.param('webhook')), documentAt(call)),
    }),
    operation({
      ...read, method: 'GET', path: `${one}/status`, id: `get${word}WebhookStatus`, summary: 'How a webhook fares', answer: statusAnswer,
      run: async (call) => told(await requireWebhook(call.ctx, owner(call), call.param('webhook')), webhookStatusDocument),
    }),
    operation({
      ...write, method: 'PATCH', path: one, id: `update${word}Webhook`, summary: 'Change a webhook', text: 'What is not named stays, and so does how far it has heard. The next attempt is made at once.', etag: true,
      body: t.Object({ name: t.Optional(name), url: t.Optional(url), events: t.Optional(events) }, { additionalProperties: false }), answer: webhookAnswer,
      run: async (call) => told(await updateWebhook(call.ctx, owner(call), call.param('webhook'), call.body, call.guard(documentAt(call))), documentAt(call)),
    }),
    operation({
      ...write, method: 'DELETE', path: one, id: `delete${word}Webhook`, summary: 'Delete a webhook', etag: true, answer: null,
      run: async (call) => deleteWebhook(call.ctx, owner(call), call.param('webhook'), call.guard(documentAt(call))),
    }),
    operation({
      ...write, method: 'POST', path: `${one}/rotate-secret`, id: `rotate${word}WebhookSecret`, summary: 'Give a webhook another secret',
      text: 'The former secret signs along until the overlap is over: each message then carries a signature of each.',
      body: t.Object({ secret: t.Optional(suppliedSecret), overlap: t.Optional(t.Integer({ minimum: 0, maximum: MOST_OVERLAP_S, description: `Seconds; ${OVERLAP_S} unless it is said.` })) }, { additionalProperties: false }), answer: secretAnswer,
      run: async (call) => {
        const wish = { secret: call.body.secret ?? null, overlap: call.body.overlap ?? OVERLAP_S };
        return told(await rotateWebhookSecret(call.ctx, owner(call), call.param('webhook'), wish), ({ webhook, secret }) => documentAt(call, secret)(webhook));
      },
    }),
    operation({ ...write, method: 'POST', path: `${one}/enable`, id: `enable${word}Webhook`, summary: 'Let a webhook go on', text: 'It goes on where it stopped.', answer: webhookAnswer, run: switched(true) }),
    operation({ ...write, method: 'POST', path: `${one}/disable`, id: `disable${word}Webhook`, summary: 'Let a webhook rest', answer: webhookAnswer, run: switched(false) }),
    operation({
      ...write, method: 'POST', path: `${one}/test`, id: `test${word}Webhook`, summary: 'Send a webhook a test event',
      text: 'An event `webhook_tested`, signed and tried again as any other. The answer waits some seconds for what came of it: `delivery` is null where nothing did yet.',
      answer: t.Object({ event_id: t.String(), delivery: t.Nullable(t.Object(delivery)) }),
      run: async (call) => told(await testWebhook(call.ctx, owner(call), call.param('webhook')), async (number) => testDocument(call, call.param('webhook'), number)),
    }),
    operation({
      ...read, method: 'GET', path: `${one}/deliveries`, id: `list${word}WebhookDeliveries`, summary: 'What came of telling a webhook', text: 'The latest first; kept for 30 days, and at most some thousands.', paged: true,
      answer: t.Object({ items: t.Array(t.Object(delivery)), next: t.Nullable(t.String()) }),
      run: async (call) => {
        const found = await listDeliveries(call.ctx, owner(call), call.param('webhook'), call.page);
        return found.ok ? listed(found.value, (attempt) => deliveryDocument(attempt, isWhole(call))) : found;
      },
    }),
    operation({
      ...write, method: 'POST', path: `${one}/replay`, id: `replay${word}WebhookEvents`, summary: 'Tell a webhook of events again',
      text: `One event, or all that the webhook wants since a time or behind an event, up to ${MOST_REPLAYED}: \`next\` says where to go on. They go out beside what is new, with the ids that they had.`,
      body: t.Object({
        event: t.Optional(t.String({ maxLength: 32, description: 'Id of the one event.', example: 'evt_1' })), since: t.Optional(t.String({ maxLength: 64, description: 'RFC 3339.', example: '2030-01-31T12:00:00Z' })),
        after: t.Optional(t.String({ maxLength: 32, description: 'Id of an event: those behind it.', example: 'evt_1' })),
      }, { additionalProperties: false }),
      answer: t.Object({ events: t.Integer({ description: 'How many are told again.' }), next: t.Nullable(t.String()) }),
      run: async (call) => {
        const wish = readReplay(call.body);
        if (!wish.ok) return wish;
        return told(await replayEvents(call.ctx, owner(call), call.param('webhook'), wish.value), ({ events: count, next }) => ({ events: count, next: next === null ? null : `evt_${next}` }));
      },
    }),
  ];
}

/** Whether somebody operates the server itself, and may see everything. */
function isWhole({ caller }: Pick<Call, 'caller'>): boolean {
  return caller.tenantId === null;
}

async function testDocument(call: Pick<Call, 'ctx' | 'caller'>, webhookId: string, number: number): Promise<object> {
  const found = await awaitDelivery(call.ctx, webhookId, number, TEST_WAIT_MS);
  return { event_id: `evt_${number}`, delivery: found === null ? null : deliveryDocument(found, isWhole(call)) };
}

/** Webhooks of tenants and of the server. */
export const webhookOperations: readonly AdminOperation[] = places.flatMap(rowsAt);
