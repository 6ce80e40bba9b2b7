import type { Tenant } from '../core/model.ts';
import type { Store } from '../core/store.ts';
import type { ExtraHeaders } from './respond.ts';

/** Origins of web pages that registered themselves with a tenant as public clients (HT-09). */
export type BrowserOrigins = {
  /** @throws StoreError */
  allows(tenant: Tenant, origin: string): Promise<boolean>;
};

/** `https://app.example` of a redirect URI, as browsers write it: no default port. Null for those of native applications. */
function originOf(redirectUri: string): string | null {
  return /^https?:/i.test(redirectUri) && URL.canParse(redirectUri) ? new URL(redirectUri).origin : null;
}

/** Computes each tenant's origins once, until anything may have changed. */
export function makeBrowserOrigins(store: Store): BrowserOrigins {
  const kept = new Map<string, ReadonlySet<string>>();
  let epoch = -1;
  return {
    async allows(tenant, origin) {
      const now = store.epoch();
      if (now !== epoch) {
        kept.clear();
        epoch = now;
      }
      let origins = kept.get(tenant.id);
      if (origins === undefined) {
        const clients = (await store.listClients(tenant.id)).filter((client) => client.public && client.disabledAtMs === null);
        origins = new Set(clients.flatMap((client) => client.redirectUris).flatMap((uri) => originOf(uri) ?? []));
        kept.set(tenant.id, origins);
      }
      return origins.has(origin);
    },
  };
}

/** What a browser is told when its page may read the answer. Never with credentials mode (HT-10). */
export function corsHeaders(origin: string): ExtraHeaders {
  return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin', 'Access-Control-Expose-Headers': 'WWW-Authenticate' };
}

/** What a browser is told before it sends the request (HT-11). @param methods those of the path, as `Allow` lists them */
export function preflightHeaders(origin: string, methods: string): ExtraHeaders {
  return {
    'Access-Control-Allow-Origin': origin, Vary: 'Origin', 'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': 'authorization, content-type', 'Access-Control-Max-Age': '600',
  };
}
