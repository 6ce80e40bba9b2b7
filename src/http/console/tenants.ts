/** Tenants in the console: their list, and how one is made. What one is set to is on its own page (tenant-settings.ts). */
import { introspectionPolicies, layoutNames, policyModes, presetNames, refreshRevocations, revocationPolicies, shapeNames, type PresetName, type Tenant } from '../../core/model.ts';
import { presets } from '../../core/presets.ts';
import { DEFAULT_TENANT, type TenantChange } from '../../core/tenant-settings.ts';
import { done } from '../../service/manage-outcome.ts';
import { createTenant, requireTenant } from '../../service/manage-tenants.ts';
import { signingAlgorithms } from '../../spec/names.ts';
import { formatDuration } from '../../pages/times.ts';
import { consoleLocale, enabledBadge, link, mono, time, type Choice } from '../../pages/admin/views.ts';
import { homeOf } from './endpoints.ts';
import { tenantPath } from './paths.ts';
import { resource, type FieldRow, type FormFill, type FormReader } from './resource.ts';

/** What words of settings mean, in a few words. */
const meanings: Readonly<Record<string, string>> = {
  standard: 'standard: what the specifications recommend', root: 'root: a hostname of its own', realm: 'realm: at /t/SLUG', org: 'org: at /orgs/SLUG',
  issued_to: 'issued_to: a client\'s own tokens', audience: 'audience: also those meant for its resources', tenant: 'tenant: every token of the tenant',
  enforce: 'enforce: what it says is done', report: 'report: only recorded, and answered as tenant would', grant: 'grant: the tokens of its grant', session: 'session: the whole session of the person',
};

/** Choices of words, with what they mean. @param unset where none is possible, what that says */
function words(texts: readonly string[], unset?: string): readonly Choice[] {
  return [...(unset === undefined ? [] : [{ value: '', text: unset }]), ...texts.map((value) => ({ value, text: meanings[value] ?? value }))];
}

/** What a preset sets, in one line. */
export function presetInWords(name: PresetName): string {
  const { introspectionPolicy, revocationPolicy, refreshRevocation, shape, accessTokenTtl, refreshTokenTtl, layout, defaultAudience } = presets[name];
  return [
    `layout ${layout ?? 'root with a hostname, else realm'}`, `introspection ${introspectionPolicy}`, `revocation ${revocationPolicy}`, `a revoked refresh token ends the ${refreshRevocation}`, `answers in the form ${shape}`,
    `access tokens ${formatDuration(consoleLocale, accessTokenTtl)}`, `refresh tokens ${formatDuration(consoleLocale, refreshTokenTtl)}`, `default audience: the ${defaultAudience}`,
  ].join(', ');
}

export const presetChoices: readonly Choice[] = presetNames.map((value) => ({ value, text: value === 'standard' ? 'standard' : `${value}: as that product documents it` }));

/** Fields of how a tenant's endpoints behave. @param unset what an empty choice says; undefined: there is none */
export function behaviourFields(unset?: string): readonly FieldRow[] {
  const place = 'Where it lives';
  const policies = 'Who may ask, and how answers look';
  const tokens = 'Tokens';
  const initial = unset === undefined ? 'the former' : 'the preset\'s';
  return [
    { name: 'layout', label: 'Layout', type: 'choice', choices: words(layoutNames, unset), group: place, help: 'Where its issuer is. Another one changes the issuer: tokens from before are void then, and clients must be told.' },
    { name: 'host', label: 'Hostname', type: 'text', placeholder: 'login.example.com', group: place, help: 'Of its own, with a port where it is not the usual one. Point its DNS here first. Empty: none.' },
    { name: 'introspectionPolicy', label: 'Introspection policy', type: 'choice', choices: words(introspectionPolicies, unset), group: policies, help: 'About whose tokens a client may ask. A client can have another.' },
    { name: 'introspectionPolicyMode', label: 'Mode of that policy', type: 'choice', choices: words(policyModes, unset === undefined ? undefined : 'enforced'), group: policies, help: 'Report first, look at the audit trail, then enforce.' },
    { name: 'revocationPolicy', label: 'Revocation policy', type: 'choice', choices: words(revocationPolicies, unset), group: policies, help: 'Whose tokens a client may revoke.' },
    { name: 'refreshRevocation', label: 'A revoked refresh token ends', type: 'choice', choices: words(refreshRevocations, unset), group: policies },
    { name: 'shape', label: 'Form of introspection answers', type: 'choice', choices: words(shapeNames, unset), group: policies },
    { name: 'algorithm', label: 'Signing algorithm', type: 'choice', choices: words(signingAlgorithms, unset === undefined ? undefined : 'RS256'), group: tokens, help: 'Another one brings new keys. What the old ones signed stays good.' },
    { name: 'accessTokenTtl', label: 'Lifetime of access tokens', type: 'number', group: tokens, placeholder: initial, help: 'Seconds. 300 are five minutes.' },
    { name: 'refreshTokenTtl', label: 'Lifetime of refresh tokens', type: 'number', group: tokens, placeholder: initial, help: 'Seconds, from the first one on. 2592000 are thirty days.' },
  ];
}

/** What the fields of behaviour ask for; an empty one asks for nothing, but that there is no hostname. */
export function readBehaviour(form: FormReader): TenantChange {
  const change: { readonly [Name in keyof TenantChange]: TenantChange[Name] | null } = {
    layout: form.choice('layout', layoutNames), introspectionPolicy: form.choice('introspectionPolicy', introspectionPolicies), introspectionPolicyMode: form.choice('introspectionPolicyMode', policyModes),
    revocationPolicy: form.choice('revocationPolicy', revocationPolicies), refreshRevocation: form.choice('refreshRevocation', refreshRevocations), shape: form.choice('shape', shapeNames),
    algorithm: form.choice('algorithm', signingAlgorithms), accessTokenTtl: form.number('accessTokenTtl'), refreshTokenTtl: form.number('refreshTokenTtl'), name: form.orNull('name'),
  };
  return { ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)), host: form.orNull('host') };
}

/** As the form of behaviour is filled with a tenant. */
export function fillBehaviour(tenant: Tenant): FormFill {
  const { name, layout, host, introspectionPolicy, introspectionPolicyMode, revocationPolicy, refreshRevocation, shape, algorithm, accessTokenTtl, refreshTokenTtl } = tenant;
  return { name, layout, host: host ?? '', introspectionPolicy, introspectionPolicyMode, revocationPolicy, refreshRevocation, shape, algorithm, accessTokenTtl: String(accessTokenTtl), refreshTokenTtl: String(refreshTokenTtl) };
}

export const tenantResource = resource<Tenant>({
  name: 'tenants', at: 'server', area: 'tenants', icon: 'tenant', title: 'Tenants', one: 'tenant',
  explain: 'Each is an authorization server of its own: an issuer, keys, clients and users that no other one sees.', empty: 'There are none.',
  search: 'Beginning of the slug or name', listOnly: true, page: (_, slug) => tenantPath(slug),
  columns: [
    { title: 'Name', cell: ({ name }) => name }, { title: 'Slug', cell: ({ slug }) => mono(slug) }, { title: 'Issuer', cell: (tenant, call) => mono(homeOf(call, tenant).issuer), minor: true }, { title: 'Preset', cell: ({ preset }) => preset, minor: true },
    { title: 'State', cell: ({ disabledAtMs }) => ({ kind: 'badge', ...enabledBadge(disabledAtMs === null) }) }, { title: 'Created', cell: ({ createdAtMs }) => time(createdAtMs), minor: true },
    { title: 'Settings', cell: ({ slug }) => link('Settings', tenantPath(slug, 'settings')) },
  ],
  list: (call, { page, search }) => call.ctx.store.pageTenants(page, search === '' ? {} : { search }),
  id: ({ slug }) => slug, label: ({ name }) => name, dim: ({ disabledAtMs }) => disabledAtMs !== null,
  load: (call, slug) => requireTenant(call.ctx, slug),
  facts: () => [],
  fields: [
    { name: 'slug', label: 'Slug', type: 'text', required: true, placeholder: 'acme', help: `Its name in paths: a-z, 0-9 and "-". It can never be changed. ${DEFAULT_TENANT} is the server's own.` },
    { name: 'name', label: 'Name', type: 'text', placeholder: 'the slug', help: 'What people see when they sign in.' },
    { name: 'preset', label: 'Preset', type: 'choice', choices: presetChoices, initial: 'standard', help: `Decides everything below that you leave empty. standard means: ${presetInWords('standard')}. Each can be changed later.` },
    ...behaviourFields('what the preset says'),
  ],
  create: { async act(call, form) {
    const made = await createTenant(call.ctx, form.text('slug'), { preset: form.choice('preset', presetNames) ?? 'standard', ...readBehaviour(form) });
    return made.ok ? done({ id: made.value.slug }, made.warnings) : made;
  } },
});
