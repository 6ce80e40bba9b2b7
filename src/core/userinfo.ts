import type { UserinfoClaims } from '../spec/introspection.ts';
import type { TokenFacts, User } from './model.ts';
import { standardAttribute } from './user-attributes.ts';

type ClaimReader = (user: User) => unknown;

const attribute = (name: string): ClaimReader => (user) => standardAttribute(user.attributes, name);

/** A claim that says something only beside another one. */
const beside = (name: string, other: string): ClaimReader => (user) =>
  (standardAttribute(user.attributes, other) === undefined ? undefined : standardAttribute(user.attributes, name));

const attributes = (...names: readonly string[]): Readonly<Record<string, ClaimReader>> => Object.fromEntries(names.map((name) => [name, attribute(name)]));

/** Which scope lets a claim be told, and where it is from (OpenID Connect Core §5.4). `sub` needs none but `openid`. */
const claimsOf: Readonly<Record<string, Readonly<Record<string, ClaimReader>>>> = {
  profile: {
    name: (user) => user.name ?? '',
    ...attributes('family_name', 'given_name', 'middle_name', 'nickname'),
    preferred_username: (user) => user.username,
    ...attributes('profile', 'picture', 'website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'),
  },
  email: {
    email: (user) => user.email,
    email_verified: (user) => (user.email === '' ? undefined : user.emailVerified),
  },
  address: attributes('address'),
  phone: { ...attributes('phone_number'), phone_number_verified: beside('phone_number_verified', 'phone_number') },
};

/** Every standard claim that can be told of a person; discovery lists them. */
export const userinfoClaimNames: readonly string[] = ['sub', ...Object.values(claimsOf).flatMap((claims) => Object.keys(claims))];

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

/**
 * The claims that scopes let be told of a person, without `sub`: userinfo's and the ID token's alike (OpenID Connect Core
 * §5.4). What is not known is left out, never null or empty (§5.3.2).
 */
export function standardClaims(user: User, scopes: readonly string[]): Readonly<Record<string, unknown>> {
  const claims: Record<string, unknown> = {};
  for (const [scope, readers] of Object.entries(claimsOf)) {
    if (!scopes.includes(scope)) continue;
    for (const [name, read] of Object.entries(readers)) {
      const value = read(user);
      if (value !== undefined && value !== '') claims[name] = value;
    }
  }
  return claims;
}

/** What userinfo tells the bearer of a token. @param mapped claims that the tenant adds; standard ones go over them */
export function describeUser(facts: TokenFacts, user: User, mapped: Readonly<Record<string, unknown>> = {}): UserinfoClaims {
  const claims = { sub: facts.subject, ...standardClaims(user, facts.scopes) };
  return { ...claims, ...mapped, ...claims };
}
