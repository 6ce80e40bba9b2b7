import { issuerOf, parseOrigin, type Origin } from '../core/issuer.ts';
import type { Store } from '../core/store.ts';
import type { Context } from './context.ts';
import { operatorEvent } from './manage-outcome.ts';

/** Where a server stands before its first start. */
const FIRST_ORIGIN = 'http://127.0.0.1:8080';

type StoredOrigin = { readonly origin: Origin; readonly given: boolean };

function parse(text: string): Origin {
  const origin = parseOrigin(text);
  if (origin === null) throw new Error('an origin is not in canonical form');
  return origin;
}

async function readStored(store: Store): Promise<StoredOrigin | null> {
  const text = await store.readMeta('origin');
  if (text === null) return null;
  const { url, given } = JSON.parse(text) as { readonly url: string; readonly given: boolean };
  return { origin: parse(url), given };
}

/** The origin as the data has it; before the first start http://127.0.0.1:8080. @throws StoreError */
export async function readStoredOrigin(store: Store): Promise<Origin> {
  return (await readStored(store))?.origin ?? parse(FIRST_ORIGIN);
}

/**
 * The origin that follows from where a server listens, as long as none was ever given. An address that stands for
 * every interface is nobody's name: loopback then.
 * @param host without brackets
 */
export function deriveOrigin(host: string, port: number, tls: boolean): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.toLowerCase();
  return parse(`${tls ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`).url;
}

/** What a start of the server comes to. */
export type OriginVerdict =
  | { readonly ok: true; readonly origin: Origin; readonly changed: boolean }
  /** `tenants`: slugs of those whose issuer would change under their clients' feet. */
  | { readonly ok: false; readonly description: string; readonly tenants: readonly string[] };

/**
 * Settles which origin the data has from now on (wire contract §1), and stores it. One that was given once stays until
 * it is moved on purpose; one never given follows the address that is listened on.
 * @param wanted URL that the operator gives, or null; canonical
 * @param derived URL of where the server listens
 * @param move whether a given origin may change while clients exist
 * @throws StoreError
 */
export async function settleOrigin(
  parts: Pick<Context, 'store' | 'clock' | 'by'>,
  wanted: string | null,
  derived: string,
  move: boolean,
): Promise<OriginVerdict> {
  const { store } = parts;
  const stored = await readStored(store);
  if (wanted === null && stored?.given === true) return { ok: true, origin: stored.origin, changed: false };
  const next = parse(wanted ?? derived);
  const given = wanted !== null;
  if (stored !== null && stored.origin.url === next.url && stored.given === given) return { ok: true, origin: next, changed: false };

  const owner = await store.findTenant({ host: next.host });
  if (owner !== null && owner.deletedAtMs === null) {
    return { ok: false, tenants: [owner.slug], description: `${next.host} is the hostname of tenant ${owner.slug}, and cannot be the server's own address too` };
  }
  if (stored?.given === true && stored.origin.url !== next.url && !move) {
    const concerned = await findConcerned(store, stored.origin, next);
    if (concerned.length > 0) {
      return {
        ok: false, tenants: concerned,
        description: `this data belongs to ${stored.origin.url}; moving it to ${next.url} changes the issuer of tenants that have clients: `
          + `${concerned.join(', ')}. Start without --origin to stay, or add --move-origin: then tokens issued so far become inactive, and clients must be told the new issuer`,
      };
    }
  }
  await store.writeMeta('origin', JSON.stringify({ url: next.url, given }), [
    operatorEvent(parts, 'origin_changed', { subject: next.url, reason: given ? 'given' : 'derived' }),
  ]);
  return { ok: true, origin: next, changed: stored?.origin.url !== next.url };
}

/** Tenants with clients, whose issuer differs between two origins. */
async function findConcerned(store: Store, from: Origin, to: Origin): Promise<readonly string[]> {
  const concerned: string[] = [];
  for (const tenant of await store.listTenants()) {
    if (issuerOf(tenant, from) === issuerOf(tenant, to)) continue;
    const clients = await store.listClients(tenant.id);
    if (clients.some((client) => client.deletedAtMs === null)) concerned.push(tenant.slug);
  }
  return concerned;
}
