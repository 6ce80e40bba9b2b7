import { issuerOf } from '../core/issuer.ts';
import {
  introspectionPolicies, layoutNames, policyModes, presetNames, refreshRevocations, revocationPolicies, shapeNames, type Tenant,
} from '../core/model.ts';
import type { OperationsSettings, RequestLimits } from '../core/operations-settings.ts';
import type { TenantChange } from '../core/tenant-settings.ts';
import { createTenant, deleteTenant, requireTenant, revokeTenantTokens, setTenantEnabled, updateTenant } from '../service/manage-tenants.ts';
import { signingAlgorithms } from '../spec/names.ts';
import { withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { given, type Flags } from './flags.ts';
import { peopleFacts, peopleFlags, readPeople } from './people-flags.ts';
import { tenantDocument, tenantUrls } from '../service/documents.ts';
import { block, showSeconds, showTime, table } from './text.ts';

const slug = ['<SLUG>', 'the tenant, as `assay tenant list` shows it'] as const;

const changes: readonly FlagRow[] = [
  ['--name <NAME>', 'name for people'],
  ['--preset <PRESET>', `named row of settings: ${presetNames.join(', ')}`],
  ['--layout <LAYOUT>', `home layout, where its issuer lives: ${layoutNames.join(', ')} (default: the preset's)`],
  ['--host <HOSTNAME[:PORT]>', 'hostname of its own; needed at the layout root'],
  ['--introspection-policy <POLICY>', `whose tokens a caller may learn about: ${introspectionPolicies.join(', ')}`],
  ['--introspection-policy-mode <MODE>', `${policyModes.join(' or ')}; report answers as policy tenant would, and records what it would have refused`],
  ['--revocation-policy <POLICY>', `whose tokens a caller may revoke: ${revocationPolicies.join(', ')}`],
  ['--refresh-revocation <WHAT>', `what ends with a revoked refresh token: ${refreshRevocations.join(', ')}`],
  ['--shape <SHAPE>', `form of answers: ${shapeNames.join(', ')}`],
  ['--alg <ALG>', `algorithm that signs its tokens: ${signingAlgorithms.join(', ')}`],
  ['--access-token-ttl <SECONDS>', 'lifetime of access tokens'],
  ['--refresh-token-ttl <SECONDS>', 'lifetime of refresh tokens, counted from the first'],
  ['--key-rotation-days <DAYS>', 'days after which the next key signs; "" for only by command'],
  ['--audit-retention-days <DAYS>', 'days for which its audit events are kept; "" for ever (default)'],
  ['--limit-tenant <N>', 'requests per minute of all callers together; "" for as many as come (default)'],
  ['--limit-client <N>', 'requests per minute of one client; "" for as many as come (default)'],
  ['--limit-address <N>', 'requests per minute from one address; "" for as many as come (default)'],
  ['--limit-account <N>', 'tries per minute to sign in to one account; "" for as many as come (default)'],
  ...peopleFlags,
];

function readOperations(flags: Flags): TenantChange['operations'] {
  const limits = given<Partial<RequestLimits>>({
    tenant: flags.wholeOrNull('limit-tenant'), client: flags.wholeOrNull('limit-client'), address: flags.wholeOrNull('limit-address'), account: flags.wholeOrNull('limit-account'),
  });
  const change = given<NonNullable<TenantChange['operations']>>({
    keyRotationDays: flags.wholeOrNull('key-rotation-days'), auditRetentionDays: flags.wholeOrNull('audit-retention-days'), limits: Object.keys(limits).length === 0 ? undefined : limits,
  });
  return Object.keys(change).length === 0 ? undefined : change;
}

function readChange(flags: Flags): TenantChange {
  return given<TenantChange>({
    name: flags.text('name'),
    preset: flags.oneOf('preset', presetNames),
    layout: flags.oneOf('layout', layoutNames),
    host: flags.clearable('host'),
    introspectionPolicy: flags.oneOf('introspection-policy', introspectionPolicies),
    introspectionPolicyMode: flags.oneOf('introspection-policy-mode', policyModes),
    revocationPolicy: flags.oneOf('revocation-policy', revocationPolicies),
    refreshRevocation: flags.oneOf('refresh-revocation', refreshRevocations),
    shape: flags.oneOf('shape', shapeNames),
    algorithm: flags.oneOf('alg', signingAlgorithms),
    accessTokenTtl: flags.seconds('access-token-ttl'),
    refreshTokenTtl: flags.seconds('refresh-token-ttl'),
    people: readPeople(flags),
    operations: readOperations(flags),
  });
}

async function show({ ctx, out }: Work, tenant: Tenant): Promise<void> {
  const origin = ctx.origin();
  const urls = tenantUrls(tenant, origin);
  await out.document(tenantDocument(tenant, origin));
  await out.print(block(out.styled, `tenant ${tenant.slug}${tenant.disabledAtMs === null ? '' : ' (disabled)'}`, [
    ['name', tenant.name],
    ['issuer', issuerOf(tenant, origin)],
    ['preset', `${tenant.preset}, at home in layout ${tenant.layout}`],
    ['hostname', tenant.host],
    ['introspection', `${tenant.introspectionPolicy}${tenant.introspectionPolicyMode === 'report' ? ' (report only: everything is answered)' : ''}, shape ${tenant.shape}`],
    ['revocation', `${tenant.revocationPolicy}; a refresh token takes its ${tenant.refreshRevocation} along`],
    ['access tokens', `${showSeconds(tenant.accessTokenTtl)}, ${tenant.algorithm}, aud is the ${tenant.defaultAudience === 'client' ? 'client id' : 'issuer'} by default`],
    ['refresh tokens', showSeconds(tenant.refreshTokenTtl)],
    ...peopleFacts(tenant.people),
    ...operationsFacts(tenant.operations),
    ['introspect', urls.introspect],
    ['revoke', urls.revoke],
    ['token', urls.token],
    ['keys', urls.jwks],
    ['created', showTime(tenant.createdAtMs)],
  ]));
}

/** How it is operated, where that is not as usual. */
function operationsFacts({ keyRotationDays, auditRetentionDays, limits }: OperationsSettings): readonly (readonly [name: string, value: string | null])[] {
  const limited = Object.entries(limits).filter(([, most]) => most !== null).map(([name, most]) => `${name} ${most}`);
  return [
    ['key rotation', keyRotationDays === null ? 'by command' : `every ${keyRotationDays} d`], ['audit kept', auditRetentionDays === null ? null : `${auditRetentionDays} d`],
    ['requests/min', limited.length === 0 ? null : limited.join(', ')],
  ];
}

const switchTenant = (enabled: boolean): CommandRow['run'] => (call) => withData(call, async (work) => {
  await show(work, work.take(await setTenantEnabled(work.ctx, work.arg(0), enabled)));
});

/** `assay tenant …` */
export const tenantCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Create a tenant: its own issuer, keys, clients and users', args: [['<SLUG>', 'its name in paths: a-z, 0-9 and "-"']], flags: changes,
    notes: 'Examples:\n  assay tenant create acme\n  assay tenant create shop --preset kotauth\n  assay tenant create login --preset workos --host login.example.com\n'
      + '  assay tenant create intranet --email-codes off --color "#1a7f64" --claim department=attribute:department@id_token,introspection',
    run: (call) => {
      const change = readChange(call.flags);
      return withData(call, async (work) => show(work, work.take(await createTenant(work.ctx, work.arg(0), change))));
    },
  },
  {
    name: 'list', summary: 'List all tenants',
    run: (call) => withData(call, async ({ ctx, out }) => {
      const tenants = await ctx.store.listTenants();
      const origin = ctx.origin();
      await out.document({ items: tenants.map((tenant) => tenantDocument(tenant, origin)) });
      await out.print(table(out.styled, ['SLUG', 'PRESET', 'LAYOUT', 'STATE', 'ISSUER'], tenants.map((tenant) => [
        tenant.slug, tenant.preset, tenant.layout, tenant.disabledAtMs === null ? 'enabled' : 'disabled', issuerOf(tenant, origin),
      ])));
    }),
  },
  {
    name: 'show', summary: 'Show a tenant with everything that its preset set', args: [slug],
    run: (call) => withData(call, async (work) => show(work, work.take(await requireTenant(work.ctx, work.arg(0))))),
  },
  {
    name: 'update', summary: 'Change a tenant; what is not named stays', args: [slug], flags: changes,
    notes: 'A preset sets its whole row again, and flags beside it go over the row. --host "" gives the hostname up.',
    run: (call) => {
      const change = readChange(call.flags);
      return withData(call, async (work) => show(work, work.take(await updateTenant(work.ctx, work.arg(0), change))));
    },
  },
  { name: 'disable', summary: 'Suspend a tenant; its tokens are dead for good', args: [slug], run: switchTenant(false) },
  { name: 'enable', summary: 'Let a suspended tenant work again; its old tokens stay dead', args: [slug], run: switchTenant(true) },
  {
    name: 'revoke-tokens', summary: 'Revoke every token that a tenant issued so far; new ones may be issued at once', args: [slug], flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Revoke every token of the tenant ${call.args[0] ?? ''}? Everybody has to sign in again.`);
      return withData(call, async ({ ctx, out, take, arg }) => {
        take(await revokeTenantTokens(ctx, arg(0)));
        await out.document({ ok: true });
        await out.print(`Revoked every token of the tenant ${arg(0)} so far.`);
      });
    },
  },
  {
    name: 'delete', summary: 'Delete a tenant with its secrets and keys', args: [slug], flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the tenant ${call.args[0] ?? ''}, its clients, users and keys? All its tokens die at once.`);
      return withData(call, async ({ ctx, out, take, arg }) => {
        take(await deleteTenant(ctx, arg(0)));
        await out.document({ ok: true });
        await out.print(`Deleted tenant ${arg(0)}.`);
      });
    },
  },
];
