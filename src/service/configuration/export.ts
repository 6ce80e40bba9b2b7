import { clientFields, resourceFields, roleFields, showLogo, tenantFields, webhookFields } from '../../core/configuration/fields.ts';
import type { Json } from '../../core/configuration/json.ts';
import { CONFIGURATION_VERSION } from '../../core/configuration/read.ts';
import type { Tenant } from '../../core/model.ts';
import type { Webhook } from '../../core/webhook.ts';
import type { Context } from '../context.ts';
import { adminAudience } from '../admin-access.ts';
import { clientDocument, resourceDocument, roleDocument, tenantDocument } from '../documents.ts';

/** Everything that a file can say of this data, in the form of such a file; and what it cannot say. */
export type Export = { readonly value: Json; readonly remarks: readonly string[] };

/** A document's members that configuration has, in its order. */
function pick(document: object, fields: readonly { readonly name: string }[]): Record<string, Json> {
  const members = new Map<string, Json>(Object.entries(document));
  return Object.fromEntries(fields.flatMap(({ name }) => {
    const value = members.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

function tenantMembers(ctx: Context, tenant: Tenant): Record<string, Json> {
  const { logo } = tenant.people;
  return { ...pick(tenantDocument(tenant, ctx.origin()), tenantFields), logo: logo === null ? null : showLogo(logo) };
}

/** Webhooks as a file has them: their secrets stay here. */
function webhookMembers(webhook: Webhook): Record<string, Json> {
  return pick({ url: webhook.url, events: webhook.events, enabled: webhook.disabledAtMs === null }, webhookFields);
}

async function exportTenant(ctx: Context, tenant: Tenant, remarks: string[]): Promise<Json> {
  const clients = (await ctx.store.listClients(tenant.id)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  // Made by the program for itself; its address follows the origin.
  const own = adminAudience(ctx.origin());
  const resources = (await ctx.store.listResources(tenant.id)).filter(({ uri }) => uri !== own).toSorted((a, b) => (a.uri < b.uri ? -1 : 1));
  const roles = (await ctx.store.listRoles(tenant.id)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const webhooks = await ctx.store.listWebhooks(tenant.id);
  const twice = new Set(webhooks.map(({ name }) => name).filter((name, index, all) => all.indexOf(name) !== index));
  for (const name of twice) remarks.push(`the tenant ${tenant.slug} has several webhooks called ${JSON.stringify(name)}; a file cannot tell them apart, so they are left out`);
  return {
    slug: tenant.slug, ...tenantMembers(ctx, tenant),
    clients: clients.map((client) => {
      const { auth_method: method, ...members } = pick(clientDocument(client, tenant), clientFields);
      // Of a public client it says no more than that it is one.
      return { client_id: client.id, ...members, ...(!client.public && method !== undefined && { auth_method: method }) };
    }),
    resources: resources.map((resource) => ({ uri: resource.uri, ...pick(resourceDocument(resource, tenant), resourceFields) })),
    roles: roles.map((role) => ({ role: role.name, ...pick(roleDocument(role, tenant), roleFields) })),
    webhooks: webhooks.filter(({ name }) => !twice.has(name)).map((webhook) => ({ name: webhook.name, ...webhookMembers(webhook) })),
  };
}

/**
 * Writes down tenants with their settings, clients, resources, roles and webhooks. People, organizations and secrets are
 * not among them: a file in version control is no place for those.
 * @param slugs only these tenants; null: all. @throws StoreError
 */
export async function exportConfiguration(ctx: Context, slugs: readonly string[] | null = null): Promise<Export> {
  const remarks: string[] = [];
  const tenants: Json[] = [];
  for (const tenant of await ctx.store.listTenants()) {
    if (slugs === null || slugs.includes(tenant.slug)) tenants.push(await exportTenant(ctx, tenant, remarks));
  }
  return { value: { version: CONFIGURATION_VERSION, tenants }, remarks };
}
