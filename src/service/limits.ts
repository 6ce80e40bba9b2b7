import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import { refusedBy, takeOne, type Bucket, type LimitStanding } from '../core/limits.ts';
import type { Client, Tenant } from '../core/model.ts';
import { networkOf } from '../core/network.ts';
import type { AuditQueue, Clock } from '../core/ports.ts';

/** How a request stands with the limits of its tenant. Empty: there are none. */
export type Limited = readonly LimitStanding[];

const unlimited: Limited = [];

/**
 * The limits that operators set for a tenant (RL-02). Counted in memory, by server; addresses are counted before anybody
 * proves who they are, tenant and client only afterwards: strangers use up nobody's allowance (RL-03).
 */
export type Limiter = {
  /** A request from an address, before it is looked at. */
  arrive(tenant: Tenant, from: RequestOrigin): Limited;
  /** A request of a client that proved who it is. */
  call(tenant: Tenant, client: Client, from: RequestOrigin): Limited;
  /** A try to sign in to an account. @param name what it is known by, as typed: names are counted, not accounts (UI-12) */
  tryAccount(tenant: Tenant, name: string, from: RequestOrigin): Limited;
};

/** Keys remembered, per generation: whatever strangers invent, it is not more (RL-04). */
const KEYS = 20_000;
const TENANTS = 5_000;

/** @param enabled false: nothing is limited */
export function makeLimiter(clock: Pick<Clock, 'now' | 'monotonic'>, audit: AuditQueue, enabled: boolean): Limiter {
  const tenants = new BoundedMap<string, Bucket>(TENANTS);
  const clients = new BoundedMap<string, Bucket>(KEYS);
  const addresses = new BoundedMap<string, Bucket>(KEYS);
  const accounts = new BoundedMap<string, Bucket>(KEYS);

  function take(name: LimitStanding['name'], buckets: BoundedMap<string, Bucket>, key: string, perMinute: number): LimitStanding {
    const nowMs = clock.monotonic();
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = { left: perMinute, atMs: nowMs };
      buckets.set(key, bucket);
    }
    return takeOne(name, bucket, perMinute, nowMs);
  }

  /** Tells operators, in a row with a count. */
  function told(standings: Limited, tenant: Tenant, clientId: string | null, from: RequestOrigin): Limited {
    const by = refusedBy(standings);
    if (by !== null) {
      audit.add(auditEvent({
        timeMs: clock.now(), type: 'requests_limited', tenant: tenant.slug, actor: clientId, clientId, outcome: 'denied', reason: by, ip: from.ip, requestId: from.requestId,
      }));
    }
    return standings;
  }

  return {
    arrive(tenant, from) {
      const { address } = tenant.operations.limits;
      if (!enabled || address === null) return unlimited;
      return told([take('address', addresses, `${tenant.id} ${networkOf(from.ip)}`, address)], tenant, null, from);
    },
    call(tenant, client, from) {
      const { limits } = tenant.operations;
      if (!enabled || (limits.tenant === null && limits.client === null)) return unlimited;
      const own = limits.client === null ? [] : [take('client', clients, `${tenant.id} ${client.id}`, limits.client)];
      // A client that may not call uses up nothing of what the others have.
      const all = limits.tenant === null || refusedBy(own) !== null ? own : [...own, take('tenant', tenants, tenant.id, limits.tenant)];
      return told(all, tenant, client.id, from);
    },
    tryAccount(tenant, name, from) {
      const { account } = tenant.operations.limits;
      if (!enabled || account === null) return unlimited;
      return told([take('account', accounts, `${tenant.id} ${name}`, account)], tenant, null, from);
    },
  };
}
