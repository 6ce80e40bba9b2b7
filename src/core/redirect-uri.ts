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
    if (url.username !== '' || url.password !== '' || !/^https?:\/\//i.test(uri)) return 'it must be http(s)://host… without a user name';
    if (url.hostname.includes('*')) return 'wildcards are not allowed';
    if (scheme === 'http' && !isLoopbackName(url.hostname)) return 'http is for loopback addresses only; use https';
    return null;
  }
  return scheme.includes('.') ? null : 'a private scheme needs a dot in its name, like com.example.app:/callback';
}
