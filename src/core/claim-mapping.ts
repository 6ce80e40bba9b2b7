import type { User } from './model.ts';
import { claimTargets, type ClaimMapping, type ClaimTarget, type Organization } from './people.ts';
import { isAttributeName, isElsewhere } from './user-attributes.ts';
import { userinfoClaimNames } from './userinfo.ts';

/** What mapped claims are made from: a user, and their place in the organization that a token speaks of. */
export type ClaimFacts = {
  readonly user: User;
  /** null: none, or one that is not registered here. */
  readonly org: Organization | null;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
};

/** Names that mean something to whoever reads a token or an answer already: by the document that says what. */
const reserved: readonly (readonly [meaning: string, names: readonly string[]])[] = [
  ['a claim of every JWT (RFC 7519 §4.1)', ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']],
  ['a claim of access tokens (RFC 9068 §2.2)', ['client_id', 'scope', 'auth_time', 'acr', 'amr']],
  ['a member of introspection answers (RFC 7662 §2.2)', ['active', 'username', 'token_type']],
  ['a member of token responses (RFC 6749 §5.1)', ['access_token', 'refresh_token', 'id_token', 'expires_in', 'error', 'error_description', 'error_uri', 'state']],
  ['a claim of ID tokens (OpenID Connect Core §2, §3.3.2.11)', ['nonce', 'azp', 'at_hash', 'c_hash', 's_hash', 'sub_jwk', '_claim_names', '_claim_sources']],
  ['a claim of logout tokens and security events (RFC 8417 §2.2)', ['sid', 'events', 'toe', 'txn', 'sub_id']],
  ['what a token is bound to (RFC 7800 §3.1)', ['cnf', 'jkt', 'x5t', 'x5t#s256', 'ath', 'htm', 'htu']],
  ['who acts for whom (RFC 8693 §4)', ['act', 'may_act']],
  ['what was authorized (RFC 9396 §9)', ['authorization_details']],
  ['a member of signed introspection answers (RFC 9701 §5)', ['token_introspection']],
  ['told with the token\'s organization', ['org_id', 'org_name']],
  ['this server\'s own', ['grant_id']],
  ['a standard claim: its scope tells it, set it as an attribute of the user', userinfoClaimNames],
  ['not a name that programs can hold', ['__proto__']],
];

/** The first meaning of a name counts. Compared without letter case: some programs read JSON that way, and `Active` would be `active` to them. */
const meanings: ReadonlyMap<string, string> = new Map(reserved.toReversed().flatMap(([meaning, names]) => names.map((name) => [name.toLowerCase(), meaning])));

const claimForm = /^[A-Za-z0-9_:./-]{1,64}$/;
const MOST_MAPPINGS = 50;
const ATTRIBUTE = 'attribute:';
const organizationSources: ReadonlySet<string> = new Set(['org.name', 'roles', 'permissions']);

function findFault({ claim, source, targets }: ClaimMapping): string | null {
  if (!claimForm.test(claim)) return `a claim's name is 1 to 64 characters of A-Z, a-z, 0-9 and _ : . / -, not ${JSON.stringify(claim)}`;
  const meaning = meanings.get(claim.toLowerCase());
  if (meaning !== undefined) return `the name ${claim} cannot be given to a claim: it is ${meaning}`;
  const known = source.startsWith(ATTRIBUTE) ? isAttributeName(source.slice(ATTRIBUTE.length)) : organizationSources.has(source);
  if (!known) return `the claim ${claim} comes from attribute:NAME, ${[...organizationSources].join(', ')}, not from ${JSON.stringify(source)}`;
  if (source.startsWith(ATTRIBUTE) && isElsewhere(source.slice(ATTRIBUTE.length))) {
    return `the claim ${claim} cannot come from ${source}: that is no attribute but a standard claim, told with its scope`;
  }
  const target = targets.find((one) => !claimTargets.includes(one));
  if (targets.length === 0 || target !== undefined) return `the claim ${claim} appears in ${claimTargets.join(', ')}, or several of them`;
  return new Set(targets).size < targets.length ? `the claim ${claim} names a place twice` : null;
}

/** Why a tenant cannot have these mappings; null: it can. No claim of ours, or of a specification, may be put in its place. */
export function findMappingFault(mappings: readonly ClaimMapping[]): string | null {
  if (mappings.length > MOST_MAPPINGS) return `a tenant has at most ${MOST_MAPPINGS} claims of its own`;
  const taken = new Set<string>();
  for (const mapping of mappings) {
    const fault = findFault(mapping);
    if (fault !== null) return fault;
    for (const target of mapping.targets) {
      const place = `${target} ${mapping.claim.toLowerCase()}`;
      if (taken.has(place)) return `two claims in ${target} have the name ${mapping.claim}`;
      taken.add(place);
    }
  }
  return null;
}

/** Whether anything is mapped for a target. */
export function hasMappings(mappings: readonly ClaimMapping[], target: ClaimTarget): boolean {
  return mappings.some(({ targets }) => targets.includes(target));
}

/** Whether the claims of a target say anything about the organization. */
export function needsOrganization(mappings: readonly ClaimMapping[], target: ClaimTarget): boolean {
  return mappings.some(({ source, targets }) => targets.includes(target) && organizationSources.has(source));
}

/** What a source gives; undefined: nothing is known. */
function valueOf(source: string, { user, org, roles, permissions }: ClaimFacts): unknown {
  if (source === 'org.name') return org?.name;
  if (source === 'roles') return roles.length === 0 ? undefined : roles;
  if (source === 'permissions') return permissions.length === 0 ? undefined : permissions;
  const name = source.slice(ATTRIBUTE.length);
  const value = Object.hasOwn(user.attributes, name) ? user.attributes[name] : undefined;
  return value === '' ? undefined : value;
}

/** Most that mapped claims may add to one token or answer, bytes of JSON: tokens travel in headers. */
export const MOST_CLAIM_BYTES = 2048;

const sizeOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * The claims that a tenant adds at one place; what is not known is left out. Where they would take more than 2 KiB, the
 * largest go first, among equals the later name: the same facts always give the same claims.
 * @returns also the names of those that were left out for their size
 */
export function mapClaims(mappings: readonly ClaimMapping[], target: ClaimTarget, facts: ClaimFacts): { readonly claims: Readonly<Record<string, unknown>>; readonly dropped: readonly string[] } {
  const found = mappings.flatMap(({ claim, source, targets }) => {
    const value = targets.includes(target) ? valueOf(source, facts) : undefined;
    return value === undefined ? [] : [{ claim, value, size: sizeOf({ [claim]: value }) }];
  });
  // Each entry but the first trades two braces for a comma.
  let total = found.reduce((sum, { size }) => sum + size - 1, 1);
  const dropped = new Set<string>();
  for (const { claim, size } of found.toSorted((a, b) => b.size - a.size || (a.claim < b.claim ? 1 : -1))) {
    if (total <= MOST_CLAIM_BYTES) break;
    dropped.add(claim);
    total -= size - 1;
  }
  return {
    claims: Object.fromEntries(found.filter(({ claim }) => !dropped.has(claim)).map(({ claim, value }) => [claim, value])),
    dropped: [...dropped],
  };
}
