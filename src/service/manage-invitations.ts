import type { Invitation } from '../core/admin.ts';
import { findEmailFault, usernameKey } from '../core/identifiers.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Tenant } from '../core/model.ts';
import { digestOf } from '../tokens/digest.ts';
import type { Context } from './context.ts';
import { mailItem } from './credentials/mails.ts';
import { requireOrganization } from './manage-organizations.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';
import { findUnknownRole } from './manage-roles.ts';

const ID_BYTES = 16;
const TOKEN_BYTES = 32;
const DAYS = 7;
const DAY_MS = 86_400_000;
/** Invitations that one mailbox gets from a tenant within an hour, whoever sends them: it did not ask for any (RL-08). */
const PER_MAILBOX = 5;

/** Whom an operator wants in an organization. */
export type InvitationWish = {
  readonly email: string;
  readonly roles: readonly string[];
  /** Language of the mail; null: English. */
  readonly locale: string | null;
};

/**
 * Invites an address into an organization, by a mail with a link that works once, for a week. A former invitation of the
 * same address is worth nothing any more. Whether there is an account of that address makes no difference. @throws StoreError
 */
export async function createInvitation(ctx: Context, tenant: Tenant, orgId: string, wish: InvitationWish): Promise<Managed<Invitation>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  if (!org.ok) return org;
  const email = wish.email.trim().normalize('NFC');
  const fault = findEmailFault(email);
  if (fault !== null) return refused('invalid_request', `the address cannot be used: ${fault}`, { member: 'email' });
  const unknown = await findUnknownRole(ctx, tenant, wish.roles);
  if (unknown !== null) return unknown;
  const mailbox = `invited ${tenant.id} ${digestOf(usernameKey(email))}`;
  if (ctx.settings.rateLimits && ctx.attempts.hourly.blockedForMs(mailbox, PER_MAILBOX) !== null) {
    return refused('conflict', `${JSON.stringify(email)} was invited ${PER_MAILBOX} times within the hour; try again later`, { member: 'email' });
  }
  ctx.attempts.hourly.count(mailbox);
  const token = ctx.random.text(TOKEN_BYTES);
  const nowMs = ctx.clock.now();
  const invitation: Invitation = {
    id: `inv_${ctx.random.text(ID_BYTES)}`, tenantId: tenant.id, orgId, email, roles: [...new Set(wish.roles)], digest: digestOf(token), invitedBy: ctx.by.actor,
    createdAtMs: nowMs, expiresAtMs: nowMs + DAYS * DAY_MS, acceptedAtMs: null, revokedAtMs: null,
  };
  const link = `${issuerOf(tenant, ctx.origin())}/invitation/${token}`;
  const created = await ctx.store.createInvitation(invitation, {
    audit: [
      operatorEvent(ctx, 'invitation_created', { tenant: tenant.slug, subject: invitation.id, reason: [orgId, ...invitation.roles].join(' ') }),
      operatorEvent(ctx, 'mail_queued', { tenant: tenant.slug, reason: 'invitation' }),
    ],
    outbox: [mailItem(ctx, tenant, email, { kind: 'invitation', link, organization: org.value.name, days: DAYS }, wish.locale)],
  });
  return created ? done(invitation) : requireGone(ctx, tenant, orgId);
}

/** The organization went while this was under way. */
async function requireGone(ctx: Context, tenant: Tenant, orgId: string): Promise<Managed<Invitation>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  return org.ok ? refused('conflict', 'somebody else is changing this organization; try again') : org;
}

/** Invitations into an organization that can be accepted still, newest first. @throws StoreError */
export async function listInvitations(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, orgId: string): Promise<Managed<readonly Invitation[]>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  return org.ok ? done(await ctx.store.listInvitations(tenant.id, orgId, ctx.clock.now())) : org;
}

/** Takes an invitation back: its link is worth nothing at once. @param reference its id, or the address that it went to. @throws StoreError */
export async function revokeInvitation(ctx: Context, tenant: Tenant, orgId: string, reference: string): Promise<Managed<null>> {
  const open = await listInvitations(ctx, tenant, orgId);
  if (!open.ok) return open;
  const invitation = open.value.find(({ id, email }) => id === reference || email.toLowerCase() === reference.toLowerCase());
  const unknown = refused('not_found', `the organization ${orgId} has no open invitation ${JSON.stringify(reference)}`, { hint: `\`assay org invitations ${orgId} --tenant ${tenant.slug}\` shows all` });
  if (invitation === undefined) return unknown;
  const revoked = await ctx.store.revokeInvitation(tenant.id, invitation.id, ctx.clock.now(), [
    operatorEvent(ctx, 'invitation_revoked', { tenant: tenant.slug, subject: invitation.id, reason: orgId }),
  ]);
  return revoked ? done(null) : unknown;
}
