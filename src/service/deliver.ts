import { auditEvent, type AuditType } from '../core/audit-event.ts';
import { judgeLogoutAnswer, judgeMail, settle, type Attempt, type Settlement } from '../core/delivery.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Tenant } from '../core/model.ts';
import type { PostForm, SendMail } from '../core/outbound.ts';
import type { OutboxItem } from '../core/people.ts';
import { mintLogoutToken } from '../tokens/logout-token.ts';
import { usable, type Context } from './context.ts';
import { openMail } from './credentials/mails.ts';

/** The ways out of this machine. `mail`: null where no mail server is set. */
export type Carriers = { readonly post: PostForm; readonly mail: SendMail | null };

/** An item whose turn it is, and where it goes: to one place only so many are under way at once. */
export type Errand = { readonly item: OutboxItem; readonly tenant: Tenant | null; readonly place: string; readonly url: string | null };

/** Delivers what waits in the outbox; one item at a time, whichever the caller picks. */
export type Courier = {
  /** Where an item goes. @throws StoreError */
  address(item: OutboxItem): Promise<Errand>;
  /**
   * Takes the item for this process and tries once; someone who is quicker gets it. A process that dies in between leaves
   * it to the next attempt, so that nothing is lost and, at worst, something arrives twice.
   * @returns what became of the attempt; null when somebody else has the item. @throws StoreError
   */
  run(errand: Errand): Promise<Attempt | null>;
  /** Gives an item up without another attempt, because its place answers nobody. @throws StoreError */
  giveUp(errand: Errand): Promise<void>;
};

/** For so long an item belongs to who took it; longer than any attempt lasts, milliseconds. */
const claimMs: Readonly<Record<OutboxItem['kind'], number>> = { mail: 40_000, logout: 10_000 };
/** The lack of a mail server is told so often, milliseconds. */
const WARN_EVERY_MS = 60_000;
const MAIL_PLACE = 'mail';

export function makeCourier(ctx: Context, carriers: Carriers): Courier {
  let warnedAtMs = Number.NEGATIVE_INFINITY;

  async function tryMail(item: OutboxItem, tenant: Tenant): Promise<Attempt> {
    if (carriers.mail === null) {
      // Nobody but the developer is on a loopback origin: the mail stays here to be looked at.
      if (ctx.origin().loopback) {
        ctx.log.info('mail_kept', { tenant: tenant.slug, to: item.target, subject: openMail(ctx, item).subject, at: 'mailbox' });
        return { kind: 'done', outcome: 'mailbox' };
      }
      if (ctx.clock.monotonic() - warnedAtMs >= WARN_EVERY_MS) {
        warnedAtMs = ctx.clock.monotonic();
        ctx.log.warn('mail is not configured', { fix: 'set ASSAY_SMTP_URL; until then codes, links and notices reach nobody' });
      }
      return { kind: 'refused', why: 'not_configured' };
    }
    const { subject, text } = openMail(ctx, item);
    const attempt = judgeMail(await carriers.mail({ id: item.id, fromName: tenant.name, to: item.target, subject, text }));
    if (attempt.kind === 'done') ctx.log.info('mail_sent', { tenant: tenant.slug, to: item.target, subject });
    else ctx.log.warn('mail was not sent', { tenant: tenant.slug, to: item.target, subject, why: attempt.why, attempt: item.attempts + 1, again: attempt.kind === 'failed' });
    return attempt;
  }

  async function tryLogout(item: OutboxItem, tenant: Tenant, url: string | null): Promise<Attempt> {
    const { signer } = await ctx.rings.of(tenant.id);
    if (url === null) return { kind: 'refused', why: 'no_address' };
    if (signer === null) return { kind: 'failed', why: 'no_key' };
    const { sub, sid } = JSON.parse(item.payload) as { readonly sub: string; readonly sid: string };
    const token = await mintLogoutToken(signer, {
      issuer: issuerOf(tenant, ctx.origin()), clientId: item.target, sub, sid, id: ctx.random.text(16), nowMs: ctx.clock.now(),
    });
    const attempt = judgeLogoutAnswer(await carriers.post(url, { logout_token: token }));
    if (attempt.kind !== 'done') ctx.log.warn('logout was not delivered', { tenant: tenant.slug, client_id: item.target, why: attempt.why, attempt: item.attempts + 1, again: attempt.kind === 'failed' });
    return attempt;
  }

  /** Trouble of ours with one item must not keep the others waiting, nor this one for ever. */
  async function tryOnce({ item, tenant, url }: Errand): Promise<Attempt> {
    if (tenant === null) return { kind: 'refused', why: 'no_tenant' };
    try {
      return await (item.kind === 'mail' ? tryMail(item, tenant) : tryLogout(item, tenant, url));
    } catch (error) {
      if (error instanceof Error && error.name === 'StoreError') throw error;
      ctx.log.error('a delivery failed', { kind: error instanceof Error ? error.name : 'unknown', what: item.kind });
      return { kind: 'failed', why: 'internal' };
    }
  }

  async function note({ item, tenant }: Errand, settlement: Settlement, reason: string | null): Promise<void> {
    const type = eventOf(item, settlement.outcome);
    await ctx.store.settleOutbox(item.id, settlement, type === null ? [] : [auditEvent({
      timeMs: ctx.clock.now(), type, tenant: tenant?.slug ?? null, actor: 'server', count: Math.max(1, settlement.attempts),
      clientId: item.kind === 'logout' ? item.target : null, outcome: settlement.outcome === 'delivered' ? 'success' : 'failure', reason,
    })]);
  }

  return {
    async address(item) {
      const tenant = usable(await ctx.store.findTenant({ id: item.tenantId }));
      if (item.kind === 'mail') return { item, tenant, place: MAIL_PLACE, url: null };
      const client = tenant === null ? null : await ctx.store.findClient(tenant.id, item.target);
      const url = client === null || client.deletedAtMs !== null || client.disabledAtMs !== null ? null : client.backchannelLogoutUri;
      return { item, tenant, place: url !== null && URL.canParse(url) ? new URL(url).host : '', url };
    },
    async run(errand) {
      const { item } = errand;
      const nowMs = ctx.clock.now();
      if (!(await ctx.store.claimOutbox(item.id, item.nextAttemptAtMs, nowMs + claimMs[item.kind]))) return null;
      const attempt = await tryOnce(errand);
      const settlement = settle(item, attempt, ctx.clock.now());
      await note(errand, settlement, attempt.kind === 'done' ? null : attempt.why);
      ctx.metrics.delivered(item.kind, settlement.outcome ?? 'failed');
      return attempt;
    },
    async giveUp(errand) {
      const nowMs = ctx.clock.now();
      await note(errand, { attempts: errand.item.attempts, nextAttemptAtMs: nowMs, doneAtMs: nowMs, outcome: 'given_up' }, 'timeout');
      ctx.metrics.delivered(errand.item.kind, 'given_up');
    },
  };
}

/** What the audit trail hears when an item is done. Mails that arrived were told of when they were queued. */
function eventOf(item: OutboxItem, outcome: OutboxItem['outcome']): AuditType | null {
  if (outcome === null || outcome === 'mailbox') return null;
  if (outcome === 'delivered') return item.kind === 'logout' ? 'logout_delivered' : null;
  return item.kind === 'logout' ? 'logout_failed' : 'mail_failed';
}
