import { applyClientChange, findClientFault, makeClient, type ClientChange } from '../../core/client-settings.ts';
import { findSecretFault } from '../../core/identifiers.ts';
import { refusalOf, remarkOn, type ImportedClient, type ImportRemark } from '../../core/imported.ts';
import type { Client, Tenant } from '../../core/model.ts';
import type { Context } from '../context.ts';
import { createClient, rotateSecret, setClientEnabled, updateClient } from '../manage-clients.ts';
import { changedNames, type Managed } from '../manage-outcome.ts';
import { knowsSecret } from '../manage-secrets.ts';
import { did, refusedBy, type Done } from './done.ts';

/** Entries of a client that may be left out for their faults; more are no export's. */
const MOST_FAULTS = 200;

/** A change without one of its members, or without one entry of a list; null: that cannot be left out. */
function without(change: ClientChange, member: string): ClientChange | null {
  const [name = '', index] = member.split('.');
  switch (name) {
    case 'redirectUris':
    case 'postLogoutRedirectUris':
    case 'audience': {
      return index === undefined ? null : { ...change, [name]: change[name]?.filter((_, at) => at !== Number(index)) ?? [] };
    }
    case 'backchannelLogoutUri': {
      const { backchannelLogoutUri: _gone, ...rest } = change;
      return rest;
    }
    case 'name': {
      const { name: _gone, ...rest } = change;
      return rest;
    }
    default:
      return null;
  }
}

/** What of a change can be had, and what was left out of it. */
function fit(base: Client, wanted: ClientChange, loopback: boolean, about: string): { readonly change: ClientChange; readonly remarks: readonly ImportRemark[] } {
  const remarks: ImportRemark[] = [];
  let change = wanted;
  while (remarks.length < MOST_FAULTS) {
    const fault = findClientFault(applyClientChange(base, change), loopback);
    const less = fault?.member === null || fault?.member === undefined ? null : without(change, fault.member);
    // What is left to be refused, the act refuses.
    if (fault === null || less === null) break;
    // As it stands in one's own settings, or as a whole: the same again would go on for ever.
    if (changedNames(change, less) === null && Object.keys(change).length === Object.keys(less).length) break;
    change = less;
    remarks.push(remarkOn(about, `left out: ${fault.description}`));
  }
  return { change, remarks };
}

async function changeExisting(ctx: Context, tenant: Tenant, existing: Client, thing: ImportedClient, secret: string | null, about: string): Promise<Done> {
  const { change: fitting, remarks } = fit(existing, { ...thing.change, public: thing.public }, ctx.origin().loopback, about);
  const steps: (() => Promise<Managed<unknown>>)[] = [];
  if (changedNames(existing, applyClientChange(existing, fitting)) !== null) steps.push(() => updateClient(ctx, tenant, thing.id, fitting));
  if (secret !== null && !(await knowsSecret(ctx, existing, secret))) steps.push(() => rotateSecret(ctx, tenant, thing.id, { supplied: secret, ttl: null }, 0));
  // What was suspended here stays so, whatever another server says.
  if (!thing.enabled && existing.disabledAtMs === null) steps.push(() => setClientEnabled(ctx, tenant, thing.id, false));
  for (const step of steps) {
    const outcome = await step();
    if (!outcome.ok) return refusedBy('client', about, outcome);
  }
  return did(steps.length === 0 ? 'left' : 'changed', remarks);
}

/** Creates a client, or changes one that is there. @throws StoreError */
export async function importClient(ctx: Context, tenant: Tenant, thing: ImportedClient, update: boolean): Promise<Done> {
  const about = `client ${thing.id}`;
  const existing = await ctx.store.findClient(tenant.id, thing.id);
  const isLive = existing !== null && existing.deletedAtMs === null;
  if (isLive && !update) return did('left');
  const fault = thing.secret === null ? null : findSecretFault(thing.secret);
  const secret = fault === null && !thing.public ? thing.secret : null;
  const remarks = fault === null ? [] : [remarkOn(about, `its secret cannot be kept (${fault}), so it has none; rotate it`)];
  if (isLive) {
    const changed = await changeExisting(ctx, tenant, existing, thing, secret, about);
    return { ...changed, remarks: [...remarks, ...changed.remarks] };
  }
  const blank = makeClient({ tenantId: tenant.id, id: thing.id, public: thing.public, nowMs: ctx.clock.now() }, {});
  const fitting = fit(blank, thing.change, ctx.origin().loopback, about);
  const outcome = await createClient(ctx, tenant, {
    id: thing.id, public: thing.public, change: fitting.change, enabled: thing.enabled, secret: secret === null ? null : { supplied: secret, ttl: null },
  });
  if (!outcome.ok) return { outcomes: [], remarks: [refusalOf('client', about, outcome.description)] };
  const { grants, redirectUris } = outcome.value.client;
  const lost = grants.includes('authorization_code') && redirectUris.length === 0;
  return did('created', [...remarks, ...fitting.remarks, ...(lost ? [remarkOn(about, 'it has no redirect URI, so nobody can sign in there yet')] : [])]);
}
