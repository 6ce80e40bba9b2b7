import type { AuditType } from './audit-event.ts';

/** Something that a restore did, or found: about what, in which tenant (slug; null: the server's own). */
export type RestoreItem = { readonly what: string; readonly tenant: string | null; readonly subject: string | null };

/** An event of the replaced database that is not part of what was restored. */
export type LostEvent = { readonly timeMs: number; readonly type: AuditType; readonly tenant: string | null; readonly clientId: string | null; readonly subject: string | null };

/** What the one transaction of a restore came to. */
export type RestoredRows = {
  /** How many rows of each kind ended. */
  readonly ended: Readonly<Record<string, number>>;
  /** Done again, because the replaced database says that it was done since the backup. */
  readonly carried: readonly RestoreItem[];
  /** To be deleted again, by the acts that delete. */
  readonly deleted: { readonly tenant: readonly RestoreItem[]; readonly client: readonly RestoreItem[]; readonly user: readonly RestoreItem[] };
  /** What happened since the backup and is not done again, oldest first. */
  readonly lost: readonly LostEvent[];
  /** Number of the restore's own event. */
  readonly number: number;
};

/** Kinds of events that an operator may want to bring about again; all others are done again by themselves, or speak of what ended. */
export const lostTypes: readonly AuditType[] = [
  'origin_changed', 'tenant_created', 'tenant_updated', 'tenant_enabled', 'client_created', 'client_updated', 'client_enabled', 'resource_created',
  'resource_updated', 'resource_deleted', 'user_created', 'user_updated', 'user_enabled', 'user_registered', 'email_changed', 'profile_changed', 'passkey_added',
  'totp_added', 'totp_removed', 'factors_reset', 'organization_created', 'organization_updated', 'organization_deleted', 'membership_changed', 'role_changed',
  'role_deleted', 'key_imported', 'master_key_rotated', 'invitation_created', 'access_key_created', 'administrator_added', 'administrator_changed',
  'webhook_created', 'webhook_updated', 'configuration_applied', 'import_finished',
];

/** A server that goes on from its own clock may be so far beyond its mark, milliseconds. */
const MARK_AGE_MS = 7_000;

/**
 * The moment before which everything ends: now, or later where the data has seen later times, and what it issued may be
 * from then. @param marksMs latest times that the databases concerned have noted
 */
export function restoreMoment(nowMs: number, marksMs: readonly number[]): number {
  return Math.max(nowMs, ...marksMs.map((markMs) => (markMs > nowMs ? markMs + MARK_AGE_MS : markMs)));
}

/** By so much the numbers of events jump where nobody knows how far they had come: ids of events must not be given twice. */
const UNKNOWN_EVENTS = 1_000_000;

/** Number of the first event after a restore. @param replacedLast of the replaced database; null: nobody knows */
export function firstNumberAfter(restoredLast: number, replacedLast: number | null): number {
  return (replacedLast === null ? restoredLast + UNKNOWN_EVENTS : Math.max(restoredLast, replacedLast)) + 1;
}

/** What to look after by hand where the replaced database could not be asked. */
export const unknownAdvice: readonly string[] = [
  'client secrets that were rotated since the backup count as they were: rotate them again with `assay client rotate-secret`',
  'passwords, passkeys, authenticators and recovery codes count as they were at the backup: where one was taken away because it leaked, `assay user set-password` and `assay user reset-factors`',
  'clients, users and tenants that were disabled or deleted since are back: disable or delete them again',
  'administrators, roles and memberships are as they were: look through `assay org list`, and who may administer',
  'webhooks sign with the secrets that they had: rotate those that were replaced since',
];
