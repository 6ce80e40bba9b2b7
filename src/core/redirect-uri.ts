import { isLoopbackName } from './issuer.ts';

const MAX_LENGTH = 2048;
/** Visible ASCII without what RFC 3986 forbids in any URI: " < > \ ^ ` { | } */
const uriForm = /^[a-zA-Z][a-zA-Z0-9+.-]*:[\x21\x23-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]+$/;

/**
 * Whether a client may be sent back to this address (OAuth 2.1 §2.3.1, RFC 8252 §7): https, http on loopback, or a
 * private scheme with a dot in its name.
 * @returns what is wrong with it, or null
 */
export function findRedirectUriFault(uri: string): string | null {
  if (uri.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  if (!uriForm.test(uri) || !URL.canParse(uri)) return 'it is not an absolute URI';
  if (uri.includes('#')) return 'it must not have a fragment (#)';
  const url = new URL(uri);
  const scheme = url.protocol.slice(0, -1);
  if (scheme === 'https' || scheme === 'http') {
    if (url.username !== '' || url.password !== '' || !/^https?:\/\/[^/?]/i.test(uri)) return 'it must be http(s)://host… without a user name';
    if (url.hostname.includes('*')) return 'wildcards are not allowed';
    if (scheme === 'http' && !isLoopbackName(url.hostname)) return 'http is for loopback addresses only; use https';
    return null;
  }
  return scheme.includes('.') ? null : 'a private scheme needs a dot in its name, like com.example.app:/callback';
}

const loopbackForm = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::([1-9][0-9]{0,4}))?((?:\/|\?).*)?$/;

/** A loopback address without its port; null for anything else, whatever a URL parser would make of it (AZ-08). */
function withoutPort(uri: string): string | null {
  const match = loopbackForm.exec(uri);
  if (match === null || Number(match[2] ?? '1') > 65_535) return null;
  return `${match[1] ?? ''}${match[3] ?? ''}`;
}

/**
 * Whether a presented redirect URI is one of a client's: the same text, nothing parsed or normalised (OAuth 2.1 §4.1.1).
 * A native application cannot know its port beforehand, so on loopback the port of a public client is free (RFC 8252
 * §7.3), and the three spellings of loopback never stand for each other (AZ-06…AZ-08).
 */
export function matchesRedirectUri(client: { readonly redirectUris: readonly string[]; readonly public: boolean }, presented: string): boolean {
  if (client.redirectUris.includes(presented)) return true;
  const local = client.public ? withoutPort(presented) : null;
  return local !== null && client.redirectUris.some((uri) => withoutPort(uri) === local);
}

/** What people are shown of where an answer goes: `app.example.com`, or the scheme of a native application. */
export function redirectHost(uri: string): string {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (url === null) return '';
  // What stands for a host in a private scheme is nobody's, and could be anybody's name.
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : url.protocol.slice(0, -1);
}

/** What a page's content security policy must name so that a form's answer may redirect there. */
export function redirectSource(uri: string): string | null {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (url === null) return null;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : url.protocol;
}
