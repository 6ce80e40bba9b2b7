import { auditEvent, type RequestOrigin } from '../../core/audit-event.ts';
import type { Client, Tenant } from '../../core/model.ts';
import type { ErrorCode } from '../../spec/errors.ts';
import type { TokenResponse } from '../../spec/introspection.ts';
import type { GrantType } from '../../spec/names.ts';
import type { Context } from '../context.ts';

/** Parameters of a token request that grants may read; each at most once, but `resource`. Empty ones are absent. */
export type TokenParameters = {
  readonly scope?: string;
  readonly resource?: readonly string[];
  readonly refresh_token?: string;
  readonly code?: string;
  readonly redirect_uri?: string;
  readonly code_verifier?: string;
};

/** Outcome of a token request. The description is fixed text, never the caller's (TOK-11). */
export type TokenOutcome =
  | { readonly ok: true; readonly response: TokenResponse }
  | { readonly ok: false; readonly error: ErrorCode; readonly description: string };

export type TokenRequest = {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly parameters: TokenParameters;
  readonly from: RequestOrigin;
};

/** One grant type: a module and a line in the registry. */
export type GrantHandler = {
  readonly type: GrantType;
  /** Public clients may use it with their `client_id` alone. */
  readonly allowPublic: boolean;
  /** @throws StoreError, NoSigningKey */
  exchange(ctx: Context, request: TokenRequest): Promise<TokenOutcome>;
};

/**
 * Notes that a client was refused (LG-04), beside the answer. What it presented is not in it: of what nobody issued, nothing
 * can be said. @param reason code
 */
export function noteRefused(ctx: Pick<Context, 'audit' | 'clock'>, { tenant, client, from }: TokenRequest, reason: string): void {
  ctx.audit.add(auditEvent({
    timeMs: ctx.clock.now(), type: 'token_refused', tenant: tenant.slug, actor: client.id, clientId: client.id, outcome: 'denied', reason, ip: from.ip, requestId: from.requestId,
  }));
}

/** A refusal. */
export function refuse(error: ErrorCode, description: string): TokenOutcome {
  return { ok: false, error, description };
}
