import { BoundedMap } from '../core/bounded-map.ts';
import { judgeHost } from '../core/host.ts';
import type { Origin } from '../core/issuer.ts';
import type { Store } from '../core/store.ts';

/** Whom a request's Host speaks of. */
export type Site =
  /** The server's own origin. */
  | { readonly kind: 'own' }
  /** A tenant's hostname; serves that tenant's root layout only. */
  | { readonly kind: 'tenant'; readonly host: string }
  | { readonly kind: 'unknown'; readonly host: string }
  | { readonly kind: 'malformed'; readonly host: string };

/** Different Host values remembered, per generation. */
const REMEMBERED = 1_000;

/** Judges Host values, and remembers the judgement until the store says that anything changed. */
export type HostGuard = {
  /** @throws StoreError */
  siteOf(host: string | null): Site | Promise<Site>;
};

export function makeHostGuard(store: Store, origin: () => Origin): HostGuard {
  const known = new BoundedMap<string, Site>(REMEMBERED);
  let epoch = -1;

  async function lookUp(host: string, at: number): Promise<Site> {
    const verdict = judgeHost(host, origin());
    let site: Site;
    if (verdict.kind === 'own') site = { kind: 'own' };
    else if (verdict.kind === 'malformed') site = { kind: 'malformed', host };
    else {
      const tenant = await store.findTenant({ host: verdict.host });
      site = tenant === null || tenant.deletedAtMs !== null
        ? { kind: 'unknown', host: verdict.host }
        : { kind: 'tenant', host: verdict.host };
    }
    if (at === epoch && host.length <= 300) known.set(host, site);
    return site;
  }

  return {
    siteOf(host) {
      if (host === null) return { kind: 'malformed', host: '' };
      const now = store.epoch();
      if (now !== epoch) {
        known.clear();
        epoch = now;
      }
      return known.get(host) ?? lookUp(host, now);
    },
  };
}
