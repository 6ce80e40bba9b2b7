/** Webhooks of tenants and of the server in the console. */
import { auditTypes, type AuditType } from '../../core/audit-event.ts';
import { eventId, readEventId } from '../../core/event-document.ts';
import type { Webhook, WebhookDelivery } from '../../core/webhook.ts';
import { GIVE_UP_AFTER_MS } from '../../core/webhook-delivery.ts';
import { signingSecrets } from '../../core/webhook-settings.ts';
import {
  createWebhook, deleteWebhook, listDeliveries, listWebhooks, OVERLAP_S, requireWebhook, rotateWebhookSecret, setWebhookEnabled, updateWebhook, type WebhookOwner,
} from '../../service/manage-webhooks.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { awaitDelivery, MOST_REPLAYED, replayEvents, testWebhook, type ReplayWish } from '../../service/replay-webhooks.ts';
import { badge, link, list, mono, row, soft, time, type Badge, type Choice, type FactGroup, type Mood, type Value } from '../../pages/admin/views.ts';
import { typeInWords } from './audit.ts';
import { may, tenantOf, type ConsoleCall } from './call.ts';
import { counted, saying, smallTable } from './outcome.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';
import { resource, type ConsoleResource, type FieldRow, type FormReader, type Shown } from './resource.ts';

/** Deliveries in one part, and how long the page of a test waits for what came of it, milliseconds. */
const PART = 25;
const TEST_WAIT_MS = 6_500;

/** What an event is about, by the first word of its type. */
const subjects: readonly (readonly [title: string, words: readonly string[]])[] = [
  ['People', ['user', 'profile', 'email', 'data', 'mail']],
  ['Signing in', ['sign', 'session', 'sessions', 'logout', 'authorization', 'consent', 'code']],
  ['Passwords and factors', ['password', 'passkey', 'totp', 'recovery', 'factors']],
  ['Organizations and roles', ['organization', 'membership', 'role', 'invitation']],
  ['Clients and resources', ['client', 'resource']],
  ['Tokens', ['grant', 'token', 'refresh', 'userinfo', 'requests']],
  ['Keys', ['key', 'master']],
  ['Administration', ['access', 'administrator', 'webhook', 'audit', 'configuration', 'import']],
  ['Tenants and server', ['tenant', 'server', 'origin', 'clock']],
];

const wordOf = (type: AuditType): string => type.split('_')[0] ?? '';
const isOther = (type: AuditType): boolean => !subjects.some(([, words]) => words.includes(wordOf(type)));

/** In the order of subjects; what belongs to none comes last. */
const eventChoices: readonly Choice[] = [
  ...subjects.map(([title, words]) => [title, auditTypes.filter((type) => words.includes(wordOf(type)))] as const), ['Others', auditTypes.filter(isOther)] as const,
].flatMap(([group, types]) => types.map((value) => ({ value, text: typeInWords(value), group })));

const fields: readonly FieldRow[] = [
  { name: 'name', label: 'Name', type: 'text', required: true, placeholder: 'Customer database' },
  { name: 'url', label: 'URL', type: 'url', required: true, placeholder: 'https://hooks.example.com/assay', help: 'Where events are posted: https, on the open internet. Answer with 2xx within a few seconds; anything else is tried again for three days.' },
  { name: 'events', label: 'Events', type: 'checks', choices: eventChoices, help: 'None ticked: all of them, also kinds that come later.' },
];

const overlapField: FieldRow = { name: 'overlap', label: 'The former secret signs along for', type: 'number', required: true, help: 'Seconds; 0 ends it at once. Meanwhile each message carries a signature of each.' };

const wishOf = (form: FormReader): { readonly name: string; readonly url: string; readonly events: readonly AuditType[] } => ({ name: form.text('name'), url: form.text('url'), events: form.chosen('events', auditTypes) });

function stateOf({ disabledAtMs, failingSinceMs }: Webhook): Badge {
  return disabledAtMs !== null ? { text: 'disabled', mood: 'warn' } : failingSinceMs !== null ? { text: 'failing', mood: 'bad' } : { text: 'enabled', mood: 'good' };
}

const outcomes: Readonly<Record<WebhookDelivery['outcome'], Mood>> = { delivered: 'good', failed: 'warn', given_up: 'bad' };

/** Why one could not be delivered, in words where the code needs some. */
function whyOf(why: string | null): Value {
  const words = why?.startsWith('http_') === true ? 'an answer other than 2xx' : why?.replaceAll('_', ' ') ?? null;
  return words;
}

function shownSecret(text: string, webhook: Webhook): Shown {
  return { label: 'Signing secret', text, facts: [['Webhook', webhook.name], ['URL', mono(webhook.url)], ['How to check', 'Messages and signatures follow Standard Webhooks: libraries for it take this secret as it is.']] };
}

/** Which events to tell again, as typed. */
function readReplay(form: FormReader): Managed<ReplayWish> {
  const [event, since] = [form.text('event'), form.text('since')];
  if ((event === '') === (since === '')) return refused('invalid_request', 'fill in one of both', { member: event === '' ? 'event' : 'since' });
  if (event !== '') {
    const number = readEventId(event);
    return number === null ? refused('invalid_request', 'an event\'s ID or number, like evt_1204', { member: 'event' }) : done({ event: number });
  }
  const day = /^\d{4}-\d{2}-\d{2}$/.test(since);
  const sinceMs = Date.parse(day ? `${since}T00:00:00Z` : /(?:Z|[+-]\d{2}:\d{2})$/.test(since) ? since : `${since}Z`);
  return Number.isNaN(sinceMs) ? refused('invalid_request', 'a day like 2026-11-20, or a time like 2026-11-20T08:00 (UTC)', { member: 'since' }) : done({ sinceMs });
}

function webhookRow(at: 'tenant' | 'server'): ConsoleResource {
  const ownerOf = (call: ConsoleCall): WebhookOwner => (at === 'tenant' ? tenantOf(call) : null);
  const base = (call: ConsoleCall, ...parts: readonly string[]): string => (at === 'tenant' ? tenantPath(tenantOf(call).slug, 'webhooks', ...parts) : consolePath('webhooks', ...parts));
  const trail = (call: ConsoleCall, number: number): string | null => (may(call, 'audit', 'read') ? (at === 'tenant' ? tenantPath(tenantOf(call).slug, 'audit', String(number)) : consolePath('audit', String(number))) : null);

  /** Who operates one tenant learns not how, or how fast, a connection failed: nobody looks around in networks with it (SS-07). */
  const answerOf = (call: ConsoleCall, { status, why, durationMs }: WebhookDelivery): readonly Value[] => {
    const whole = call.bound === null || status !== null;
    return [status === null ? soft('none') : String(status), whole ? whyOf(why) : why === null ? null : 'no answer', whole ? `${durationMs} ms` : null];
  };

  async function deliveriesOf(webhook: Webhook, call: ConsoleCall): Promise<FactGroup> {
    const after = call.query.get('after');
    const found = await listDeliveries(call.ctx, ownerOf(call), webhook.id, { after, limit: PART });
    const { items, next } = found.ok ? found.value : { items: [], next: null };
    return {
      title: 'Deliveries', explain: 'The latest first; kept for 30 days.',
      table: smallTable('Deliveries', ['Event', 'When', 'Outcome', 'Answer', 'Why', '~Took', '~Attempt'], items.map((delivery) => {
        const [status = null, why = null, took = null] = answerOf(call, delivery);
        return {
          key: String(delivery.number), href: trail(call, delivery.eventNumber),
          cells: [`${typeInWords(delivery.eventType)} (${eventId(delivery.eventNumber)})`, time(delivery.atMs), badge(delivery.outcome.replace('_', ' '), outcomes[delivery.outcome]), status, why, took, delivery.replay ? row([String(delivery.attempt), soft('again')]) : String(delivery.attempt)],
          act: may(call, 'webhooks', 'write') && webhook.disabledAtMs === null ? { text: 'Again', tone: 'plain', label: `Tell it again of ${eventId(delivery.eventNumber)}`, href: withQuery(base(call, webhook.id, 'replay'), { event: eventId(delivery.eventNumber) }) } : null,
        };
      }), 'Nothing was sent yet. Send a test to see whether it arrives.', { nextHref: next === null ? null : withQuery(base(call, webhook.id), { after: next }), firstHref: after === null ? null : base(call, webhook.id) }),
    };
  }

  return resource<Webhook>({
    name: 'webhooks', at, area: 'webhooks', icon: 'hook', title: 'Webhooks', one: 'webhook',
    explain: at === 'tenant' ? 'Addresses that are told what happens in this tenant, in order, signed, each event at least once.' : 'Addresses that are told what happens in every tenant and on the server itself.',
    empty: 'There are none. Create one to tell another system as soon as something happens.',
    columns: [
      { title: 'Name', cell: ({ name }) => name }, { title: 'URL', cell: ({ url }) => mono(url) }, { title: 'Events', cell: ({ events }) => (events.length === 0 ? 'all' : String(events.length)), minor: true },
      { title: 'State', cell: (webhook) => ({ kind: 'badge', ...stateOf(webhook) }) }, { title: 'Failing since', cell: ({ failingSinceMs }) => time(failingSinceMs), minor: true },
    ],
    list: async (call) => ({ items: await listWebhooks(call.ctx, ownerOf(call)), next: null }),
    id: ({ id }) => id, label: ({ name }) => name, state: stateOf, dim: ({ disabledAtMs }) => disabledAtMs !== null,
    load: (call, id) => requireWebhook(call.ctx, ownerOf(call), id),
    async facts(webhook, call) {
      const { failingSinceMs, attempts, cursor } = webhook;
      const last = await call.ctx.store.lastAuditNumber();
      const behind = trail(call, cursor);
      return [
        { title: 'Webhook', facts: [
          ['Webhook ID', mono(webhook.id, true)], ['URL', mono(webhook.url, true)], ['Events', webhook.events.length === 0 ? 'all, also kinds that come later' : list(webhook.events.map(typeInWords))],
          ['Secrets that sign now', list(signingSecrets(webhook.secrets, call.ctx.clock.now()).map(({ createdAtMs, expiresAtMs }) => row(['made', time(createdAtMs), ...(expiresAtMs === null ? [] : [', ends', time(expiresAtMs)])])))], ['Created', time(webhook.createdAtMs)],
        ] },
        { title: 'How it fares', facts: [
          ['State', { kind: 'badge', ...stateOf(webhook) }], ['Heard of everything up to', cursor === 0 ? null : behind === null ? mono(eventId(cursor)) : link(eventId(cursor), behind, true)], ...(call.bound === null ? [['The newest event there is', mono(eventId(last))] as const] : []),
          ...(failingSinceMs === null ? [] : [['Failing since', time(failingSinceMs)], ['Attempts so far', String(attempts)], ['Next attempt', time(webhook.nextAttemptAtMs)], ['The event is given up', time(failingSinceMs + GIVE_UP_AFTER_MS)]] as const),
        ] },
        await deliveriesOf(webhook, call),
      ];
    },
    fields, values: ({ name, url, events }) => ({ name, url, events }),
    create: { recent: true, async act(call, form) {
      const made = await createWebhook(call.ctx, ownerOf(call), { ...wishOf(form), secret: null });
      return made.ok ? done({ id: made.value.webhook.id, shown: made.value.secret === null ? null : shownSecret(made.value.secret, made.value.webhook) }, made.warnings) : made;
    } },
    // Whoever has the address is told what happens.
    recentUpdate: true,
    update: (call, { id }, form, guard) => updateWebhook(call.ctx, ownerOf(call), id, wishOf(form), guard),
    actions: [
      {
        name: 'test', label: 'Send a test', when: ({ disabledAtMs }) => disabledAtMs === null,
        says: () => ['An event of its own, "webhook tested", goes out signed as any other. The next page waits some seconds for what comes of it.'],
        async act(call, { id }) {
          const sent = await testWebhook(call.ctx, ownerOf(call), id);
          if (!sent.ok) return sent;
          const delivery = await awaitDelivery(call.ctx, id, sent.value, TEST_WAIT_MS);
          if (delivery === null) return done({ said: `The test (${eventId(sent.value)}) is on its way; what comes of it will be under Deliveries.` });
          const answered = delivery.status === null ? 'There was no answer' : `The answer was ${delivery.status}`;
          return delivery.outcome === 'delivered' ? done({ said: `The test arrived: ${answered.toLowerCase()}.` }) : done({ said: 'The test was sent.' }, [`${answered}: it did not arrive, and is tried again. Deliveries below say why.`]);
        },
      },
      {
        name: 'replay', label: 'Replay', when: ({ disabledAtMs }) => disabledAtMs === null,
        says: () => [`Tells it again of one event, or of all that it wants since a time, up to ${MOST_REPLAYED}. They go out beside what is new, with the IDs that they had.`],
        fields: [
          { name: 'event', label: 'One event', type: 'text', placeholder: 'evt_1204', help: 'Its ID or number in the audit trail.' },
          { name: 'since', label: 'Or all since (UTC)', type: 'text', placeholder: '2026-11-20T08:00', help: 'A day, or a day and a time.' },
        ],
        fill: (_, { query }) => ({ event: query.get('event') ?? '' }),
        async act(call, { id }, form) {
          const wish = readReplay(form);
          if (!wish.ok) return wish;
          const replayed = await replayEvents(call.ctx, ownerOf(call), id, wish.value);
          if (!replayed.ok) return replayed;
          const { events, next } = replayed.value;
          return done({ said: events === 0 ? 'There is nothing to tell again.' : `${counted(events, 'event')} ${events === 1 ? 'is' : 'are'} told again.` }, next === null ? [] : [`more follow: these were as many as one replay takes, up to ${eventId(next)}; replay again when they are told`]);
        },
      },
      {
        name: 'rotate-secret', label: 'Rotate secret', recent: true, fields: [overlapField], fill: () => ({ overlap: String(OVERLAP_S) }),
        says: () => ['It gets a new signing secret, which is shown once. The former one signs along for as long as you say, so that nothing is refused while the new one is put in place.'],
        async act(call, { id }, form) {
          const made = await rotateWebhookSecret(call.ctx, ownerOf(call), id, { secret: null, overlap: form.number('overlap') ?? OVERLAP_S });
          if (!made.ok) return made;
          return done(made.value.secret === null ? { said: 'The secret was rotated.' } : { shown: shownSecret(made.value.secret, made.value.webhook) }, made.warnings);
        },
      },
      {
        name: 'disable', label: 'Disable', when: ({ disabledAtMs }) => disabledAtMs === null, says: () => ['It is told nothing until it is enabled again. Then it goes on where it stopped, as far as events are kept.'],
        act: async (call, { id, name }) => saying(await setWebhookEnabled(call.ctx, ownerOf(call), id, false), `${name} is disabled.`),
      },
      {
        name: 'enable', label: 'Enable', when: ({ disabledAtMs }) => disabledAtMs !== null, says: () => ['It goes on where it stopped: what happened meanwhile is told first.'],
        act: async (call, { id, name }) => saying(await setWebhookEnabled(call.ctx, ownerOf(call), id, true), `${name} is enabled.`),
      },
      {
        name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list', says: () => ['It goes for good, with its secrets and what is known of its deliveries. What happened stays in the audit trail.'],
        act: async (call, { id, name }) => saying(await deleteWebhook(call.ctx, ownerOf(call), id), `${name} was deleted.`),
      },
    ],
  });
}

export const webhookResources: readonly ConsoleResource[] = [webhookRow('tenant'), webhookRow('server')];
