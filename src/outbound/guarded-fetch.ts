import { lookup as lookUpAddresses } from 'node:dns/promises';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { mayCall, readOutboundTarget, type OutboundFailure, type OutboundTarget, type PostAnswer, type PostForm, type PostJson } from '../core/outbound.ts';

/** Addresses of a name, as text; rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export type GuardOptions = {
  /** Whether addresses of this machine may be called; only for development (SS-09). */
  readonly loopbackTargets: boolean;
  /** The system's resolver by default. */
  readonly resolve?: Resolve;
  /** Certificates (PEM) trusted in place of the system's. */
  readonly ca?: string;
  /** For the whole call, names included, milliseconds. */
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 5_000;
const USER_AGENT = 'Assay';

const resolveBySystem: Resolve = async (hostname) => (await lookUpAddresses(hostname, { all: true })).map(({ address }) => address);

/** Carries why a call ends before there is an answer. */
class Blocked extends Error {}
class Unresolved extends Error {}

function failureOf(error: unknown): OutboundFailure {
  if (error instanceof Blocked) return 'blocked';
  if (error instanceof Unresolved) return 'unresolved';
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && /CERT|TLS|SSL|SIGNATURE|ISSUER|ALTNAME|EPROTO/.test(code) ? 'tls' : 'unreachable';
}

/**
 * The one address to connect to. A name with any address that may not be called is refused as a whole: nobody needs
 * one foot inside and one outside.
 * @throws Blocked, Unresolved
 */
async function chooseAddress(target: OutboundTarget, resolve: Resolve): Promise<string> {
  // The connection asks no resolver about an address, so neither do we.
  const addresses = isIP(target.hostname) === 0 ? await resolve(target.hostname).catch((): readonly string[] => []) : [target.hostname];
  const address = addresses.find((candidate) => !candidate.includes(':')) ?? addresses[0];
  if (address === undefined) throw new Unresolved();
  if (!addresses.every((candidate) => mayCall(target, candidate))) throw new Blocked();
  return address;
}

/** Answers every question of the connection with the address that was judged (SS-03): there is no second resolution. */
function pinTo(address: string): LookupFunction {
  const family = address.includes(':') ? 6 : 4;
  return (_hostname, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

/** What is sent: the body, its media type, and headers of its own by lower-case name. */
type Parcel = { readonly type: string; readonly body: string; readonly headers: Readonly<Record<string, string>> };

/**
 * Makes the only way out to addresses that others registered. Redirects are not followed (SS-04), the answer's body is
 * not read (SS-05), no cookie or credential goes along (SS-08), and proxies of the environment are not used (SS-10):
 * node:https does neither by itself (pinned).
 */
function makePost({ loopbackTargets, resolve = resolveBySystem, ca, timeoutMs = TIMEOUT_MS }: GuardOptions): (url: string, parcel: Parcel) => Promise<PostAnswer> {
  async function send(url: string, { type, body, headers }: Parcel, started: (request: ClientRequest) => void): Promise<PostAnswer> {
    const reading = readOutboundTarget(url, loopbackTargets);
    if (!reading.ok) throw new Blocked();
    const { target } = reading;
    const address = await chooseAddress(target, resolve);
    const answer = Promise.withResolvers<IncomingMessage>();
    const request = (target.https ? requestHttps : requestHttp)({
      method: 'POST', hostname: target.hostname, port: target.port, path: target.path, lookup: pinTo(address), agent: false, maxHeaderSize: 16_384,
      headers: { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'User-Agent': USER_AGENT, Connection: 'close', ...headers },
      ...(target.https && { rejectUnauthorized: true, ...(ca !== undefined && { ca }) }),
    }, answer.resolve);
    started(request);
    request.on('error', answer.reject);
    request.end(body);
    const { statusCode, headers: { 'retry-after': retryAfter } } = await answer.promise;
    request.destroy();
    return statusCode === undefined ? { failure: 'unreachable' } : { status: statusCode, retryAfter: retryAfter ?? null };
  }

  return async (url, parcel) => {
    let request: ClientRequest | null = null;
    const late = Promise.withResolvers<PostAnswer>();
    const timer = setTimeout(() => late.resolve({ failure: 'timeout' }), timeoutMs);
    try {
      const sending = send(url, parcel, (begun) => {
        request = begun;
      });
      return await Promise.race([sending.catch((error: unknown): PostAnswer => ({ failure: failureOf(error) })), late.promise]);
    } finally {
      clearTimeout(timer);
      stop(request);
    }
  };
}

/** Sends forms to addresses that clients registered. */
export function makePostForm(options: GuardOptions): PostForm {
  const post = makePost(options);
  return async (url, form) => {
    const answer = await post(url, { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(form).toString(), headers: {} });
    return 'failure' in answer ? answer : { status: answer.status };
  };
}

/** Sends JSON documents to addresses that operators registered. */
export function makePostJson(options: GuardOptions): PostJson {
  const post = makePost(options);
  return (url, body, headers) => post(url, { type: 'application/json', body, headers });
}

/** Ends a call that may still be under way. */
function stop(request: ClientRequest | null): void {
  request?.on('error', () => undefined).destroy();
}
