import { grantTypes, authMethods, signingAlgorithms, type GrantType } from '../../spec/names.ts';
import { auditTypes, type AuditType } from '../audit-event.ts';
import type { ClientChange } from '../client-settings.ts';
import { readLogo } from '../logo.ts';
import { introspectionPolicies, layoutNames, policyModes, presetNames, refreshRevocations, revocationPolicies, shapeNames, tokenFormats, type TokenFormat } from '../model.ts';
import { claimTargets, type ClaimMapping, type ClaimTarget, type Logo } from '../people.ts';
import type { TenantChange } from '../tenant-settings.ts';
import { findClosest } from '../closest.ts';
import { isObject, type Json } from './json.ts';

/** Members of things as configuration names them: the names and forms of the documents that commands print. */

/** A member's value as read: for an act, and as documents show it, to be compared with what there is. */
type Reading<T> = { readonly ok: true; readonly value: T; readonly shown: Json } | { readonly ok: false; readonly problem: string };
type Reader<T> = (value: Json) => Reading<T>;

/** One member: how it is read, and what of a change it becomes. */
export type Field<Change> = { readonly name: string; readonly read: (value: Json) => Reading<Change> };

const no = (problem: string): Reading<never> => ({ ok: false, problem });
const yes = <T extends Json>(value: T): Reading<T> => ({ ok: true, value, shown: value });

const text: Reader<string> = (value) => (typeof value === 'string' ? yes(value) : no('must be a text'));
const flag: Reader<boolean> = (value) => (typeof value === 'boolean' ? yes(value) : no('must be true or false'));
const whole: Reader<number> = (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? yes(value) : no('must be a whole number'));

/** A switch: `on` or `off` as documents have it, true and false as well. */
const onOff: Reader<boolean> = (value) => {
  if (value === true || value === 'on') return { ok: true, value: true, shown: 'on' };
  return value === false || value === 'off' ? { ok: true, value: false, shown: 'off' } : no('must be on or off');
};

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? { ok: true, value: null, shown: null } : read(value));
}

/** So many words are listed to somebody who wrote another. */
const MOST_LISTED = 30;

function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return yes(word);
    const meant = typeof value === 'string' ? findClosest(value, words) : null;
    // A list that fills the screen hides the other problems.
    const wrong = words.length > MOST_LISTED ? `is not known: ${JSON.stringify(value)}` : `must be one of ${words.join(', ')}`;
    return no(`${wrong}${meant === null ? '' : `; did you mean ${meant}?`}`);
  };
}

function listOf<T extends Json>(read: Reader<T>): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return no('must be a list');
    const items: readonly Json[] = value;
    const readings = items.map(read);
    const wrong = readings.find((reading) => !reading.ok);
    if (wrong !== undefined && !wrong.ok) return no(`has an item that ${wrong.problem}`);
    const values = readings.flatMap((reading) => (reading.ok ? [reading.value] : []));
    return { ok: true, value: values, shown: values };
  };
}

const texts = listOf(text);

/** Scopes: one text, separated by spaces, or a list. */
const scopes: Reader<readonly string[]> = (value) => {
  const words = typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : value;
  const reading = texts(words);
  return reading.ok ? { ok: true, value: [...new Set(reading.value)], shown: [...new Set(reading.value)].join(' ') } : no('must be scopes, separated by spaces');
};

const required: Reader<boolean> = (value) => {
  const reading = oneOf(['required', 'optional'])(value);
  return reading.ok ? { ok: true, value: reading.value === 'required', shown: reading.value } : reading;
};

const DATA_URL = /^data:(image\/[a-z+]+);base64,([A-Za-z0-9+/]*={0,2})$/;

/** A picture as a data URL. */
const picture: Reader<Logo> = (value) => {
  const [, type, base64 = ''] = typeof value === 'string' ? DATA_URL.exec(value) ?? [] : [];
  if (type === undefined) return no('must be a data URL of a picture: data:image/png;base64,…');
  const logo = readLogo(Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0) ?? 0));
  return logo.ok ? { ok: true, value: logo.logo, shown: showLogo(logo.logo) } : no(`cannot be used: ${logo.fault}`);
};

/** A picture as configuration has it. */
export function showLogo(logo: Logo): string {
  return `data:${logo.type};base64,${logo.base64}`;
}

const messages: Reader<Readonly<Record<string, Readonly<Record<string, string>>>>> = (value) => {
  const good = isObject(value) && Object.values(value).every((own) => isObject(own) && Object.values(own).every((one) => typeof one === 'string'));
  // Just looked through: languages, each with texts by their keys.
  return good ? { ok: true, value: value as Readonly<Record<string, Readonly<Record<string, string>>>>, shown: value } : no('must hold languages, each with texts by their keys');
};

const claim: Reader<ClaimMapping & Json> = (value) => {
  if (!isObject(value)) return no('must have claim, source and targets');
  const { claim: name, source, targets, ...rest } = value;
  const known = listOf<ClaimTarget>(oneOf(claimTargets))(targets ?? null);
  if (typeof name !== 'string' || typeof source !== 'string' || Object.keys(rest).length > 0) return no('must have claim, source and targets, and nothing else');
  return known.ok ? yes({ claim: name, source, targets: known.value }) : no(`must have targets: ${known.problem}`);
};

function field<T, Change>(name: string, read: Reader<T>, into: (value: T) => Change): Field<Change> {
  return {
    name,
    read: (value) => {
      const reading = read(value);
      return reading.ok ? { ok: true, value: into(reading.value), shown: reading.shown } : reading;
    },
  };
}

const limitNames = ['tenant', 'client', 'address', 'account'] as const;
type Limits = Partial<Record<(typeof limitNames)[number], number | null>>;

const limits: Reader<Limits> = (value) => {
  if (!isObject(value)) return no(`must have ${limitNames.join(', ')}`);
  const read: Limits = {};
  for (const [name, limit] of Object.entries(value)) {
    const known = limitNames.find((one) => one === name);
    const reading = orNull(whole)(limit);
    if (known === undefined) return no(`has no ${JSON.stringify(name)}: limits are ${limitNames.join(', ')}`);
    if (!reading.ok) return no(`has a limit that ${reading.problem}`);
    read[known] = reading.value;
  }
  return { ok: true, value: read, shown: { ...read } };
};

/** Members of a tenant. */
export const tenantFields: readonly Field<TenantChange>[] = [
  field('name', text, (name) => ({ name })),
  field('preset', oneOf(presetNames), (preset) => ({ preset })),
  field('layout', oneOf(layoutNames), (layout) => ({ layout })),
  field('host', orNull(text), (host) => ({ host })),
  field('introspection_policy', oneOf(introspectionPolicies), (introspectionPolicy) => ({ introspectionPolicy })),
  field('introspection_policy_mode', oneOf(policyModes), (introspectionPolicyMode) => ({ introspectionPolicyMode })),
  field('revocation_policy', oneOf(revocationPolicies), (revocationPolicy) => ({ revocationPolicy })),
  field('refresh_revocation', oneOf(refreshRevocations), (refreshRevocation) => ({ refreshRevocation })),
  field('shape', oneOf(shapeNames), (shape) => ({ shape })),
  field('alg', oneOf(signingAlgorithms), (algorithm) => ({ algorithm })),
  field('access_token_ttl', whole, (accessTokenTtl) => ({ accessTokenTtl })),
  field('refresh_token_ttl', whole, (refreshTokenTtl) => ({ refreshTokenTtl })),
  field('registration', onOff, (registration) => ({ people: { registration } })),
  field('passwords', onOff, (passwords) => ({ people: { passwords } })),
  field('email_codes', onOff, (emailCodes) => ({ people: { emailCodes } })),
  field('passkeys', onOff, (passkeys) => ({ people: { passkeys } })),
  field('password_min_length', whole, (passwordMinLength) => ({ people: { passwordMinLength } })),
  field('session_idle_ttl', whole, (sessionIdleTtl) => ({ people: { sessionIdleTtl } })),
  field('session_ttl', whole, (sessionTtl) => ({ people: { sessionTtl } })),
  field('color', orNull(text), (color) => ({ people: { color } })),
  field('logo', orNull(picture), (logo) => ({ people: { logo } })),
  field('messages', messages, (own) => ({ people: { messages: own } })),
  field('claims', listOf(claim), (claims) => ({ people: { claims } })),
  field('key_rotation_days', orNull(whole), (keyRotationDays) => ({ operations: { keyRotationDays } })),
  field('audit_retention_days', orNull(whole), (auditRetentionDays) => ({ operations: { auditRetentionDays } })),
  field('limits', limits, (own) => ({ operations: { limits: own } })),
];

/** Several changes of a tenant as one. */
export function mergeTenantChanges(changes: readonly TenantChange[]): TenantChange {
  return changes.reduce<TenantChange>((merged, change) => ({
    ...merged, ...change,
    ...((merged.people ?? change.people) !== undefined && { people: { ...merged.people, ...change.people } }),
    ...((merged.operations ?? change.operations) !== undefined && {
      operations: { ...merged.operations, ...change.operations, ...((merged.operations?.limits ?? change.operations?.limits) !== undefined && { limits: { ...merged.operations?.limits, ...change.operations?.limits } }) },
    }),
  }), {});
}

const grants: Reader<readonly GrantType[]> = listOf<GrantType>(oneOf(grantTypes));

/** Members of a client. */
export const clientFields: readonly Field<ClientChange>[] = [
  field('name', text, (name) => ({ name })),
  field('public', flag, (isPublic) => ({ public: isPublic })),
  field('grants', grants, (own) => ({ grants: own })),
  field('scope', scopes, (own) => ({ scopes: own })),
  field('audience', texts, (audience) => ({ audience })),
  field('redirect_uris', texts, (redirectUris) => ({ redirectUris })),
  field('post_logout_redirect_uris', texts, (postLogoutRedirectUris) => ({ postLogoutRedirectUris })),
  field('backchannel_logout_uri', orNull(text), (backchannelLogoutUri) => ({ backchannelLogoutUri })),
  field('first_party', flag, (firstParty) => ({ firstParty })),
  field('pkce', required, (requirePkce) => ({ requirePkce })),
  field('auth_method', orNull(oneOf(authMethods)), (authMethod) => ({ authMethod })),
  field('token_format', orNull(oneOf(tokenFormats)), (tokenFormat) => ({ tokenFormat })),
  field('introspect', orNull(oneOf(introspectionPolicies)), (introspect) => ({ introspect })),
  field('shape', orNull(oneOf(shapeNames)), (shape) => ({ shape })),
  field('org_id', orNull(text), (orgId) => ({ orgId })),
  field('refresh_rotation', onOff, (refreshRotation) => ({ refreshRotation })),
  field('access_token_ttl', orNull(whole), (accessTokenTtl) => ({ accessTokenTtl })),
  field('refresh_token_ttl', orNull(whole), (refreshTokenTtl) => ({ refreshTokenTtl })),
];

/** What configuration says of a resource. */
export type ResourceMembers = { readonly scopes?: readonly string[]; readonly owner?: string | null; readonly tokenFormat?: TokenFormat | null };

/** Members of a resource. */
export const resourceFields: readonly Field<ResourceMembers>[] = [
  field('scope', scopes, (own) => ({ scopes: own })),
  field('owner', orNull(text), (owner) => ({ owner })),
  field('token_format', orNull(oneOf(tokenFormats)), (tokenFormat) => ({ tokenFormat })),
];

/** What configuration says of a role. */
export type RoleMembers = { readonly permissions?: readonly string[] };

/** Members of a role. */
export const roleFields: readonly Field<RoleMembers>[] = [field('permissions', texts, (permissions) => ({ permissions }))];

/** What configuration says of a webhook. */
export type WebhookMembers = { readonly url?: string; readonly events?: readonly AuditType[]; readonly enabled?: boolean };

/** Members of a webhook. */
export const webhookFields: readonly Field<WebhookMembers>[] = [
  field('url', text, (url) => ({ url })),
  field('events', listOf<AuditType>(oneOf(auditTypes)), (events) => ({ events })),
  field('enabled', flag, (enabled) => ({ enabled })),
];
