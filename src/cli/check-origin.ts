import { Database, constants } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { dataFiles } from '../app/files.ts';
import { checkLoopbackOnly } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { parseOrigin, type Origin } from '../core/issuer.ts';
import { deriveOrigin } from '../service/manage-origin.ts';

/** A tenant that is there, as far as its issuer goes. */
type TenantRow = { readonly slug: string; readonly layout: string; readonly host: string | null; readonly clients: number };

/** What the data says about origins. */
type Stored = { readonly origin: Origin | null; readonly given: boolean; readonly tenants: readonly TenantRow[] };

/** Where a server stands before its first start. */
const FIRST_ORIGIN = 'http://127.0.0.1:8080';

const nothing: Stored = { origin: null, given: false, tenants: [] };

/**
 * Opens a database so that nothing is written, not even the files beside it. Without a write-ahead log nobody has it
 * open, and it may be read as it lies; with one, its other readers keep what belongs to it.
 */
function openToRead(path: string): Database {
  if (existsSync(`${path}-wal`)) return new Database(path, { readonly: true });
  return new Database(`${pathToFileURL(resolve(path)).href}?immutable=1`, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
}

function readStored(database: Database): Stored {
  // A database that nobody brought up yet says nothing.
  if (database.query("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === null) return nothing;
  const row = database.query<{ readonly value: string }, []>("SELECT value FROM meta WHERE key = 'origin'").get();
  const tenants = database.query<TenantRow, []>(`
    SELECT slug, layout, host, (SELECT count(*) FROM clients WHERE tenant_id = tenants.id AND deleted_at_ms IS NULL) AS clients
    FROM tenants WHERE deleted_at_ms IS NULL ORDER BY slug`).all();
  if (row === null) return { ...nothing, tenants };
  const { url, given } = JSON.parse(row.value) as { readonly url: string; readonly given: boolean };
  return { origin: parseOrigin(url), given, tenants };
}

function changesIssuer(tenant: TenantRow, from: Origin, to: Origin): boolean {
  return tenant.layout === 'root' && tenant.host !== null ? from.scheme !== to.scheme : from.url !== to.url;
}

/** The origin that a start would settle on; null where it stays, or follows a port that is not known yet. */
function nextOrigin({ origin, host, port, tlsCert }: Settings, stored: Stored): Origin | null {
  if (origin !== null) return parseOrigin(origin);
  return stored.given || port === 0 ? null : parseOrigin(deriveOrigin(host, port, tlsCert !== null));
}

function checkMove(settings: Settings, stored: Stored): readonly string[] {
  const next = nextOrigin(settings, stored);
  if (next === null || next.url === stored.origin?.url) return [];
  const owner = stored.tenants.find((tenant) => tenant.host === next.host);
  if (owner !== undefined) return [`${next.host} is the hostname of tenant ${owner.slug}, and cannot be the server's own address too`];
  const { origin } = stored;
  if (origin === null || !stored.given || settings.moveOrigin) return [];
  const concerned = stored.tenants.filter((tenant) => tenant.clients > 0 && changesIssuer(tenant, origin, next)).map((tenant) => tenant.slug);
  return concerned.length === 0 ? [] : [
    `this data belongs to ${origin.url}; moving it to ${next.url} changes the issuer of tenants that have clients: ${concerned.join(', ')}. `
      + 'Leave out --origin to stay, or add --move-origin',
  ];
}

/** @returns null when the database cannot be read */
function readFrom(path: string): Stored | null {
  if (!existsSync(path)) return nothing;
  try {
    const database = openToRead(path);
    try {
      return readStored(database);
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

/** What a server would refuse about its origin, once it sees the one in the data; nothing is made or changed (OP-08). */
export function checkOrigin(settings: Settings): readonly string[] {
  const path = dataFiles(settings.data).database;
  const stored = readFrom(path);
  if (stored === null) return [`the database ${path} cannot be read`];
  // An origin among the settings was held against them when they were read.
  const inForce = stored.origin ?? parseOrigin(FIRST_ORIGIN);
  const limits = settings.origin === null && inForce !== null ? checkLoopbackOnly(settings, inForce) : null;
  return [...checkMove(settings, stored), ...(limits === null ? [] : [limits])];
}
