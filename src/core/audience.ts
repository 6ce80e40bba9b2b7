import type { Client, Tenant } from './model.ts';

const MAX_RESOURCES = 10;
const MAX_LENGTH = 2048;
/** Visible ASCII, as every URI is (RFC 3986 §2), and no fragment. */
const uriForm = /^[a-zA-Z][a-zA-Z0-9+.-]*:[\x21\x22\x24-\x7E]+$/;

/**
 * Canonical form of a resource indicator (RFC 8707 §2): absolute, no fragment; scheme and host in lower case, and an
 * empty path equals `/` (RI-05).
 * @returns null when it is not a resource indicator
 */
export function canonicalResource(text: string): string | null {
  if (text.length === 0 || text.length > MAX_LENGTH || !uriForm.test(text)) return null;
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^/?]*)(.*)$/.exec(text);
  if (match === null) {
    const colon = text.indexOf(':');
    return text.slice(0, colon).toLowerCase() + text.slice(colon);
  }
  const [, scheme = '', authority = '', rest = ''] = match;
  if (authority === '' || authority.includes('@')) return null;
  return scheme.toLowerCase() + authority.toLowerCase() + (rest === '/' ? '' : rest);
}

/**
 * The `resource` parameters of one request, canonical and each once.
 * @returns null when one is malformed or there are too many (RI-01, RI-08)
 */
export function parseResources(values: readonly string[]): readonly string[] | null {
  if (values.length > MAX_RESOURCES) return null;
  const canonical: string[] = [];
  for (const value of values) {
    const uri = canonicalResource(value);
    if (uri === null) return null;
    if (!canonical.includes(uri)) canonical.push(uri);
  }
  return canonical;
}

/**
 * `aud` of a new access token: the resources asked for; else the client's own audience; else the tenant's default
 * (wire contract §6). Never inferred from scopes.
 */
export function decideAudience(resources: readonly string[], client: Client, tenant: Tenant, issuer: string): readonly string[] {
  if (resources.length > 0) return resources;
  if (client.audience.length > 0) return client.audience;
  return [tenant.defaultAudience === 'client' ? client.id : issuer];
}
