import { isLoopbackAddress, isPublicAddress } from './special-address.ts';

/** Why a call to a stranger's address came to nothing; one word, for operators only (SS-07). */
export type OutboundFailure = 'blocked' | 'unresolved' | 'timeout' | 'tls' | 'unreachable';

/** What became of a call. The answer's body is never looked at. */
export type PostOutcome = { readonly status: number } | { readonly failure: OutboundFailure };

/** Sends a form to an address that a client registered (SS-01 … SS-10). Never rejects. */
export type PostForm = (url: string, form: Readonly<Record<string, string>>) => Promise<PostOutcome>;

/** What became of a call whose answer may say when to come back. `retryAfter`: the header as it came (RFC 9110 §10.2.3). */
export type PostAnswer = { readonly status: number; readonly retryAfter: string | null } | { readonly failure: OutboundFailure };

/** Sends a JSON document to an address that an operator registered (SS-01 … SS-10). Never rejects. @param headers by lower-case name */
export type PostJson = (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<PostAnswer>;

/** One mail, plain text. */
export type Mail = {
  /** Makes its Message-ID: the same mail has the same at every attempt. */
  readonly id: string;
  /** Shown as the sender's name. */
  readonly fromName: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
};

/** `refused`: for good. `failed`: another attempt may succeed. `why`: one word or an SMTP code. */
export type MailOutcome = { readonly kind: 'sent' } | { readonly kind: 'refused' | 'failed'; readonly why: string };

/** Hands a mail to the mail server. Never rejects. */
export type SendMail = (mail: Mail) => Promise<MailOutcome>;

/** Where a call goes: proven to have the form of a target that may be called; its address is still to be judged. */
export type OutboundTarget = {
  readonly https: boolean;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  /** A loopback name, under the switch for development: only loopback addresses will do, and for all others none of them. */
  readonly loopback: boolean;
};

const MAX_URL = 2048;
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Reads a URL that a client wants to be called at (SS-01): https on port 443, without user name; with `loopbackTargets`
 * also http or https on any port of this machine (SS-09). Numbers and other spellings of hosts are made one form by
 * the URL parser (SS-06).
 */
export function readOutboundTarget(
  text: string,
  loopbackTargets: boolean,
): { readonly ok: true; readonly target: OutboundTarget } | { readonly ok: false; readonly fault: string } {
  const refuse = (fault: string): { readonly ok: false; readonly fault: string } => ({ ok: false, fault });
  if (text.length > MAX_URL) return refuse(`it is longer than ${MAX_URL} characters`);
  if (!/^[\x21-\x7E]+$/.test(text) || !URL.canParse(text)) return refuse('it is not an absolute URL');
  if (!/^https?:\/\//i.test(text) || text.includes('\\')) return refuse('it must be https://host…');
  if (text.includes('#')) return refuse('it must not have a fragment (#)');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return refuse('it must not have a user name');
  const loopback = loopbackTargets && loopbackHosts.has(url.hostname);
  const https = url.protocol === 'https:';
  if (!https && !loopback) return refuse('it must be https');
  if (https && !loopback && url.port !== '') return refuse('it must be on port 443');
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const named = hostname.split('.').filter((label) => label !== '').length > 0;
  if (!named) return refuse('it has no host');
  return { ok: true, target: { https, hostname, port: url.port === '' ? (https ? 443 : 80) : Number(url.port), path: url.pathname + url.search, loopback } };
}

/** Why a client cannot be told of logouts at this address (OpenID Connect Back-Channel Logout §2.2); null when it can. */
export function findOutboundFault(uri: string, loopbackTargets: boolean): string | null {
  const reading = readOutboundTarget(uri, loopbackTargets);
  return reading.ok ? null : reading.fault;
}

/** Whether a target may be called at an address that its name resolved to (SS-02). */
export function mayCall(target: OutboundTarget, address: string): boolean {
  return target.loopback ? isLoopbackAddress(address) : isPublicAddress(address);
}
