import type { Origin } from '../core/issuer.ts';
import type { Client, Tenant } from '../core/model.ts';
import { tenantUrls } from '../service/documents.ts';

const unreserved = /^[A-Za-z0-9._~-]+$/;

/** Text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9._~:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A complete command that asks what a token is, as this client, at its tenant's canonical URL.
 * @param path of another of its introspection URLs
 * Credentials go into the header where the client may do that and curl can (ids with `:` or `%` would need encoding).
 */
export function introspectionCurl(tenant: Tenant, origin: Origin, client: Client, secret: string, token: string, path?: string): string {
  const canonical = tenantUrls(tenant, origin).introspect;
  const url = path === undefined ? canonical : new URL(path, canonical).href;
  const basic = client.authMethod !== 'client_secret_post' && unreserved.test(client.id) && unreserved.test(secret);
  const credentials = basic
    ? `-u ${shellWord(`${client.id}:${secret}`)}`
    : `${formField('client_id', client.id)} ${formField('client_secret', secret)}`;
  return `curl -sS ${shellWord(url)} ${credentials} -d ${shellWord(`token=${token}`)}`;
}

function formField(name: string, value: string): string {
  return unreserved.test(value) ? `-d ${name}=${value}` : `--data-urlencode ${shellWord(`${name}=${value}`)}`;
}
