import type { Actor, Confirmation } from '../spec/introspection.ts';
import type { TokenFacts } from './model.ts';

/** Claims of an access token (RFC 9068 §2.2); times in whole seconds. */
export type AccessTokenClaims = {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly client_id: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly scope?: string;
  readonly sid?: string;
  readonly org_id?: string;
  readonly auth_time?: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Ours: the grant that the token lives and dies with; also says that a person stands behind `sub`. */
  readonly grant_id?: string;
};

/** Latest time that arithmetic on inbound tokens takes for real: the end of the year 9999 (TM-05). */
const MAX_SECONDS = 253_402_300_799;
const TIME_DIGITS = 9;

/**
 * A token id: nine base-36 digits of the millisecond it was issued, for cutoffs within a second, then the randomness
 * that makes it unique whatever the clock does (AT-10).
 * @param random at least 128 bits, base64url
 */
export function makeTokenId(issuedAtMs: number, random: string): string {
  return issuedAtMs.toString(36).padStart(TIME_DIGITS, '0') + random;
}

/** The millisecond of issue that a token id carries; null when it disagrees with `iat` (seconds) and so is not ours. */
export function issuedAtOf(id: string, iat: number): number | null {
  const ms = Number.parseInt(id.slice(0, TIME_DIGITS), 36);
  return Number.isFinite(ms) && Math.floor(ms / 1000) === iat ? ms : null;
}

const GRANT_PREFIX = 'gr_';

/** A grant's id: like a token's, so that whoever holds a token of it knows since when it stands. */
export function makeGrantId(openedAtMs: number, random: string): string {
  return GRANT_PREFIX + makeTokenId(openedAtMs, random);
}

/** The millisecond at which a grant was opened; null when its id does not tell. */
export function openedAtOf(grantId: string): number | null {
  const ms = grantId.startsWith(GRANT_PREFIX) ? Number.parseInt(grantId.slice(GRANT_PREFIX.length, GRANT_PREFIX.length + TIME_DIGITS), 36) : Number.NaN;
  return Number.isFinite(ms) ? ms : null;
}

/** The claims of a JWT access token that states these facts. */
export function accessTokenClaims(facts: TokenFacts & { readonly id: string; readonly expiresAt: number }, issuer: string): AccessTokenClaims {
  const [first] = facts.audience;
  return {
    iss: issuer,
    sub: facts.subject,
    aud: facts.audience.length === 1 && first !== undefined ? first : facts.audience,
    client_id: facts.clientId,
    exp: facts.expiresAt,
    iat: Math.floor(facts.issuedAtMs / 1000),
    jti: facts.id,
    ...(facts.scopes.length > 0 && { scope: facts.scopes.join(' ') }),
    ...(facts.sessionId !== null && { sid: facts.sessionId }),
    ...(facts.orgId !== null && { org_id: facts.orgId }),
    ...(facts.authTime !== null && { auth_time: facts.authTime }),
    ...(facts.acr !== null && { acr: facts.acr }),
    ...(facts.grantId !== null && { grant_id: facts.grantId }),
  };
}

/** Whole seconds since the epoch; null: it is something else. */
export function readSeconds(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_SECONDS ? value : null;
}

/** Text that is not empty; null: it is something else. */
export function readText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** One or several texts, none empty; null: it is something else. */
export function readAudience(value: unknown): readonly string[] | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((item): item is string => typeof item === 'string' && item !== '') ? list : null;
}

/** What a token is bound to; null: none that is known. */
export function readConfirmation(value: unknown): Confirmation | null {
  if (typeof value !== 'object' || value === null) return null;
  const jkt: unknown = Reflect.get(value, 'jkt');
  const thumbprint: unknown = Reflect.get(value, 'x5t#S256');
  if (typeof jkt === 'string') return typeof thumbprint === 'string' ? { jkt, 'x5t#S256': thumbprint } : { jkt };
  return typeof thumbprint === 'string' ? { 'x5t#S256': thumbprint } : null;
}

/** Actors nest (RFC 8693 §4.1); deeper than this is not ours. */
const MAX_ACTORS = 5;

/** Who acts; null: nobody, or it cannot be read. */
export function readActor(value: unknown, depth = 0): Actor | null {
  if (typeof value !== 'object' || value === null || depth === MAX_ACTORS) return null;
  const sub = readText(Reflect.get(value, 'sub'));
  if (sub === null) return null;
  const iss = readText(Reflect.get(value, 'iss'));
  const act = readActor(Reflect.get(value, 'act'), depth + 1);
  return { sub, ...(iss !== null && { iss }), ...(act !== null && { act }) };
}

/**
 * Reads the facts out of a verified access token's payload (RFC 9068 §2.2, §4).
 * @param payload parsed JSON, signature already proven
 * @returns null when a required claim is missing or has the wrong type
 */
export function factsFromClaims(payload: Readonly<Record<string, unknown>>, tenantId: string): TokenFacts | null {
  const subject = readText(payload['sub']);
  const clientId = readText(payload['client_id']);
  const id = readText(payload['jti']);
  const expiresAt = readSeconds(payload['exp']);
  const iat = readSeconds(payload['iat']);
  const audience = readAudience(payload['aud']);
  if (subject === null || clientId === null || id === null || expiresAt === null || iat === null || audience === null) return null;
  const notBefore = payload['nbf'] === undefined ? null : readSeconds(payload['nbf']);
  if (payload['nbf'] !== undefined && notBefore === null) return null;
  const confirmation = readConfirmation(payload['cnf']);
  // A bound token that lost its binding would be a bearer token: refuse what cannot be read.
  if (payload['cnf'] !== undefined && confirmation === null) return null;
  const scope = payload['scope'];
  const grantId = readText(payload['grant_id']);
  return {
    kind: 'access', tenantId, clientId, subject, userId: grantId === null ? null : subject,
    scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ') : [],
    audience, issuedAtMs: issuedAtOf(id, iat) ?? iat * 1000, expiresAt, notBefore, id, grantId,
    sessionId: readText(payload['sid']), orgId: readText(payload['org_id']), confirmation,
    actor: readActor(payload['act']), authTime: readSeconds(payload['auth_time']), acr: readText(payload['acr']),
  };
}
