import { readActor, readAudience, readConfirmation, readSeconds, readText } from './claims.ts';
import type { TokenFacts } from './model.ts';

/**
 * Access tokens of another server, whose keys and clients came here: each product words them its own way. What could be
 * anything else than an access token is none (RFC 8725 §3.11, §3.12).
 */

/** JOSE `typ`, in lower case without `application/`; our own access tokens are `at+jwt` alone. */
const types: readonly string[] = ['', 'jwt', 'at+jwt'];
/** What a claim `typ` or `token_use` calls an access token; ID, refresh and logout tokens have other words for themselves. */
const words: readonly string[] = ['bearer', 'dpop', 'jwt', 'at+jwt', 'access', 'access_token'];
/** Only in ID tokens (OpenID Connect Core §2, §3.3.2.11), logout tokens and security events (RFC 8417 §2.2). */
const elsewhere: readonly string[] = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'toe'];

type Claims = Readonly<Record<string, unknown>>;

/** What says, in some product's words, that this is an access token. ID tokens may lack all that is theirs alone. */
function isAccessToken(typ: string, claims: Claims): boolean {
  if (!types.includes(typ) || elsewhere.some((name) => name in claims)) return false;
  const called = [claims['typ'], claims['token_use'], claims['token_type']].filter((word) => word !== undefined);
  if (!called.every((word) => typeof word === 'string' && words.includes(word.toLowerCase()))) return false;
  const says = called.some((word) => typeof word === 'string' && word.toLowerCase() !== 'jwt');
  return typ === 'at+jwt' || says || 'scope' in claims || 'scp' in claims || 'client_id' in claims;
}

function readScopes(claims: Claims): readonly string[] {
  const value = claims['scope'] ?? claims['scp'];
  const list: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(' ') : [];
  return list.filter((item): item is string => typeof item === 'string' && item !== '');
}

/** A client that acts for itself: what products write in place of a person. */
function isClientItself(claims: Claims, subject: string, clientId: string): boolean {
  const { gty, preferred_username: name } = claims;
  return subject === clientId || subject === `${clientId}@clients` || gty === 'client-credentials' || gty === 'client_credentials'
    // Not by the beginning alone: a person may be called like that, and would never be looked up.
    || (typeof name === 'string' && name.toLowerCase() === `service-account-${clientId.toLowerCase()}`);
}

/**
 * Reads the facts out of another server's access token, its signature proven and its issuer right.
 * @param typ JOSE `typ`, in lower case without `application/`
 * @returns null when it is no access token, or lacks what is needed: `exp`, `iat`, a client
 */
export function factsFromFormerToken(typ: string, claims: Claims, tenantId: string): TokenFacts | null {
  if (!isAccessToken(typ, claims)) return null;
  const audience = claims['aud'] === undefined ? [] : readAudience(claims['aud']);
  const expiresAt = readSeconds(claims['exp']);
  const iat = readSeconds(claims['iat']);
  const notBefore = claims['nbf'] === undefined ? null : readSeconds(claims['nbf']);
  const confirmation = readConfirmation(claims['cnf']);
  if (audience === null || expiresAt === null || iat === null) return null;
  if ((claims['nbf'] !== undefined && notBefore === null) || (claims['cnf'] !== undefined && confirmation === null)) return null;
  const clientId = readText(claims['client_id']) ?? readText(claims['azp']) ?? readText(claims['cid']) ?? audience[0] ?? null;
  if (clientId === null) return null;
  const subject = readText(claims['sub']) ?? clientId;
  return {
    kind: 'access', tenantId, clientId, subject, userId: isClientItself(claims, subject, clientId) ? null : subject,
    scopes: readScopes(claims), audience, issuedAtMs: iat * 1000, expiresAt, notBefore, id: readText(claims['jti']), grantId: null,
    sessionId: readText(claims['sid']), orgId: readText(claims['org_id']), confirmation,
    actor: readActor(claims['act']), authTime: readSeconds(claims['auth_time']), acr: readText(claims['acr']),
  };
}
