import type { Client } from '../core/model.ts';
import type { Context } from './context.ts';
import { noteRefused, refuse, type GrantHandler, type TokenOutcome, type TokenRequest } from './grants/grant.ts';
import { grantHandlers } from './grants/registry.ts';

/** Grant type of a request as far as it can be known before the caller is: null when there is no handler for it. */
export function findGrantHandler(grantType: string): GrantHandler | null {
  return grantHandlers.get(grantType) ?? null;
}

/** Whether the client was registered for a grant type (TOK-04). */
function mayUse(client: Client, handler: GrantHandler): boolean {
  return client.grants.includes(handler.type);
}

/**
 * RFC 6749 §3.2: the token endpoint, for a caller that has proven who it is.
 * @param grantType as given. @throws StoreError, NoSigningKey
 */
export async function exchangeGrant(ctx: Context, grantType: string, request: TokenRequest): Promise<TokenOutcome> {
  const handler = findGrantHandler(grantType);
  if (handler === null) return refuse('unsupported_grant_type', 'this grant type is not supported');
  const outcome = mayUse(request.client, handler)
    ? await handler.exchange(ctx, request)
    : refuse('unauthorized_client', 'this client is not registered for this grant type');
  if (!outcome.ok && beyond.has(outcome.error)) noteRefused(ctx, request, outcome.error);
  return outcome;
}

/** Asking for more than one may have: noted here (LG-04). What is wrong with a code or a refresh token, who looks at it notes. */
const beyond: ReadonlySet<string> = new Set(['unauthorized_client', 'invalid_scope', 'invalid_target']);
