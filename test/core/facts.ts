/** Samples for decisions, complete and good; a test changes what it names. Rows come from the storage samples. */
import type { Client, Resource, TokenFacts } from '../../src/core/model.ts';
import { parseOrigin, type Origin } from '../../src/core/issuer.ts';
import type { Standing } from '../../src/core/standing.ts';
import { aClient, anOpaque, aTenant, aUser, T0 } from '../storage/samples.ts';

/** An access token of client cli_1 for user usr_1, issued at T0, for an hour. */
export function accessFacts(changes: Partial<TokenFacts> = {}): TokenFacts {
  return {
    ...anOpaque().facts, subject: 'usr_1', userId: 'usr_1', scopes: ['openid', 'email', 'orders:read'], id: 'jti_1', grantId: 'gra_1',
    sessionId: 'ses_1', orgId: 'org_1', authTime: T0 / 1000 - 60, acr: 'urn:acr:2', ...changes,
  };
}

/** A refresh token of the same grant. */
export function refreshTokenFacts(changes: Partial<TokenFacts> = {}): TokenFacts {
  return accessFacts({ kind: 'refresh', id: null, ...changes });
}

/** An access token of client cli_1 acting for itself. */
export function clientFacts(changes: Partial<TokenFacts> = {}): TokenFacts {
  return accessFacts({ subject: 'cli_1', userId: null, grantId: null, sessionId: null, authTime: null, acr: null, scopes: ['orders:read'], ...changes });
}

/** Everything that the token stands on is fine. */
export function goodStanding(changes: Partial<Standing> = {}): Standing {
  return { tenant: aTenant(), client: aClient(), user: aUser(), revoked: false, rotated: false, grantRevoked: false, ...changes };
}

/** Another client of the tenant. */
export function otherClient(changes: Partial<Client> = {}): Client {
  return aClient({ id: 'cli_2', ...changes });
}

export function resourceOf(owner: string, changes: Partial<Resource> = {}): Resource {
  return { tenantId: 'ten_1', uri: 'https://api.example.com', scopes: [], ownerClientId: owner, tokenFormat: null, createdAtMs: T0, ...changes };
}

/** An origin that is right. @throws Error when it is not */
export function originOf(url: string): Origin {
  const origin = parseOrigin(url);
  if (origin === null) throw new Error(`${url} is no origin`);
  return origin;
}
