import type { AuditEvent } from '../../core/audit-event.ts';
import { issuerOf } from '../../core/issuer.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { OutboxItem } from '../../core/people.ts';
import type { Aftermath } from '../../core/people-store.ts';
import type { MailContent, MailNotice } from '../../core/people-words.ts';
import { sealedFor } from '../../core/sealed.ts';
import { seal, unseal } from '../../keys/seal.ts';
import type { Context } from '../context.ts';
import { personEvent, type Person } from './outcome.ts';

const ID_BYTES = 16;

/**
 * A mail for the outbox, composed and sealed; due at once.
 * @param to address @param locale language of who reads it; null: not known
 */
export function mailItem(ctx: Pick<Context, 'clock' | 'random' | 'master' | 'composeMail'>, tenant: Tenant, to: string, content: MailContent, locale: string | null): OutboxItem {
  const id = `out_${ctx.random.text(ID_BYTES)}`;
  const { subject, text } = ctx.composeMail(content, { locale, brandName: tenant.name, messages: tenant.people.messages });
  const nowMs = ctx.clock.now();
  return {
    id, tenantId: tenant.id, kind: 'mail', target: to, payload: seal(ctx.master, sealedFor.mail(tenant.id, id), JSON.stringify({ subject, text })),
    createdAtMs: nowMs, nextAttemptAtMs: nowMs, attempts: 0, doneAtMs: null, outcome: null,
  };
}

/** What `mailItem` sealed. @throws UnsealError */
export function openMail(ctx: Pick<Context, 'master'>, item: OutboxItem): { readonly subject: string; readonly text: string } {
  const mail: unknown = JSON.parse(unseal(ctx.master, sealedFor.mail(item.tenantId, item.id), item.payload));
  const { subject, text } = typeof mail === 'object' && mail !== null && 'subject' in mail && 'text' in mail ? mail : { subject: '', text: '' };
  return { subject: String(subject), text: String(text) };
}

/** Where a tenant's people look after their account. */
export function accountLink(ctx: Pick<Context, 'origin'>, tenant: Tenant): string {
  return `${issuerOf(tenant, ctx.origin())}/account`;
}

/** What goes with a change: its events, and a mail that tells the person, where they have an address (UI-25). */
export function withNotice(ctx: Context, person: Person, user: User, notice: MailNotice | null, audit: readonly AuditEvent[]): Aftermath {
  return notice === null || user.email === '' ? { audit } : withMail(ctx, person, user.id, user.email, noticeOf(ctx, person, notice), audit);
}

/** What a mail says of a change. */
export function noticeOf(ctx: Pick<Context, 'origin'>, person: Person, notice: MailNotice): MailContent {
  return { kind: 'notice', notice, link: accountLink(ctx, person.tenant), device: person.device, ip: person.from.ip };
}

/** Events, and one mail with its own. @param userId whose mail; null: nobody's yet */
export function withMail(ctx: Context, person: Person, userId: string | null, to: string, content: MailContent, audit: readonly AuditEvent[]): Aftermath {
  const reason = content.kind === 'notice' ? content.notice : content.kind;
  return {
    audit: [...audit, personEvent(ctx, person, 'mail_queued', userId, { reason })],
    outbox: [mailItem(ctx, person.tenant, to, content, person.locale)],
  };
}
