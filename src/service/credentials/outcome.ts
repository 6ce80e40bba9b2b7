import { auditEvent, type AuditEvent, type AuditType, type RequestOrigin } from '../../core/audit-event.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { Amr } from '../../core/people.ts';
import type { Problem } from '../../core/people-words.ts';
import type { Context } from '../context.ts';

/** Why the form is shown again. */
export type Failed = { readonly ok: false; readonly problem: Problem; readonly retryAfterS: number | null };
/** Somebody proved who they are, by these methods. `passwordChangedAtMs`: of the password that was proved; null: by something else. */
export type Proven = { readonly ok: true; readonly user: User; readonly amr: readonly Amr[]; readonly passwordChangedAtMs: number | null } | Failed;
/** Something was done. */
export type Act = { readonly ok: true } | Failed;
/** Who acts, for audit and mails. `device`: as `deviceName` says it. */
export type Person = { readonly tenant: Tenant; readonly from: RequestOrigin; readonly locale: string | null; readonly device: string | null };

export const acted: Act = { ok: true };

/** A failure. @param retryAfterS whole seconds; null: at once */
export function failed(problem: Problem, retryAfterS: number | null = null): Failed {
  return { ok: false, problem, retryAfterS };
}

/** Whether a user may sign in: neither disabled nor deleted. */
export function isLive(user: User | null): user is User {
  return user !== null && user.disabledAtMs === null && user.deletedAtMs === null;
}

/** An event about something that a person did to their own account, or tried. @param userId null: nobody's */
export function personEvent(ctx: Pick<Context, 'clock'>, person: Person, type: AuditType, userId: string | null, about: Partial<AuditEvent> = {}): AuditEvent {
  return auditEvent({
    timeMs: ctx.clock.now(), type, tenant: person.tenant.slug, actor: userId, subject: userId, ip: person.from.ip, requestId: person.from.requestId, ...about,
  });
}

/** Notes a failed try to sign in; a name that nobody has is a stranger's text and is not noted. @param reason code, no text of the caller's */
export function noteFailure(ctx: Pick<Context, 'clock' | 'audit' | 'metrics'>, person: Person, userId: string | null, reason: string): void {
  ctx.metrics.signInFailed(reason);
  ctx.audit.add(personEvent(ctx, person, 'sign_in_failed', userId, { outcome: 'failure', reason }));
}
