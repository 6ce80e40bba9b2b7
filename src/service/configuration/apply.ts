import { auditEvent } from '../../core/audit-event.ts';
import type { ClientChange } from '../../core/client-settings.ts';
import { planConfiguration, secretKey, type Difference, type Plan } from '../../core/configuration/difference.ts';
import { mergeTenantChanges, type ResourceMembers, type RoleMembers, type WebhookMembers } from '../../core/configuration/fields.ts';
import { readConfiguration, type Configuration, type Entry, type TenantEntry } from '../../core/configuration/read.ts';
import type { Tenant } from '../../core/model.ts';
import type { SettingCall } from '../../core/operations-store.ts';
import { DEFAULT_TENANT } from '../../core/tenant-settings.ts';
import type { Context } from '../context.ts';
import { createClient, deleteClient, rotateSecret, updateClient } from '../manage-clients.ts';
import { done, refused, warningsOf, type Managed, type Warning } from '../manage-outcome.ts';
import { knowsSecret } from '../manage-secrets.ts';
import { createResource, deleteResource, updateResource } from '../manage-resources.ts';
import { createRole, deleteRole, updateRole } from '../manage-roles.ts';
import { createTenant, deleteTenant, requireTenant, updateTenant } from '../manage-tenants.ts';
import { exportConfiguration } from './export.ts';
import { makeRecorder } from './recorder.ts';
import { SECRET_UNKNOWN, applyWebhook, hasWebhookSecret } from './webhooks.ts';

/** Secrets that a file refers to, in the clear, by `secretKey`. */
export type Secrets = ReadonlyMap<string, string>;

/** What a file wants, and how. */
export type Wish = { readonly configuration: Configuration; readonly secrets: Secrets; readonly prune: boolean };

/** So many warnings of one kind are told one by one. */
const MOST_SINGLE = 3;

const keep: ReadonlySet<string> = new Set([DEFAULT_TENANT]);

/** Things whose secret is not the one that the file refers to. */
async function findStale(ctx: Context, { configuration, secrets }: Wish): Promise<ReadonlySet<string>> {
  const stale = new Set<string>();
  for (const { name: slug, clients, webhooks } of configuration.tenants) {
    const tenant = await ctx.store.findTenant({ slug });
    if (tenant === null || tenant.deletedAtMs !== null) continue;
    for (const { name } of clients ?? []) {
      const key = secretKey('client', slug, name);
      const text = secrets.get(key);
      const client = text === undefined ? null : await ctx.store.findClient(tenant.id, name);
      if (text !== undefined && client !== null && client.deletedAtMs === null && !(await knowsSecret(ctx, client, text))) stale.add(key);
    }
    const known = await ctx.store.listWebhooks(tenant.id);
    for (const { name } of webhooks ?? []) {
      const key = secretKey('webhook', slug, name);
      const text = secrets.get(key);
      const webhook = known.find((one) => one.name === name);
      if (text !== undefined && webhook !== undefined && !hasWebhookSecret(ctx, webhook, text)) stale.add(key);
    }
  }
  return stale;
}

/** What would have to change so that everything is as the file wants it. Changes nothing. @throws StoreError */
export async function planChanges(ctx: Context, wish: Wish): Promise<Managed<Plan>> {
  const current = readConfiguration((await exportConfiguration(ctx)).value);
  if (!current.ok) {
    const [problem] = current.problems;
    return refused('conflict', `what there is cannot be compared with a file: ${problem?.place.join('.') ?? ''} ${problem?.text ?? ''}`);
  }
  return done(planConfiguration(current.configuration, wish.configuration, { prune: wish.prune, keep, staleSecrets: await findStale(ctx, wish) }));
}

/** The changes of the members that differ; of all that are named where a preset sets its row again first. */
function changesOf<Change>(entry: Entry<Change>, difference: Difference): readonly Change[] {
  const preset = difference.members.some(({ name }) => name === 'preset');
  const names = preset ? Object.keys(entry.members) : difference.members.map(({ name }) => name);
  return names.flatMap((name) => {
    const change = entry.changes.get(name);
    return change === undefined ? [] : [change];
  });
}

type Step = { readonly ctx: Context; readonly difference: Difference; readonly entry: TenantEntry | null; readonly secret: string | null };

async function applyTenant({ ctx, difference, entry }: Step): Promise<Managed<unknown>> {
  if (entry === null || difference.action === 'delete') return deleteTenant(ctx, difference.tenant);
  const change = mergeTenantChanges(changesOf(entry, difference));
  return difference.action === 'create' ? createTenant(ctx, difference.tenant, change) : updateTenant(ctx, difference.tenant, change);
}

async function applyClient({ ctx, difference, secret }: Step, tenant: Tenant, entry: Entry<ClientChange> | undefined): Promise<Managed<unknown>> {
  const { name, action } = difference;
  if (entry === undefined) return deleteClient(ctx, tenant, name);
  const change = changesOf(entry, difference).reduce((all, one) => ({ ...all, ...one }), {});
  if (action === 'create') {
    const created = await createClient(ctx, tenant, { id: name, public: change.public ?? false, change, secret: { supplied: secret, ttl: null } });
    // A secret that nobody was shown helps nobody.
    return !created.ok || secret !== null || created.value.secret === null ? created : done(null, [
      ...warningsOf(created), `the client ${tenant.slug}/${name}${SECRET_UNKNOWN}`,
    ]);
  }
  if (difference.members.length > 0) {
    const updated = await updateClient(ctx, tenant, name, change);
    if (!updated.ok || secret === null || !difference.secret) return updated;
  }
  return secret === null ? done(null) : rotateSecret(ctx, tenant, name, { supplied: secret, ttl: null }, 0);
}

async function applyResource({ ctx, difference }: Step, tenant: Tenant, entry: Entry<ResourceMembers> | undefined): Promise<Managed<unknown>> {
  const { name, action } = difference;
  if (entry === undefined) return deleteResource(ctx, tenant, name);
  const change = changesOf(entry, difference).reduce((all, one) => ({ ...all, ...one }), {});
  return action === 'create'
    ? createResource(ctx, tenant, { uri: name, scopes: change.scopes ?? [], owner: change.owner ?? null, tokenFormat: change.tokenFormat ?? null })
    : updateResource(ctx, tenant, name, change);
}

async function applyRole({ ctx, difference }: Step, tenant: Tenant, entry: Entry<RoleMembers> | undefined): Promise<Managed<unknown>> {
  const { name, action } = difference;
  if (entry === undefined) return deleteRole(ctx, tenant, name);
  const { permissions = [] } = changesOf(entry, difference)[0] ?? {};
  return action === 'create' ? createRole(ctx, tenant, name, permissions) : updateRole(ctx, tenant, name, permissions);
}

async function applyOne(step: Step): Promise<Managed<unknown>> {
  const { ctx, difference, entry } = step;
  if (difference.kind === 'tenant') return applyTenant(step);
  const found = await requireTenant(ctx, difference.tenant);
  if (!found.ok) return found;
  const tenant = found.value;
  const wanted = <Change>(list: readonly Entry<Change>[] | null | undefined): Entry<Change> | undefined =>
    (difference.action === 'delete' ? undefined : list?.find(({ name }) => name === difference.name));
  switch (difference.kind) {
    case 'client':
      return applyClient(step, tenant, wanted(entry?.clients));
    case 'resource':
      return applyResource(step, tenant, wanted(entry?.resources));
    case 'role':
      return applyRole(step, tenant, wanted(entry?.roles));
    case 'webhook':
      return applyWebhook(ctx, tenant, difference, wanted<WebhookMembers>(entry?.webhooks), step.secret);
  }
}

/**
 * Makes everything as the file wants it: all of it in one transaction, or nothing. Done twice, the second time finds
 * nothing to do. @throws StoreError
 */
export async function applyChanges(ctx: Context, wish: Wish): Promise<Managed<Plan>> {
  const planned = await planChanges(ctx, wish);
  if (!planned.ok) return planned;
  const { differences } = planned.value;
  if (differences.length === 0) return planned;
  const rehearsed = await recordChanges(ctx, wish, differences);
  if (!rehearsed.ok) return rehearsed;
  const made = await ctx.store.together(rehearsed.value, [auditEvent({
    timeMs: ctx.clock.now(), type: 'configuration_applied', ...ctx.by, reason: countByAction(differences),
  })]);
  return made === 'updated' ? done(planned.value, foldSecretWarnings(warningsOf(rehearsed))) : refused('conflict', 'somebody else changed something at the same time, so nothing was applied; look at the plan, and try again');
}

/** The plan, and whether it could be applied: what applying would refuse is refused. Changes nothing. @throws StoreError */
export async function rehearseChanges(ctx: Context, wish: Wish): Promise<Managed<Plan>> {
  const planned = await planChanges(ctx, wish);
  if (!planned.ok) return planned;
  const rehearsed = await recordChanges(ctx, wish, planned.value.differences);
  return rehearsed.ok ? planned : rehearsed;
}

/** Lets every act work on a recorder. @returns the calls that together make the changes */
async function recordChanges(ctx: Context, wish: Wish, differences: readonly Difference[]): Promise<Managed<readonly SettingCall[]>> {
  const recorder = makeRecorder(ctx.store);
  const recording: Context = { ...ctx, store: recorder.store };
  const warnings: (string | Warning)[] = [];
  for (const difference of differences) {
    const entry = wish.configuration.tenants.find(({ name }) => name === difference.tenant) ?? null;
    const secret = wish.secrets.get(secretKey(difference.kind, difference.tenant, difference.name)) ?? null;
    const outcome = await applyOne({ ctx: recording, difference, entry, secret });
    if (!outcome.ok) return { ...outcome, description: `${describe(difference)}: ${outcome.description}` };
    warnings.push(...warningsOf(outcome));
  }
  return done(recorder.calls, warnings);
}

function describe({ kind, tenant, name }: Difference): string {
  return kind === 'tenant' ? `tenant ${name}` : `${kind} ${tenant}/${name}`;
}

/** A whole server that was taken over has many of them: then they are told in one. */
function foldSecretWarnings(warnings: readonly (string | Warning)[]): readonly (string | Warning)[] {
  const isUnknown = (warning: string | Warning): warning is string => typeof warning === 'string' && warning.endsWith(SECRET_UNKNOWN);
  const unknown = warnings.filter(isUnknown);
  if (unknown.length <= MOST_SINGLE) return warnings;
  const names = unknown.slice(0, MOST_SINGLE).map((warning) => warning.slice(0, -SECRET_UNKNOWN.length));
  return [
    ...warnings.filter((warning) => !isUnknown(warning)),
    `${unknown.length} clients and webhooks have secrets that nobody knows: ${names.join(', ')}, …; refer to them in the file, or rotate them`,
  ];
}

function countByAction(differences: readonly Difference[]): string {
  return (['create', 'update', 'delete'] as const).map((action) => `${action}_${differences.filter((difference) => difference.action === action).length}`).join(' ');
}
