import { auditEvent } from '../core/audit-event.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import { eventDocument, eventId } from '../core/event-document.ts';
import type { AuditRow } from '../core/operations-store.ts';
import type { PostJson } from '../core/outbound.ts';
import { sealedFor } from '../core/sealed.ts';
import type { Webhook, WebhookDelivery, WebhookReplay } from '../core/webhook.ts';
import { judgeWebhookAnswer, mayHear, settleAttempt, wantsEvent, wantsType, type Hearing, type Tries, type WebhookAttempt } from '../core/webhook-delivery.ts';
import { signingSecrets } from '../core/webhook-settings.ts';
import { unseal } from '../keys/seal.ts';
import { webhookHeaders } from '../tokens/webhook-signature.ts';
import type { Context } from './context.ts';

/** For so long a webhook or replay belongs to who took it; longer than any attempt lasts, milliseconds. */
const CLAIM_MS = 8_000;
/** Events that one webhook is told in a row, and for how long: then others have their turn. */
const IN_A_ROW = 16;
const IN_A_ROW_MS = 2_000;
/** Events that a webhook does not want move its cursor on disk when they are so many, or after so long (milliseconds). */
const NOTE_AFTER_EVENTS = 200;
const NOTE_AFTER_MS = 10_000;
/** Webhooks of which it is remembered how far there is nothing for them. */
const REMEMBERED = 2_000;

/** What waits for a webhook: its next events, oldest first, or one that somebody asked for again. */
export type WebhookErrand = { readonly webhook: Webhook } & (
  | { readonly kind: 'next'; readonly events: readonly AuditRow[] }
  | { readonly kind: 'replay'; readonly replay: WebhookReplay }
);

/** What an errand learned of its receiver: the last attempt, and how long the slowest one took (milliseconds). */
export type WebhookRun = { readonly attempt: WebhookAttempt; readonly slowestMs: number };

/** Tells webhooks of events; one errand at a time, whichever the caller picks. */
export type WebhookCourier = {
  /** What a webhook whose turn it is has to be told; null: nothing. Moves its cursor on over what it does not want. @throws StoreError */
  prepare(webhook: Webhook): Promise<WebhookErrand | null>;
  /** The same for a replay; null: its webhook is gone or disabled. @throws StoreError */
  prepareReplay(replay: WebhookReplay): Promise<WebhookErrand | null>;
  /**
   * Takes the webhook or replay for this process and tells it, strictly in order: the next event goes out when the one before
   * was taken or given up, and that is on disk. A process that dies in between leaves it to others, so that nothing is lost
   * and, at worst, something arrives twice, with the same id.
   * @param goesOn asked before each further event
   * @returns null when somebody else has it, or nothing was tried. @throws StoreError
   */
  run(errand: WebhookErrand, goesOn: () => boolean): Promise<WebhookRun | null>;
};

/** @param ctx what it needs of everything */
export function makeWebhookCourier(ctx: Pick<Context, 'store' | 'clock' | 'log' | 'master' | 'random' | 'metrics'>, post: PostJson): WebhookCourier {
  const { store, clock } = ctx;
  /** Until where there is nothing for a webhook behind its cursor, and since when that is not on disk (monotonic milliseconds). */
  const passed = new BoundedMap<string, { readonly cursor: number; readonly upTo: number; readonly sinceMs: number }>(REMEMBERED);

  async function hearingOf({ tenantId }: Webhook): Promise<{ readonly slug: string | null; readonly hearing: Hearing } | null> {
    if (tenantId === null) return { slug: null, hearing: null };
    const tenant = await store.findTenant({ id: tenantId });
    return tenant === null || tenant.deletedAtMs !== null ? null : { slug: tenant.slug, hearing: { slug: tenant.slug, sinceMs: tenant.createdAtMs } };
  }

  /** Moves the cursor on disk, as one who has the webhook: somebody else may be telling it of an event that is newer. */
  async function note(webhook: Webhook, upTo: number): Promise<void> {
    if (!(await store.claimWebhook(webhook, clock.now() + CLAIM_MS))) return;
    await store.settleWebhook(webhook.id, webhook.cursor, { cursor: upTo, attempts: 0, nextAttemptAtMs: clock.now(), failingSinceMs: null }, null, []);
  }

  async function tell(webhook: Webhook, event: AuditRow): Promise<{ readonly attempt: WebhookAttempt; readonly tookMs: number }> {
    const startedMs = clock.monotonic();
    const nowMs = clock.now();
    const body = JSON.stringify(eventDocument(event));
    const attempt = await (async (): Promise<WebhookAttempt> => {
      try {
        const secrets = signingSecrets(webhook.secrets, nowMs).map(({ sealed }) => unseal(ctx.master, sealedFor.webhookSecret(webhook.id), sealed));
        return judgeWebhookAnswer(await post(webhook.url, body, webhookHeaders(secrets, eventId(event.number), Math.floor(nowMs / 1000), body)), clock.now());
      } catch (error) {
        // Trouble of ours with one webhook must not keep the others waiting.
        ctx.log.error('a delivery failed', { kind: error instanceof Error ? error.name : 'unknown', what: 'webhook' });
        return { kind: 'failed', status: null, why: 'internal', pauseMs: null };
      }
    })();
    return { attempt, tookMs: Math.round(clock.monotonic() - startedMs) };
  }

  /** Tells, decides, and makes the row to note. */
  async function attemptAt(webhook: Webhook, event: AuditRow, tries: Tries, replay: boolean) {
    const { attempt, tookMs } = await tell(webhook, event);
    const nowMs = clock.now();
    const jitter = Buffer.from(ctx.random.text(2), 'base64url').readUInt16BE() / 65_536;
    const settlement = settleAttempt(tries, attempt, nowMs, jitter);
    const why = attempt.kind === 'delivered' ? null : attempt.why;
    const delivery: Omit<WebhookDelivery, 'number'> = {
      webhookId: webhook.id, eventNumber: event.number, eventType: event.type, attempt: tries.attempts + 1, atMs: nowMs, durationMs: tookMs,
      status: attempt.status, outcome: settlement.outcome, why, replay,
    };
    const audit = settlement.outcome === 'given_up' ? [auditEvent({
      timeMs: nowMs, type: 'webhook_given_up', tenant: (await hearingOf(webhook))?.slug ?? null, actor: 'server', subject: webhook.id, outcome: 'failure',
      // A tenant's own people read this: how a connection failed is not for them (SS-07).
      reason: `${eventId(event.number)} ${attempt.status === null ? 'no_answer' : why ?? ''}`, count: tries.attempts + 1,
    })] : [];
    ctx.metrics.delivered('webhook', settlement.outcome);
    if (why !== null) ctx.log.warn('webhook was not delivered', { webhook: webhook.id, event_id: eventId(event.number), why, attempt: tries.attempts + 1, again: settlement.outcome === 'failed' && attempt.kind !== 'gone' });
    return { attempt, tookMs, settlement, delivery, audit };
  }

  /** A receiver that said farewell hears no more, until somebody enables it again. */
  async function disable(id: string): Promise<void> {
    const webhook = await store.findWebhook(id);
    if (webhook === null || webhook.disabledAtMs !== null) return;
    const nowMs = clock.now();
    await store.updateWebhook(webhook, { ...webhook, disabledAtMs: nowMs }, [auditEvent({
      timeMs: nowMs, type: 'webhook_updated', tenant: (await hearingOf(webhook))?.slug ?? null, actor: 'server', subject: id, outcome: 'failure', reason: 'gone',
    })]);
  }

  async function runNext(errand: Extract<WebhookErrand, { kind: 'next' }>, goesOn: () => boolean): Promise<WebhookRun | null> {
    const { webhook: { id }, events } = errand;
    const untilMs = clock.monotonic() + IN_A_ROW_MS;
    if (!(await store.claimWebhook(errand.webhook, clock.now() + CLAIM_MS))) return null;
    let run: WebhookRun | null = null;
    let slowestMs = 0;
    for (const [index, event] of events.entries()) {
      // As it is now: an operator may have changed it since the event before.
      const webhook = await store.findWebhook(id);
      if (webhook === null || webhook.disabledAtMs !== null || !wantsType(webhook, event.type)) return run;
      const { cursor, attempts, failingSinceMs } = webhook;
      const { attempt, tookMs, settlement, delivery, audit } = await attemptAt(webhook, event, { attempts, sinceMs: failingSinceMs }, false);
      slowestMs = Math.max(slowestMs, tookMs);
      run = { attempt, slowestMs };
      const settled = settlement.outcome !== 'failed';
      const more = settled && index + 1 < events.length && clock.monotonic() < untilMs && goesOn();
      const nowMs = clock.now();
      const noted = await store.settleWebhook(id, cursor, settled
        // With more to come the webhook stays ours.
        ? { cursor: event.number, attempts: 0, failingSinceMs: null, nextAttemptAtMs: more ? nowMs + CLAIM_MS : nowMs }
        : { cursor, attempts: attempts + 1, failingSinceMs: failingSinceMs ?? nowMs, nextAttemptAtMs: settlement.retryAtMs }, delivery, audit);
      if (attempt.kind === 'gone') await disable(id);
      if (!noted || !more) return run;
    }
    return run;
  }

  async function runReplay({ webhook, replay }: Extract<WebhookErrand, { kind: 'replay' }>): Promise<WebhookRun | null> {
    if (!(await store.claimReplay(replay.id, replay.nextAttemptAtMs, clock.now() + CLAIM_MS))) return null;
    const [found] = await store.readAudit({ after: replay.eventNumber - 1, limit: 1 });
    const hearing = await hearingOf(webhook);
    if (found?.number !== replay.eventNumber || hearing === null || !mayHear(hearing.hearing, found)) {
      await store.settleReplay(replay.id, { attempts: replay.attempts, nextAttemptAtMs: null }, {
        webhookId: webhook.id, eventNumber: replay.eventNumber, eventType: found?.type ?? 'audit_pruned', attempt: replay.attempts + 1, atMs: clock.now(), durationMs: 0,
        status: null, outcome: 'given_up', why: 'no_event', replay: true,
      }, []);
      return null;
    }
    const sinceMs = replay.attempts === 0 ? null : replay.createdAtMs;
    const { attempt, tookMs, settlement, delivery, audit } = await attemptAt(webhook, found, { attempts: replay.attempts, sinceMs }, true);
    await store.settleReplay(replay.id, { attempts: replay.attempts + 1, nextAttemptAtMs: settlement.outcome === 'failed' ? settlement.retryAtMs : null }, delivery, audit);
    if (attempt.kind === 'gone') await disable(webhook.id);
    return { attempt, slowestMs: tookMs };
  }

  return {
    async prepare(webhook) {
      const about = await hearingOf(webhook);
      if (about === null) return null;
      const known = passed.get(webhook.id);
      // Asked before the events are: what comes in between is found by the next look.
      const last = await store.lastAuditNumber();
      const start = known?.cursor === webhook.cursor ? known.upTo : webhook.cursor;
      const of = { ...(about.slug !== null && { tenant: about.slug }), types: webhook.events, limit: IN_A_ROW };
      for (let after = start; after < last;) {
        const rows = await store.readAudit({ ...of, after });
        const events = rows.filter((event) => wantsEvent(webhook, about.hearing, event));
        if (events.length > 0) return { kind: 'next', webhook, events };
        after = rows.length < IN_A_ROW ? last : rows.at(-1)?.number ?? last;
      }
      const upTo = Math.max(start, last);
      const sinceMs = known?.cursor === webhook.cursor ? known.sinceMs : clock.monotonic();
      if (upTo - webhook.cursor >= NOTE_AFTER_EVENTS || clock.monotonic() - sinceMs >= NOTE_AFTER_MS) {
        passed.delete(webhook.id);
        await note(webhook, upTo);
      } else {
        passed.set(webhook.id, { cursor: webhook.cursor, upTo, sinceMs });
      }
      return null;
    },
    async prepareReplay(replay) {
      const webhook = await store.findWebhook(replay.webhookId);
      return webhook === null || webhook.disabledAtMs !== null ? null : { kind: 'replay', webhook, replay };
    },
    run: (errand, goesOn) => (errand.kind === 'next' ? runNext(errand, goesOn) : runReplay(errand)),
  };
}
