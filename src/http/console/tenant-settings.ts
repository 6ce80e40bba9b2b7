/** One tenant's settings in the console. */
import { logoBytes, MOST_LOGO_BYTES, readLogo } from '../../core/logo.ts';
import { presetNames, type Tenant } from '../../core/model.ts';
import { presets } from '../../core/presets.ts';
import { claimTargets, type ClaimMapping, type PeopleSettings } from '../../core/people.ts';
import { DEFAULT_TENANT, type TenantChange } from '../../core/tenant-settings.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { deleteTenant, revokeTenantTokens, setTenantEnabled, updateTenant } from '../../service/manage-tenants.ts';
import { choosePalettes, grounds } from '../../pages/palette.ts';
import { badge, duration, enabledBadge, link, list, mono, row, soft, time, yesNo, type ActionLink, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { may, tenantOf, type ConsoleCall } from './call.ts';
import { homeOf } from './endpoints.ts';
import { counted, saying } from './outcome.ts';
import { consolePath, tenantPath } from './paths.ts';
import { resource, type ActionRow, type FieldRow, type FormReader } from './resource.ts';
import { behaviourFields, fillBehaviour, presetChoices, presetInWords, readBehaviour } from './tenants.ts';

const waysField: readonly FieldRow[] = [
  { name: 'passwords', label: 'With a password', type: 'check', group: 'People sign in' }, { name: 'emailCodes', label: 'With a code by mail', type: 'check', group: 'People sign in' },
  { name: 'passkeys', label: 'With a passkey', type: 'check', group: 'People sign in' },
  { name: 'registration', label: 'Strangers may make accounts', type: 'check', group: 'Accounts', help: 'Off: accounts are made here, by the admin API, or by invitation.' },
  { name: 'passwordMinLength', label: 'Shortest new password', type: 'number', required: true, group: 'Accounts', help: 'Characters, 8 to 64. Passwords that everybody tries first are refused anyway.' },
  { name: 'sessionIdleTtl', label: 'A sign-in lasts without a visit', type: 'number', required: true, group: 'Sessions', help: 'Seconds. 43200 are twelve hours.' },
  { name: 'sessionTtl', label: 'A sign-in lasts at most', type: 'number', required: true, group: 'Sessions', help: 'Seconds. 604800 are seven days.' },
];

const perMinute = (name: string, label: string, help: string): FieldRow => ({ name, label, type: 'number', group: 'Requests per minute', placeholder: 'as many as come', help });
const operationFields: readonly FieldRow[] = [
  { name: 'keyRotationDays', label: 'Signing keys are rotated after', type: 'number', group: 'Keys and audit trail', placeholder: 'only by hand', help: 'Days. Empty: only when somebody rotates them.' },
  { name: 'auditRetentionDays', label: 'Audit events are kept for', type: 'number', group: 'Keys and audit trail', placeholder: 'for ever', help: 'Days. What is older is deleted, for good. Empty: for ever, unless the server says otherwise.' },
  perMinute('tenant', 'Of all callers together', 'Empty: as many as come.'), perMinute('client', 'Of one client', 'A client that asks more often hears 429 until the minute is over.'),
  perMinute('address', 'From one address', 'IPv6: from one /64.'), perMinute('account', 'Tries to sign in to one account', 'Wrong passwords are slowed down anyway.'),
];

/** Changes the tenant with what the form of one section says. */
async function change(call: ConsoleCall, wanted: TenantChange, guard: (current: Tenant) => boolean, said = 'Saved.'): Promise<Managed<{ readonly said: string }>> {
  return saying(await updateTenant(call.ctx, tenantOf(call).slug, wanted, guard, call.administrator), said);
}

const changePeople = (call: ConsoleCall, people: Partial<PeopleSettings>, guard: (current: Tenant) => boolean): Promise<Managed<{ readonly said: string }>> => change(call, { people }, guard);

/** `CLAIM=SOURCE@PLACE,PLACE`, one a line. */
function readClaims(form: FormReader): Managed<readonly ClaimMapping[]> {
  const claims: ClaimMapping[] = [];
  for (const line of form.many('claims')) {
    const [, claim = '', source = '', places = ''] = /^([^=@]+)=([^@]+)@([^@]+)$/.exec(line) ?? [];
    const wanted = places.split(',').map((place) => place.trim());
    const targets = claimTargets.filter((target) => wanted.includes(target));
    const stray = wanted.find((place) => !claimTargets.some((target) => target === place));
    if (claim === '') return refused('invalid_request', `a claim is NAME=SOURCE@PLACES, like department=attribute:department@id_token, not ${JSON.stringify(line)}`, { member: 'claims' });
    if (stray !== undefined) return refused('invalid_request', `a claim appears in ${claimTargets.join(', ')}, not in ${JSON.stringify(stray)}`, { member: 'claims' });
    claims.push({ claim: claim.trim(), source: source.trim(), targets });
  }
  return done(claims);
}

/** A picture as pasted: SVG as it is, or a data URL, or base64. */
function readPicture(text: string): Managed<PeopleSettings['logo']> {
  const wrong = (fault: string): Managed<never> => refused('invalid_request', `the picture cannot be used: ${fault}`, { member: 'picture' });
  if (text === '') return wrong('there is none');
  const encoded = text.startsWith('<') ? null : text.replace(/^data:[^,]*,/, '').replaceAll(/\s+/g, '');
  if (encoded !== null && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return wrong('paste the text of an SVG, or a data URL in base64');
  const reading = readLogo(Buffer.from(text.startsWith('<') ? text : encoded ?? '', encoded === null ? 'utf8' : 'base64'));
  return reading.ok ? done(reading.logo) : wrong(reading.fault);
}

/** A value beside what its preset says. */
function besidePreset(text: Value, isPresets: boolean): Value {
  return isPresets ? text : row([text, badge('not the preset\'s', 'calm')]);
}

function behaviourFacts(tenant: Tenant, call: ConsoleCall): readonly FactGroup[] {
  const own = presets[tenant.preset];
  const is = (name: 'introspectionPolicy' | 'revocationPolicy' | 'refreshRevocation' | 'shape', text: Value = tenant[name]): Value => besidePreset(text, tenant[name] === own[name]);
  const home = own.layout ?? (tenant.host === null ? 'realm' : 'root');
  return [
    { title: 'Where it lives', facts: [
      ['Slug', mono(tenant.slug, true)], ['Name', tenant.name], ['Issuer', mono(homeOf(call, tenant).issuer, true)], ['Layout', tenant.slug === DEFAULT_TENANT ? row([tenant.layout, soft('the server\'s own origin; it cannot move')]) : besidePreset(tenant.layout, tenant.layout === home)],
      ['Hostname', mono(tenant.host)], ['Created', time(tenant.createdAtMs)], ...(tenant.notBeforeMs === 0 ? [] : [['Tokens void that were issued before', time(tenant.notBeforeMs)] as const]),
    ] },
    { title: 'Behaviour', explain: `The preset ${tenant.preset} decided these when it was chosen; what was changed since is marked.`, links: editLink(call, 'preset', 'Change preset'), facts: [
      ['Preset', tenant.preset], ['Introspection policy', is('introspectionPolicy', row([tenant.introspectionPolicy, ...(tenant.introspectionPolicyMode === 'report' ? [badge('only reported', 'warn')] : [])]))],
      ['Revocation policy', is('revocationPolicy')], ['A revoked refresh token ends', is('refreshRevocation', `the ${tenant.refreshRevocation}`)], ['Form of introspection answers', is('shape')],
      ['Default audience', besidePreset(`the ${tenant.defaultAudience}`, tenant.defaultAudience === own.defaultAudience)], ['Signing algorithm', tenant.algorithm],
      ['Access tokens live', besidePreset(duration(tenant.accessTokenTtl), tenant.accessTokenTtl === own.accessTokenTtl)], ['Refresh tokens live', besidePreset(duration(tenant.refreshTokenTtl), tenant.refreshTokenTtl === own.refreshTokenTtl)],
    ] },
  ];
}

function editLink(call: ConsoleCall, name: string, text = 'Edit'): readonly ActionLink[] {
  return may(call, 'tenants', 'write') ? [{ text, href: tenantPath(tenantOf(call).slug, 'settings', name), tone: 'plain' }] : [];
}

function lookFacts({ people, slug }: Tenant, call: ConsoleCall): FactGroup {
  const palettes = choosePalettes(people.color);
  const worded = Object.entries(people.messages).filter(([, texts]) => Object.keys(texts).length > 0);
  return { title: 'Look of its pages', links: [...editLink(call, 'color', 'Color'), ...editLink(call, 'logo', 'Logo'), { text: 'Wording', href: tenantPath(slug, 'wording'), tone: 'plain' }], facts: [
    ['Color', people.color === null ? soft('the usual one') : mono(people.color)],
    ['Buttons in it, light and dark', row([{ kind: 'sample', text: 'Sign in', page: grounds.light[0], ...palettes.light }, { kind: 'sample', text: 'Sign in', page: grounds.dark[0], ...palettes.dark }])],
    ['Logo', people.logo === null ? soft('none: the name stands there') : list([{ kind: 'picture', src: `data:${people.logo.type};base64,${people.logo.base64}`, alt: 'The logo' }, soft(`${people.logo.type}, ${logoBytes(people.logo)} bytes`)])],
    ['Own wording', worded.length === 0 ? soft('none') : worded.map(([locale, texts]) => `${counted(Object.keys(texts).length, 'text')} (${locale})`).join(', ')],
  ] };
}

function factsOf(tenant: Tenant, call: ConsoleCall): readonly FactGroup[] {
  const { people, operations: { keyRotationDays, auditRetentionDays, limits } } = tenant;
  const ways = [...(people.passwords ? ['password'] : []), ...(people.emailCodes ? ['code by mail'] : []), ...(people.passkeys ? ['passkey'] : [])];
  const limit = (value: number | null): Value => (value === null ? soft('as many as come') : String(value));
  return [
    ...behaviourFacts(tenant, call),
    { title: 'Signing in', links: editLink(call, 'sign-in'), facts: [
      ['With', ways.join(', ')], ['Strangers may make accounts', yesNo(people.registration)], ['Shortest new password', `${people.passwordMinLength} characters`],
      ['A sign-in lasts without a visit', duration(people.sessionIdleTtl)], ['A sign-in lasts at most', duration(people.sessionTtl)],
    ] },
    lookFacts(tenant, call),
    { title: 'Claims', explain: 'What tokens and answers say of people beyond the standard claims.', links: editLink(call, 'claims'), facts: people.claims.length === 0
      ? [['Own claims', soft('none')]] : people.claims.map(({ claim, source, targets }) => [claim, row([mono(source), soft('in'), targets.join(', ').replaceAll('_', ' ')])] as const) },
    { title: 'Operation', links: editLink(call, 'operation'), facts: [
      ['Signing keys are rotated after', keyRotationDays === null ? soft('only by hand') : row([counted(keyRotationDays, 'day'), ...(may(call, 'keys', 'read') ? [link('Keys', tenantPath(tenant.slug, 'keys'))] : [])])], ['Audit events are kept for', auditRetentionDays === null ? soft('ever, unless the server says otherwise') : counted(auditRetentionDays, 'day')],
      ['Requests per minute, all callers', limit(limits.tenant)], ['Of one client', limit(limits.client)], ['From one address', limit(limits.address)], ['Tries to sign in to one account', limit(limits.account)],
    ] },
  ];
}

/** A section of the settings, with a form of its own. */
function section(action: Pick<ActionRow<Tenant>, 'name' | 'label' | 'fields' | 'values' | 'act'> & Partial<ActionRow<Tenant>>): ActionRow<Tenant> {
  return { says: () => [], button: false, tone: 'main', ...action };
}

const flag = (on: boolean): string => (on ? 'yes' : '');
const text = (value: number | null): string => (value === null ? '' : String(value));

const sections: readonly ActionRow<Tenant>[] = [
  section({
    name: 'preset', label: 'Change preset', fields: [{ name: 'preset', label: 'Preset', type: 'choice', choices: presetChoices }], values: ({ preset }) => ({ preset }),
    says: () => ['Choosing one sets everything that it says, whatever was set before; afterwards each can be changed again. Lifetimes count for new tokens. Another layout changes the issuer, and tokens from before are void then.', ...presetNames.map((name) => `${name}: ${presetInWords(name)}.`)],
    async act(call, _, form, guard) {
      const preset = form.choice('preset', presetNames);
      return preset === null ? refused('invalid_request', 'choose one', { member: 'preset' }) : change(call, { preset }, guard, `The tenant is set as ${preset} says.`);
    },
  }),
  section({
    name: 'sign-in', label: 'Signing in', fields: waysField,
    values: ({ people }) => ({ passwords: flag(people.passwords), emailCodes: flag(people.emailCodes), passkeys: flag(people.passkeys), registration: flag(people.registration), passwordMinLength: String(people.passwordMinLength), sessionIdleTtl: String(people.sessionIdleTtl), sessionTtl: String(people.sessionTtl) }),
    act: (call, { people }, form, guard) => changePeople(call, {
      passwords: form.on('passwords'), emailCodes: form.on('emailCodes'), passkeys: form.on('passkeys'), registration: form.on('registration'),
      passwordMinLength: form.number('passwordMinLength') ?? people.passwordMinLength, sessionIdleTtl: form.number('sessionIdleTtl') ?? people.sessionIdleTtl, sessionTtl: form.number('sessionTtl') ?? people.sessionTtl,
    }, guard),
  }),
  section({
    name: 'color', label: 'Color', fields: [{ name: 'color', label: 'Color of buttons and links', type: 'text', placeholder: '#1a7f64', help: '#rrggbb. Words on it are black or white, whichever can be read; links are darkened or lightened until they can. Empty: the usual one.' }],
    values: ({ people }) => ({ color: people.color ?? '' }), act: (call, _, form, guard) => changePeople(call, { color: form.orNull('color')?.toLowerCase() ?? null }, guard),
  }),
  {
    name: 'logo', label: 'Logo', tone: 'main', button: false, says: ({ people }) => [people.logo === null ? 'There is none now.' : `There is one now: ${people.logo.type}, ${logoBytes(people.logo)} bytes. What you paste replaces it.`],
    fields: [
      { name: 'picture', label: 'Picture', type: 'block', placeholder: '<svg xmlns="http://www.w3.org/2000/svg" …', help: `The text of an SVG, or PNG, JPEG or WebP as a data URL (data:image/png;base64,…). Up to about 40 KiB here; the command line and the admin API take ${MOST_LOGO_BYTES / 1024} KiB.` },
      { name: 'remove', label: 'Take the picture away', type: 'check' },
    ],
    async act(call, _, form) {
      if (form.on('remove')) return form.text('picture') === '' ? changePeople(call, { logo: null }, () => true) : refused('invalid_request', 'either paste a picture, or take it away', { member: 'remove' });
      const logo = readPicture(form.text('picture'));
      return logo.ok ? changePeople(call, { logo: logo.value }, () => true) : logo;
    },
  },
  section({
    name: 'claims', label: 'Claims', says: () => ['Sources are attribute:NAME (a user\'s attribute), org.name, roles and permissions (of the organization that a token speaks of). Places are id_token, access_token, introspection and userinfo.'],
    fields: [{ name: 'claims', label: 'Own claims', type: 'lines', placeholder: 'department=attribute:department@id_token,introspection\nroles=roles@access_token', help: 'NAME=SOURCE@PLACES, one a line. Together they replace the former.' }],
    values: ({ people }) => ({ claims: people.claims.map(({ claim, source, targets }) => `${claim}=${source}@${targets.join(',')}`).join('\n') }),
    async act(call, _, form, guard) {
      const claims = readClaims(form);
      return claims.ok ? changePeople(call, { claims: claims.value }, guard) : claims;
    },
  }),
  section({
    name: 'operation', label: 'Operation', fields: operationFields,
    values: ({ operations: { keyRotationDays, auditRetentionDays, limits } }) => ({ keyRotationDays: text(keyRotationDays), auditRetentionDays: text(auditRetentionDays), tenant: text(limits.tenant), client: text(limits.client), address: text(limits.address), account: text(limits.account) }),
    act: (call, _, form, guard) => change(call, { operations: {
      keyRotationDays: form.number('keyRotationDays'), auditRetentionDays: form.number('auditRetentionDays'),
      limits: { tenant: form.number('tenant'), client: form.number('client'), address: form.number('address'), account: form.number('account') },
    } }, guard),
  }),
];

const ends: readonly ActionRow<Tenant>[] = [
  {
    name: 'disable', label: 'Disable', serverOnly: true, recent: true, when: ({ disabledAtMs }) => disabledAtMs === null,
    says: ({ name }) => [`Nobody signs in at ${name} any more, no client gets tokens or asks about any, and every token of it is void from now on; those stay void when it is enabled again.`],
    act: async (call, { slug, name }) => saying(await setTenantEnabled(call.ctx, slug, false), `${name} is disabled.`),
  },
  {
    name: 'enable', label: 'Enable', serverOnly: true, recent: true, when: ({ disabledAtMs }) => disabledAtMs !== null, says: () => ['It works again. Tokens from before stay void.'],
    act: async (call, { slug, name }) => saying(await setTenantEnabled(call.ctx, slug, true), `${name} is enabled.`),
  },
  {
    name: 'revoke-tokens', label: 'Revoke all tokens', tone: 'danger', area: 'tokens', recent: true, says: () => ['Every token that it issued so far, to whichever client and for whichever person, is void at once. New ones can be had at once.'],
    act: async (call, { slug, name }) => saying(await revokeTenantTokens(call.ctx, slug), `Every token of ${name} from before now is void.`),
  },
  {
    name: 'delete', label: 'Delete', tone: 'danger', serverOnly: true, recent: true, when: ({ slug }) => slug !== DEFAULT_TENANT, back: () => consolePath('tenants'),
    says: ({ name, slug }) => [`${name} goes for good: its clients with their secrets, its users, its keys. Every token of it is void at once.`, `To show that you mean it, type its slug: ${slug}`],
    fields: [{ name: 'slug', label: 'Slug', type: 'text', required: true }],
    async act(call, { slug, name }, form) {
      if (form.text('slug') !== slug) return refused('invalid_request', `that is not its slug, which is ${slug}`, { member: 'slug' });
      return saying(await deleteTenant(call.ctx, slug), `${name} was deleted.`);
    },
  },
];

export const tenantSettingsResource = resource<Tenant>({
  name: 'settings', at: 'tenant', area: 'tenants', icon: 'gear', title: 'Settings', one: 'tenant', single: true,
  explain: 'What this tenant is, how it behaves, and how its pages look.', empty: '', columns: [],
  list: () => ({ items: [], next: null }),
  id: ({ slug }) => slug, label: ({ name }) => name, state: ({ disabledAtMs }) => enabledBadge(disabledAtMs === null),
  load: async (call) => done(tenantOf(call)),
  facts: factsOf,
  fields: [{ name: 'name', label: 'Name', type: 'text', required: true, help: 'What people see when they sign in.' }, ...behaviourFields()],
  values: fillBehaviour,
  async update(call, tenant, form, guard) {
    const { algorithm, ...wanted } = readBehaviour(form);
    return updateTenant(call.ctx, tenant.slug, { ...wanted, ...(algorithm !== undefined && algorithm !== tenant.algorithm && { algorithm }) }, guard, call.administrator);
  },
  actions: [...sections, ...ends],
});
