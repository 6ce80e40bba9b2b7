import { auditTypes } from '../core/audit-event.ts';
import { readEventId } from '../core/event-document.ts';
import type { Tenant } from '../core/model.ts';
import type { Webhook } from '../core/webhook.ts';
import type { WebhookChange } from '../core/webhook-settings.ts';
import {
  createWebhook, deleteWebhook, listDeliveries, listWebhooks, MOST_OVERLAP_S, OVERLAP_S, requireWebhook, rotateWebhookSecret, setWebhookEnabled, updateWebhook, type WebhookOwner, type WebhookWithSecret,
} from '../service/manage-webhooks.ts';
import { awaitDelivery, MOST_REPLAYED, replayEvents, testWebhook, type ReplayWish } from '../service/replay-webhooks.ts';
import { deliveryDocument, webhookDocument, webhookStatusDocument } from '../service/webhook-documents.ts';
import { readMoment } from './audit.ts';
import { withData, type Call, type Work } from './call.ts';
import { confirm, readInput, yesFlag } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { given, type Flags } from './flags.ts';
import { block, showTime, styleFor, table, words } from './text.ts';

const webhookId = ['<WEBHOOK>', 'the webhook\'s id, as `assay webhook list` shows it'] as const;
/** How long to wait for what came of a test, milliseconds: longer than one call to a receiver lasts. */
const TEST_WAIT_MS = 8_000;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

const changes: readonly FlagRow[] = [
  ['--name <NAME>', 'name for people'],
  ['--url <URL>', 'where events are posted: https, or http on loopback while the server is there too'],
  ['--event <TYPE>', 'type of event that it wants, like user_created; one "" for all', 'repeat'],
];
const serverFlag: FlagRow = ['--server', 'the server\'s own: they hear of every tenant and of the server'];
const secretFlag: FlagRow = ['--secret-stdin', 'read the signing secret (whsec_ and base64) from standard input instead of making one'];

const allTypes = `Types of events:\n${auditTypes.join(', ').replaceAll(/(.{1,96})(?:, |$)/g, '  $1,\n').replace(/,\n$/, '')}`;

function readChange(flags: Flags): WebhookChange {
  return given<WebhookChange>({ name: flags.text('name'), url: flags.text('url'), events: flags.list('event') });
}

async function readSecret(flags: Flags): Promise<string | null> {
  return flags.on('secret-stdin') ? readInput('the signing secret') : null;
}

function readLimit(value: string | undefined): number {
  const limit = value === undefined ? DEFAULT_LIMIT : /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new UsageError(`--limit is a number from 1 to ${MAX_LIMIT}`);
  return limit;
}

function readReplay(flags: Flags): ReplayWish {
  const [event, after, sinceMs] = [flags.text('event'), flags.text('after'), readMoment(flags, 'since', Date.now())];
  if ([event, after, sinceMs].filter((one) => one !== undefined).length !== 1) throw new UsageError('say what is to be told again: one of --event, --since and --after');
  if (sinceMs !== undefined) return { sinceMs };
  const number = readEventId(event ?? after ?? '');
  if (number === null) throw new UsageError(`--${event === undefined ? 'after' : 'event'} is an event's id, like evt_42, or its number`);
  return event === undefined ? { after: number } : { event: number };
}

/** Whose webhooks a command line without an id speaks of. */
async function ownerOf({ flags, tenant }: Work): Promise<WebhookOwner> {
  if (!flags.on('server')) return tenant();
  if (flags.text('tenant') !== undefined) throw new UsageError('--server and --tenant exclude each other');
  return null;
}

/** Whose webhook it is, for commands that name one: ids are unique. @throws CommandFailure */
async function ownerOfWebhook({ ctx }: Work, id: string): Promise<WebhookOwner> {
  const webhook = await ctx.store.findWebhook(id);
  if (webhook === null) throw new CommandFailure('not_found', `there is no webhook ${JSON.stringify(id)}; \`assay webhook list\` shows all of a tenant, and with --server the server's own`);
  return webhook.tenantId === null ? null : ctx.store.findTenant({ id: webhook.tenantId });
}

async function show({ ctx, out }: Work, owner: WebhookOwner, webhook: Webhook, shown: string | null = null): Promise<void> {
  const nowMs = ctx.clock.now();
  const slug = owner?.slug ?? null;
  await out.document({ ...webhookDocument(webhook, slug, nowMs, shown), ...webhookStatusDocument(webhook) });
  await out.print(block(out.styled, `webhook ${webhook.id}${webhook.disabledAtMs === null ? '' : ' (disabled)'}`, [
    ['name', webhook.name],
    ['url', webhook.url],
    ['secret', shown],
    ['hears of', slug === null ? 'every tenant, and the server' : `tenant ${slug}`],
    ['events', webhook.events.length === 0 ? 'all' : words(webhook.events)],
    ['secrets', webhook.secrets.map(({ expiresAtMs }) => (expiresAtMs === null ? 'one that stays' : `one until ${showTime(expiresAtMs)}`)).join(', ')],
    ['last event', webhook.cursor === 0 ? null : `evt_${webhook.cursor}`],
    ['failing', webhook.failingSinceMs === null ? null : `since ${showTime(webhook.failingSinceMs)}, ${webhook.attempts} ${webhook.attempts === 1 ? 'attempt' : 'attempts'}${webhook.disabledAtMs === null ? `; the next at ${showTime(webhook.nextAttemptAtMs)}` : ''}`],
    ['created', showTime(webhook.createdAtMs)],
  ]));
}

async function showSecret(work: Work, owner: WebhookOwner, { webhook, secret }: WebhookWithSecret): Promise<void> {
  await show(work, owner, webhook, secret);
  if (secret !== null) await work.out.print(styleFor(work.out.styled).dim('  The secret is shown this once; it is kept sealed, and signs every message.'));
}

/** A command about one webhook. */
function withWebhook(call: Call, work: (work: Work, owner: Tenant | null, id: string) => Promise<void>): Promise<number> {
  return withData(call, async (open) => work(open, await ownerOfWebhook(open, open.arg(0)), open.arg(0)));
}

const switchWebhook = (enabled: boolean): CommandRow['run'] => (call) =>
  withWebhook(call, async (work, owner, id) => show(work, owner, work.take(await setWebhookEnabled(work.ctx, owner, id, enabled))));

/** `assay webhook …` */
export const webhookCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Create a webhook: an address that hears of what happens from now on', tenant: 'default', flags: [...changes, serverFlag, secretFlag],
    notes: `Examples:\n  assay webhook create --name crm --url https://crm.example.com/hooks --event user_created --event user_deleted\n  assay webhook create --name siem --url https://siem.example.com/in --server\n\n${allTypes}`,
    run: async (call) => {
      const change = readChange(call.flags);
      const { name, url, events = [] } = change;
      if (name === undefined || url === undefined) throw new UsageError('a webhook needs --name and --url');
      const secret = await readSecret(call.flags);
      return withData(call, async (work) => {
        const owner = await ownerOf(work);
        await showSecret(work, owner, work.take(await createWebhook(work.ctx, owner, { name, url, events, secret })));
      });
    },
  },
  {
    name: 'list', summary: 'List webhooks', tenant: 'default', flags: [serverFlag],
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const owner = await ownerOf(work);
      const webhooks = await listWebhooks(ctx, owner);
      await out.document({ items: webhooks.map((webhook) => ({ ...webhookDocument(webhook, owner?.slug ?? null, ctx.clock.now()), ...webhookStatusDocument(webhook) })) });
      await out.print(table(out.styled, ['WEBHOOK', 'NAME', 'STATE', 'EVENTS', 'URL'], webhooks.map((webhook) => [
        webhook.id, webhook.name, webhook.disabledAtMs !== null ? 'disabled' : webhook.failingSinceMs === null ? 'enabled' : 'failing', webhook.events.length === 0 ? 'all' : String(webhook.events.length), webhook.url,
      ])));
    }),
  },
  {
    name: 'show', summary: 'Show a webhook and how it fares', args: [webhookId],
    run: (call) => withWebhook(call, async (work, owner, id) => show(work, owner, work.take(await requireWebhook(work.ctx, owner, id)))),
  },
  {
    name: 'update', summary: 'Change a webhook; what is not named stays', args: [webhookId], flags: changes, notes: allTypes,
    run: (call) => {
      const change = readChange(call.flags);
      return withWebhook(call, async (work, owner, id) => show(work, owner, work.take(await updateWebhook(work.ctx, owner, id, change))));
    },
  },
  {
    name: 'rotate-secret', summary: 'Give a webhook another secret; the former one signs along for a while', args: [webhookId],
    flags: [secretFlag, ['--overlap <SECONDS>', `for so long the former secret signs along, 0 to ${MOST_OVERLAP_S} (default: ${OVERLAP_S})`]],
    run: async (call) => {
      const overlap = call.flags.seconds('overlap', 0) ?? OVERLAP_S;
      const secret = await readSecret(call.flags);
      return withWebhook(call, async (work, owner, id) => showSecret(work, owner, work.take(await rotateWebhookSecret(work.ctx, owner, id, { secret, overlap }))));
    },
  },
  { name: 'enable', summary: 'Let a webhook go on where it stopped', args: [webhookId], run: switchWebhook(true) },
  { name: 'disable', summary: 'Let a webhook rest', args: [webhookId], run: switchWebhook(false) },
  {
    name: 'delete', summary: 'Delete a webhook with its secrets', args: [webhookId], flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the webhook ${call.args[0] ?? ''}? It hears of nothing any more.`);
      return withWebhook(call, async (work, owner, id) => {
        work.take(await deleteWebhook(work.ctx, owner, id));
        await work.out.document({ ok: true });
        await work.out.print(`Deleted webhook ${id}.`);
      });
    },
  },
  {
    name: 'deliveries', summary: 'List what came of telling a webhook, the latest first', args: [webhookId], flags: [['--limit <N>', `at most so many (default: ${DEFAULT_LIMIT})`]],
    run: (call) => {
      const limit = readLimit(call.flags.text('limit'));
      return withWebhook(call, async (work, owner, id) => {
        const { items } = work.take(await listDeliveries(work.ctx, owner, id, { after: null, limit }));
        await work.out.document({ items: items.map((one) => deliveryDocument(one, true)) });
        await work.out.print(items.length === 0 ? 'It was told of nothing yet.' : table(work.out.styled, ['TIME', 'EVENT', 'TYPE', 'ATTEMPT', 'OUTCOME', 'STATUS', 'REASON', 'MS', 'REPLAY'], items.map((one) => [
          showTime(one.atMs), `evt_${one.eventNumber}`, one.eventType, String(one.attempt), one.outcome, one.status === null ? '–' : String(one.status), one.why ?? '–', String(one.durationMs), one.replay ? 'yes' : '–',
        ])));
      });
    },
  },
  {
    name: 'replay', summary: 'Tell a webhook of events again', args: [webhookId],
    flags: [
      ['--event <ID>', 'this one event, like evt_42'], ['--after <ID>', 'all that it wants behind this event'],
      ['--since <TIME>', 'all that it wants since then: 2026-11-20T16:00:00Z, 2026-11-20, or how long ago: 30m, 12h, 7d'],
    ],
    notes: `Up to ${MOST_REPLAYED} events at a time. They go out beside what is new, with the ids that they had.`,
    run: (call) => {
      const wish = readReplay(call.flags);
      return withWebhook(call, async (work, owner, id) => {
        const { events, next } = work.take(await replayEvents(work.ctx, owner, id, wish));
        await work.out.document({ events, next: next === null ? null : `evt_${next}` });
        await work.out.print(`${events} ${events === 1 ? 'event goes' : 'events go'} out again.${next === null ? '' : ` There are more: --after evt_${next}`}`);
      });
    },
  },
  {
    name: 'test', summary: 'Send a webhook a test event, and see what comes of it', args: [webhookId],
    notes: 'A server that runs on this data sends it.',
    run: (call) => withWebhook(call, async (work, owner, id) => {
      const number = work.take(await testWebhook(work.ctx, owner, id));
      const delivery = await awaitDelivery(work.ctx, id, number, TEST_WAIT_MS);
      if (delivery === null) throw new CommandFailure('timeout', `nobody sent evt_${number} yet: is a server running on this data? It goes out as soon as one is`);
      if (delivery.outcome !== 'delivered') throw new CommandFailure('not_delivered', `evt_${number} was not taken (${delivery.why ?? 'unknown reason'}); it is tried again, and \`assay webhook deliveries ${id}\` shows what comes of it`);
      await work.out.document(deliveryDocument(delivery, true));
      await work.out.print(`Delivered evt_${number} in ${delivery.durationMs} ms: the receiver answered ${delivery.status ?? '–'}.`);
    }),
  },
];
