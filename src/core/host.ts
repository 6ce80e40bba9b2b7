import { isLoopbackName, stripDefaultPort, type Origin } from './issuer.ts';

export type HostVerdict =
  /** The server's own origin: every tenant by path, `default` at the root. */
  | { readonly kind: 'own' }
  /** Maybe a tenant's hostname: who owns it is the store's to say. */
  | { readonly kind: 'other'; readonly host: string }
  /** Missing, doubled or malformed. */
  | { readonly kind: 'malformed' };

const hostForm = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** Whether text is `hostname[:port]` in lower case, as a tenant may own it. */
export function isHost(text: string): boolean {
  return hostForm.test(text) && !text.includes('..');
}

/**
 * Judges a `Host` value before anything is routed (HT-01; RFC 9110 §7.2).
 * On a loopback origin each loopback name with the same port is the own origin.
 */
export function judgeHost(value: string | null, origin: Origin): HostVerdict {
  if (value === null) return { kind: 'malformed' };
  const lower = value.toLowerCase();
  if (!isHost(lower)) return { kind: 'malformed' };
  const host = stripDefaultPort(lower, origin.scheme);
  if (host === origin.host) return { kind: 'own' };
  if (origin.loopback && portOf(host) === portOf(origin.host)) {
    const name = nameOf(host);
    if (isLoopbackName(name) && !name.endsWith('.localhost')) return { kind: 'own' };
  }
  return { kind: 'other', host };
}

function portOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(colon + 1) : '';
}

function nameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}
