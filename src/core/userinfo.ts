import type { UserinfoClaims } from '../spec/introspection.ts';
import type { TokenFacts, User } from './model.ts';

/** Which scope lets a claim be told (OpenID Connect Core §5.4). `sub` needs none but `openid`. */
const claimsOf = {
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
} as const satisfies Readonly<Record<string, readonly (keyof UserinfoClaims)[]>>;

/** Every claim that userinfo can tell; discovery lists them. */
export const userinfoClaimNames: readonly string[] = ['sub', ...claimsOf.profile, ...claimsOf.email];

/** Why a token that is good does not open the profile. */
export type UserinfoRefusal = 'wrong_audience' | 'bound_to_a_key' | 'insufficient_scope';

/**
 * Whether an access token that is good may read its user's profile.
 * @param issuer the tenant's
 * @param endpoint this endpoint's canonical URL: a resource identifier too
 * @returns null when it may. A token for other resources reads no profiles (US-09); either default audience does (wire
 *   contract §6). A bound token needs a proof, and nobody can give one here: refused, never taken for a bearer token.
 */
export function findUserinfoFault(facts: TokenFacts, issuer: string, endpoint: string): UserinfoRefusal | null {
  if (facts.confirmation !== null) return 'bound_to_a_key';
  if (!facts.audience.some((audience) => audience === issuer || audience === facts.clientId || audience === endpoint)) return 'wrong_audience';
  return facts.userId !== null && facts.scopes.includes('openid') ? null : 'insufficient_scope';
}

/** The claims that a token's scopes let be told; what is not known is left out (OpenID Connect Core §5.3.2). */
export function describeUser(facts: TokenFacts, user: User): UserinfoClaims {
  const claims: UserinfoClaims = { sub: facts.subject };
  if (facts.scopes.includes('profile')) {
    if (user.name !== null && user.name !== '') claims.name = user.name;
    claims.preferred_username = user.username;
  }
  if (facts.scopes.includes('email') && user.email !== '') {
    claims.email = user.email;
    claims.email_verified = user.emailVerified;
  }
  return claims;
}
