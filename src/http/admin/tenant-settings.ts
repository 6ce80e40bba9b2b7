import { t, type Static } from 'elysia';
import { claimTargets } from '../../core/people.ts';
import { introspectionPolicies, layoutNames, policyModes, presetNames, refreshRevocations, revocationPolicies, shapeNames } from '../../core/model.ts';
import { findClosest } from '../../core/closest.ts';
import { readLogo } from '../../core/logo.ts';
import type { PeopleSettings } from '../../core/people.ts';
import { MAX_LIFETIME_S, MOST_REQUESTS, type TenantChange } from '../../core/tenant-settings.ts';
import { findOverrideFault, messageKeys, OWN_SCOPE } from '../../pages/text.ts';
import { locales } from '../../pages/views.ts';
import { done, refused, type Managed, type Refusal } from '../../service/manage-outcome.ts';
import { signingAlgorithms } from '../../spec/names.ts';
import { given, timeOrNull } from './schemas.ts';

/** A tenant's settings in JSON: what may be asked for, what is told, and the way from the one to the acts. */

const oneOf = <const T extends string>(words: readonly T[], description: string) => t.Union(words.map((word) => t.Literal(word)), { description });
const onOff = (description: string) => oneOf(['on', 'off'] as const, description);
const lifetime = (description: string) => t.Integer({ minimum: 1, maximum: MAX_LIFETIME_S, description: `${description}, seconds.` });
const perMinute = (description: string) => t.Union([t.Integer({ minimum: 1, maximum: MOST_REQUESTS }), t.Null()], { description });
const days = (description: string) => t.Union([t.Integer({ minimum: 1, maximum: 36_500 }), t.Null()], { description });

const claim = t.Object({
  claim: t.String({ maxLength: 64, description: 'Its name.' }), source: t.String({ maxLength: 128, description: '`attribute:NAME`, `org.name`, `roles` or `permissions`.' }),
  targets: t.Array(oneOf(claimTargets, 'Where it appears.'), { minItems: 1, maxItems: claimTargets.length }),
}, { $id: 'ClaimMapping', description: 'A claim of the tenant\'s own.' });

const limits = t.Object({
  tenant: perMinute('Of all callers together.'), client: perMinute('Of one client.'), address: perMinute('From one address.'), account: perMinute('Tries to sign in to one account.'),
}, { $id: 'RequestLimits', description: 'Requests per minute; null: as many as come.' });

/** What is the same in what is asked for and in what is told. */
const settings = {
  name: t.String({ maxLength: 256, description: 'Name for people.', example: 'Acme' }),
  preset: oneOf(presetNames, 'Named row of settings. Naming it sets the whole row; what is given beside it goes over the row.'),
  layout: oneOf(layoutNames, 'URL layout where its issuer lives.'),
  host: t.Union([t.String({ maxLength: 260 }), t.Null()], { description: '`hostname[:port]` of its own; null: none.' }),
  introspection_policy: oneOf(introspectionPolicies, 'Whose tokens a caller may learn about.'),
  introspection_policy_mode: oneOf(policyModes, '`report` answers as `tenant` would, and records what it would have refused.'),
  revocation_policy: oneOf(revocationPolicies, 'Whose tokens a caller may revoke.'),
  refresh_revocation: oneOf(refreshRevocations, 'What ends with a revoked refresh token.'),
  shape: oneOf(shapeNames, 'Form of introspection answers.'),
  alg: oneOf(signingAlgorithms, 'Algorithm that signs its tokens.'),
  access_token_ttl: lifetime('Lifetime of access tokens'),
  refresh_token_ttl: lifetime('Lifetime of refresh tokens from the first on'),
  registration: onOff('Whether strangers may make accounts.'),
  passwords: onOff('Whether people may sign in with a password.'),
  email_codes: onOff('Whether people may sign in with a code by mail.'),
  passkeys: onOff('Whether people may sign in with a passkey.'),
  password_min_length: t.Integer({ minimum: 8, maximum: 64, description: 'Shortest new password, characters.' }),
  session_idle_ttl: lifetime('How long a sign-in lasts without a visit'),
  session_ttl: lifetime('How long a sign-in lasts at most'),
  color: t.Union([t.String({ pattern: '^#[0-9A-Fa-f]{6}$' }), t.Null()], { description: 'Color of buttons and links on its pages.' }),
  messages: t.Record(t.String(), t.Record(t.String(), t.String({ maxLength: 4_096 })), { description: 'Own wording of pages and mails, by language and key; replaces the former.' }),
  claims: t.Array(claim, { maxItems: 50, description: 'Claims of its own; replace the former.' }),
  key_rotation_days: days('Days after which the signing key gives way to the next; null: only when somebody says so.'),
  audit_retention_days: days('Days for which audit events are kept; null: for ever.'),
};

/** A tenant as it is told. */
export const tenantAnswer = t.Object({
  slug: t.String({ example: 'acme' }), ...settings,
  issuer: t.String({ description: 'Names it in tokens.' }), default_audience: t.String(),
  logo: t.Union([t.Object({ type: t.String(), bytes: t.Integer() }), t.Null()], { description: 'Picture on its pages.' }),
  limits, introspection_endpoint: t.String(), revocation_endpoint: t.String(), token_endpoint: t.String(), jwks_uri: t.String(),
  enabled: t.Boolean(), created_at: t.String({ format: 'date-time' }),
}, { $id: 'Tenant', description: 'A tenant, its preset\'s values resolved.' });

const change = t.Partial(t.Object({
  ...settings,
  logo: t.Union([t.Object({ data: t.String({ description: 'SVG, PNG, JPEG or WebP, base64.' }) }), t.Null()], { description: 'Picture on its pages.' }),
  limits: t.Partial(t.Object(limits.properties)),
}));

/** What may be changed; what is left out stays. */
export const tenantChange = t.Object(change.properties, { $id: 'TenantChange', description: 'What is left out stays.' });
/** What creates one. */
export const newTenant = t.Object({ slug: t.String({ maxLength: 63, description: 'Its name in paths: a-z, 0-9 and `-`.', example: 'acme' }), ...change.properties }, { $id: 'NewTenant' });

export type TenantBody = Static<typeof tenantChange>;

/** A secret's facts, never the secret. */
export const secretAnswer = t.Object({
  id: t.String(), hash: t.String({ description: 'How it is kept.' }), created_at: t.String({ format: 'date-time' }), expires_at: timeOrNull('null: never.'),
}, { $id: 'ClientSecretFacts' });

function readPicture(logo: TenantBody['logo']): Managed<PeopleSettings['logo'] | undefined> {
  if (logo === undefined || logo === null) return done(logo);
  const bytes = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(logo.data) ? Buffer.from(logo.data, 'base64') : null;
  if (bytes === null) return refused('invalid_request', 'a picture is sent in base64', { member: 'people.logo.data' });
  const reading = readLogo(bytes);
  return reading.ok ? done(reading.logo) : refused('invalid_request', `the picture cannot be used: ${reading.fault}`, { member: 'people.logo.data' });
}

/** What is wrong with wording of a tenant's own; null when nothing is. */
function refuseWording(messages: TenantBody['messages'] = {}): Refusal | null {
  const wrong = (path: string, fault: string): Refusal => refused('invalid_request', fault, { member: `people.messages.${path}` });
  for (const [locale, texts] of Object.entries(messages)) {
    if (!locales.some((one) => one === locale)) return wrong(locale, `the languages are ${locales.join(', ')}`);
    for (const [key, words] of Object.entries(texts)) {
      if (messageKeys.includes(key) || key.startsWith(OWN_SCOPE)) {
        const fault = findOverrideFault(key, words);
        if (fault !== null) return wrong(locale, `${key}: ${fault}`);
      } else {
        const meant = findClosest(key, messageKeys);
        return wrong(locale, `there is no text of the name ${JSON.stringify(key)}${meant === null ? '' : `; did you mean ${meant}?`}`);
      }
    }
  }
  return null;
}

const isOn = (word: 'on' | 'off' | undefined): boolean | undefined => (word === undefined ? undefined : word === 'on');

function withMembers<T extends object>(members: T): T | undefined {
  return Object.keys(members).length === 0 ? undefined : members;
}

/** What a body asks of a tenant, for the acts. */
export function readTenantChange(body: TenantBody): Managed<TenantChange> {
  const logo = readPicture(body.logo);
  const fault = !logo.ok ? logo : refuseWording(body.messages);
  if (!logo.ok || fault !== null) return fault ?? refused('invalid_request', 'the picture cannot be used');
  return done(given<TenantChange>({
    name: body.name, preset: body.preset, layout: body.layout, host: body.host, introspectionPolicy: body.introspection_policy, introspectionPolicyMode: body.introspection_policy_mode,
    revocationPolicy: body.revocation_policy, refreshRevocation: body.refresh_revocation, shape: body.shape, algorithm: body.alg, accessTokenTtl: body.access_token_ttl, refreshTokenTtl: body.refresh_token_ttl,
    people: withMembers(given<Partial<PeopleSettings>>({
      registration: isOn(body.registration), passwords: isOn(body.passwords), emailCodes: isOn(body.email_codes), passkeys: isOn(body.passkeys), passwordMinLength: body.password_min_length,
      sessionIdleTtl: body.session_idle_ttl, sessionTtl: body.session_ttl, color: body.color?.toLowerCase() ?? body.color, logo: logo.value, messages: body.messages, claims: body.claims,
    })),
    operations: withMembers(given<NonNullable<TenantChange['operations']>>({
      keyRotationDays: body.key_rotation_days, auditRetentionDays: body.audit_retention_days, limits: body.limits === undefined ? undefined : given(body.limits),
    })),
  }));
}
