import type { Client, Resource, Tenant } from '../../core/model.ts';
import type { SettingCall, SettingWrite } from '../../core/operations-store.ts';
import type { Role } from '../../core/people.ts';
import type { SigningKeyRow, Store } from '../../core/store.ts';
import type { Webhook } from '../../core/webhook.ts';

/**
 * A store that acts may work on as on the real one, while their changes are only written down: what they changed is what
 * they read from then on. The calls are done later, all in one transaction (`together`).
 */
export type Recorder = { readonly store: Store; readonly calls: readonly SettingCall[] };

const key = (tenantId: string, id: string): string => `${tenantId}\n${id}`;

/** What acts changed so far; null: it is gone. */
type Pending = {
  readonly tenants: Map<string, Tenant>;
  readonly clients: Map<string, Client>;
  readonly resources: Map<string, Resource | null>;
  readonly roles: Map<string, Role | null>;
  readonly webhooks: Map<string, Webhook | null>;
  /** By tenant: all of its keys. */
  readonly keys: Map<string, readonly SigningKeyRow[]>;
};

/** Writes down a call. Name, arguments and outcome belong to the same operation, which their types hold here already. */
function call<Name extends SettingWrite>(write: Name, given: Parameters<Store[Name]>, outcome: Awaited<ReturnType<Store[Name]>>): SettingCall {
  return { write, given, outcome } as unknown as SettingCall;
}

/** Starts to write down. Everything that acts on settings read or change is here; the rest is the real store's. */
export function makeRecorder(real: Store): Recorder {
  const calls: SettingCall[] = [];
  const pending: Pending = { tenants: new Map(), clients: new Map(), resources: new Map(), roles: new Map(), webhooks: new Map(), keys: new Map() };
  const note = <Name extends SettingWrite>(write: Name, given: Parameters<Store[Name]>, outcome: Awaited<ReturnType<Store[Name]>>): typeof outcome => {
    calls.push(call(write, given, outcome));
    return outcome;
  };
  return { calls, store: { ...real, ...reads(real, pending), ...tenantWrites(pending, note), ...thingWrites(real, pending, note), ...keyWrites(real, pending, note) } };
}

type Note = <Name extends SettingWrite>(write: Name, given: Parameters<Store[Name]>, outcome: Awaited<ReturnType<Store[Name]>>) => Awaited<ReturnType<Store[Name]>>;

type Reads = Pick<Store, 'findTenant' | 'findClient' | 'findResource' | 'listRoles' | 'listKeys' | 'findWebhook' | 'listWebhooks'>;

function reads(real: Store, { tenants, clients, resources, roles, webhooks, keys }: Pending): Reads {
  return {
    async findTenant(by) {
      const changed = [...tenants.values()].find((tenant) => ('id' in by ? tenant.id === by.id : 'slug' in by ? tenant.slug === by.slug : tenant.host === by.host));
      if (changed !== undefined) return changed;
      const found = await real.findTenant(by);
      // Somebody who was found by what they do not have any more is not there.
      return found === null || !tenants.has(found.id) ? found : null;
    },
    findClient: async (tenantId, id) => clients.get(key(tenantId, id)) ?? real.findClient(tenantId, id),
    async findResource(tenantId, uri) {
      const changed = resources.get(key(tenantId, uri));
      return changed === undefined ? real.findResource(tenantId, uri) : changed;
    },
    async listRoles(tenantId) {
      const all = new Map((await real.listRoles(tenantId)).map((role) => [key(tenantId, role.name), role]));
      for (const [name, role] of roles) {
        if (role === null) all.delete(name);
        else if (role.tenantId === tenantId) all.set(name, role);
      }
      return [...all.values()];
    },
    listKeys: async (tenantId) => keys.get(tenantId) ?? real.listKeys(tenantId),
    async findWebhook(id) {
      const changed = webhooks.get(id);
      return changed === undefined ? real.findWebhook(id) : changed;
    },
    async listWebhooks(tenantId) {
      const all = new Map((await real.listWebhooks(tenantId)).map((webhook) => [webhook.id, webhook]));
      for (const [id, webhook] of webhooks) {
        if (webhook === null) all.delete(id);
        else if (tenantId === undefined || webhook.tenantId === tenantId) all.set(id, webhook);
      }
      return [...all.values()];
    },
  };
}

function tenantWrites({ tenants, keys }: Pending, note: Note): Pick<Store, 'createTenant' | 'updateTenant' | 'deleteTenant'> {
  return {
    async createTenant(tenant, rows, audit) {
      tenants.set(tenant.id, tenant);
      keys.set(tenant.id, rows);
      return note('createTenant', [tenant, rows, audit], true);
    },
    async updateTenant(before, after, audit) {
      tenants.set(after.id, after);
      return note('updateTenant', [before, after, audit], 'updated');
    },
    deleteTenant: async (tenantId, atMs, audit) => note('deleteTenant', [tenantId, atMs, audit], undefined),
  };
}

type ThingWrites = Pick<
  Store,
  'createClient' | 'updateClient' | 'rotateSecret' | 'createResource' | 'updateResource' | 'deleteResource' | 'putRole' | 'deleteRole' | 'createWebhook' | 'updateWebhook' | 'deleteWebhook'
>;

function thingWrites(real: Store, { clients, resources, roles, webhooks }: Pending, note: Note): ThingWrites {
  return {
    async createClient(client, audit) {
      clients.set(key(client.tenantId, client.id), client);
      return note('createClient', [client, audit], true);
    },
    async updateClient(before, after, audit) {
      clients.set(key(after.tenantId, after.id), after);
      return note('updateClient', [before, after, audit], 'updated');
    },
    rotateSecret: async (tenantId, clientId, secret, endMs, audit) => note('rotateSecret', [tenantId, clientId, secret, endMs, audit], undefined),
    async createResource(resource, uri, audit) {
      resources.set(key(resource.tenantId, uri), resource);
      return note('createResource', [resource, uri, audit], true);
    },
    async updateResource(before, after, uri, audit) {
      resources.set(key(after.tenantId, uri), after);
      return note('updateResource', [before, after, uri, audit], 'updated');
    },
    async deleteResource(tenantId, uri, audit) {
      resources.set(key(tenantId, uri), null);
      return note('deleteResource', [tenantId, uri, audit], true);
    },
    async putRole(role, audit) {
      const known = roles.get(key(role.tenantId, role.name)) ?? (await real.listRoles(role.tenantId)).find(({ name }) => name === role.name);
      roles.set(key(role.tenantId, role.name), role);
      return note('putRole', [role, audit], known === undefined);
    },
    async deleteRole(tenantId, name, audit) {
      roles.set(key(tenantId, name), null);
      return note('deleteRole', [tenantId, name, audit], true);
    },
    async createWebhook(webhook, audit) {
      webhooks.set(webhook.id, webhook);
      return note('createWebhook', [webhook, audit], undefined);
    },
    async updateWebhook(before, after, audit) {
      webhooks.set(after.id, after);
      return note('updateWebhook', [before, after, audit], 'updated');
    },
    async deleteWebhook(id, audit) {
      webhooks.set(id, null);
      return note('deleteWebhook', [id, audit], true);
    },
  };
}

/** A tenant that gets another algorithm gets other keys. */
function keyWrites(real: Store, { keys }: Pending, note: Note): Pick<Store, 'addKey' | 'promoteKey' | 'revokeKey'> {
  const rowsOf = async (tenantId: string): Promise<readonly SigningKeyRow[]> => keys.get(tenantId) ?? await real.listKeys(tenantId);
  return {
    async addKey(row, audit) {
      keys.set(row.tenantId, [...await rowsOf(row.tenantId), row]);
      return note('addKey', [row, audit], true);
    },
    async promoteKey(promotion, audit) {
      const { tenantId, expectedActive, formerStatus, nextKid, newNext, atMs } = promotion;
      const rows = (await rowsOf(tenantId)).map((row): SigningKeyRow => (
        row.kid === expectedActive ? { ...row, status: formerStatus, retiredAtMs: atMs } : row.kid === nextKid ? { ...row, status: 'active', activatedAtMs: atMs } : row));
      keys.set(tenantId, [...rows, newNext]);
      return note('promoteKey', [promotion, audit], true);
    },
    async revokeKey(tenantId, kid, replacement, atMs, audit) {
      const rows = (await rowsOf(tenantId)).map((row): SigningKeyRow => (row.kid === kid ? { ...row, status: 'revoked', retiredAtMs: atMs } : row));
      keys.set(tenantId, replacement === null ? rows : [...rows, replacement]);
      return note('revokeKey', [tenantId, kid, replacement, atMs, audit], undefined);
    },
  };
}
