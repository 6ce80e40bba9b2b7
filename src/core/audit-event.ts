/** Every kind of audit event. Names stay stable: operators filter by them, and seed documents name some. */
export const auditTypes = [
  'server_started',
  'origin_changed',
  'clock_stepped_back',
  'clock_accepted',
  'tenant_created',
  'tenant_updated',
  'tenant_disabled',
  'tenant_enabled',
  'tenant_deleted',
  'client_created',
  'client_updated',
  'client_secret_rotated',
  'client_disabled',
  'client_enabled',
  'client_deleted',
  'client_authentication_failed',
  'resource_created',
  'resource_deleted',
  'user_created',
  'user_updated',
  'user_disabled',
  'user_enabled',
  'user_deleted',
  'user_registered',
  'sign_in_succeeded',
  'sign_in_failed',
  'session_ended',
  'sessions_ended',
  'authorization_granted',
  'authorization_denied',
  'consent_withdrawn',
  'code_refused',
  'code_replayed',
  'password_set',
  'password_removed',
  'passkey_added',
  'passkey_removed',
  'passkey_counter_went_back',
  'totp_added',
  'totp_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'factors_reset',
  'email_changed',
  'email_verified',
  'profile_changed',
  'data_exported',
  'mail_queued',
  'mail_failed',
  'logout_delivered',
  'logout_failed',
  'organization_created',
  'organization_updated',
  'organization_deleted',
  'membership_changed',
  'membership_removed',
  'role_changed',
  'role_deleted',
  'grant_opened',
  'token_refused',
  'userinfo_refused',
  'token_refreshed',
  'token_replayed',
  'refresh_refused',
  'refresh_reuse_detected',
  'token_revoked',
  'token_revocation_denied',
  'token_introspection_denied',
  'token_introspection_would_deny',
  'client_tokens_revoked',
  'user_tokens_revoked',
  'tenant_tokens_revoked',
  'key_created',
  'key_rotated',
  'key_revoked',
  'key_imported',
  'master_key_rotated',
  'resource_updated',
  'invitation_created',
  'invitation_revoked',
  'invitation_accepted',
  'access_key_created',
  'access_key_revoked',
  'access_refused',
  'administrator_invited',
  'administrator_added',
  'administrator_changed',
  'administrator_removed',
  'webhook_created',
  'webhook_updated',
  'webhook_secret_rotated',
  'webhook_deleted',
  'webhook_replayed',
  'webhook_tested',
  'webhook_given_up',
  'audit_pruned',
  'audit_exported',
  'configuration_applied',
  'import_finished',
  'server_restored',
  'requests_limited',
] as const;
/** One kind of audit event. */
export type AuditType = (typeof auditTypes)[number];

/** Events whose subject is something else than a person; the first word of a type says what it is about. */
const aboutThings = /^(?:server|origin|clock|tenant|client|resource|organization|role|key|master|access|webhook|audit|configuration|import|requests|invitation)_/;

/** Whether an event is about that person: a thing may have the same name. Who acts for themselves is the subject too. */
export function isAbout(event: Pick<AuditEvent, 'type' | 'subject'>, userId: string): boolean {
  return event.subject === userId && !aboutThings.test(event.type);
}

/** What an event says. No field ever holds a token or secret: a token appears as a keyed fingerprint (LG-02). */
export type AuditEvent = {
  readonly timeMs: number;
  readonly type: AuditType;
  /** Slug of the tenant; null for the server itself. */
  readonly tenant: string | null;
  /** Who acted: the calling client's id, `operator` for the command line, `server` for itself. */
  readonly actor: string | null;
  /** The client that the event is about: a token's client, a changed client. */
  readonly clientId: string | null;
  /** The user, token subject, resource or key that the event is about. */
  readonly subject: string | null;
  readonly fingerprint: string | null;
  readonly ip: string | null;
  readonly requestId: string | null;
  readonly outcome: 'success' | 'denied' | 'failure';
  /** Reason code, or what changed (names only). */
  readonly reason: string | null;
  /** Id of the grant concerned. */
  readonly grantId: string | null;
  /** Tokens that fell with it, or how often the same happened within the minute. */
  readonly count: number;
};

/** Who asks, as far as the transport knows. */
export type RequestOrigin = { readonly ip: string | null; readonly requestId: string | null };

/** Fills in what an event leaves out. */
export function auditEvent(
  event: Pick<AuditEvent, 'timeMs' | 'type'> & Partial<AuditEvent>,
): AuditEvent {
  return {
    tenant: null, actor: null, clientId: null, subject: null, fingerprint: null, ip: null, requestId: null,
    outcome: 'success', reason: null, grantId: null, count: 1, ...event,
  };
}
