import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { fine, nothing, problem, warning, type Seen } from '../../core/finding.ts';
import { isLoopbackName, type Origin } from '../../core/issuer.ts';
import { parseSmtpUrl } from '../../core/smtp.ts';
import { dataFiles } from '../files.ts';
import { findTlsFault, readTls } from '../listen.ts';
import type { CheckRow, Patient } from './examine.ts';

const TIMEOUT_MS = 5_000;
/** More of an answer is not read, bytes. */
const MOST_BYTES = 262_144;
const DAY_MS = 86_400_000;
/** A certificate should be replaced so long before it ends, milliseconds. */
const SOON_MS = 14 * DAY_MS;
const HTTPS_PORT = 443;
const DISCOVERY = '/.well-known/openid-configuration';

type Answer = { readonly status: number; readonly type: string; readonly body: unknown; readonly location: string | null };

/** Asks as clients do, without following redirects. @throws Error */
async function ask(url: string, ca: string | null): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS), headers: { Accept: 'application/json' }, ...(ca !== null && { tls: { ca } }) });
  const text = (await response.text()).slice(0, MOST_BYTES);
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Whoever looks at it says what it is not.
  }
  return { status: response.status, type: response.headers.get('content-type') ?? '', body, location: response.headers.get('location') };
}

function member(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

/** Nothing to ask where nobody knows the origin. */
const atOrigin = (look: (origin: Origin, patient: Patient) => Promise<Seen> | Seen) => (patient: Patient): Promise<Seen> | Seen => {
  const origin = patient.origin();
  return origin === null ? nothing('no origin is known yet: it comes with --origin, or the first start') : look(origin, patient);
};

const unreachable = (url: string, error: unknown): Seen => problem(
  // The runtime adds a question to the code, which says it all.
  `${url} does not answer (${error instanceof Error ? error.message.replace(': Unable to connect. Is the computer able to access the url?', '').slice(0, 200) : 'unknown reason'})`,
  'is the server running, does the name lead to it from here, and does the proxy pass it on? --origin must be the URL that clients use',
);

async function checkDiscovery(origin: Origin, { ca }: Patient): Promise<Seen> {
  const url = `${origin.url}${DISCOVERY}`;
  let answer: Answer;
  try {
    answer = await ask(url, ca);
  } catch (error) {
    return unreachable(url, error);
  }
  if (answer.location !== null) return problem(`${url} redirects (${answer.status})`, 'clients take discovery from the origin itself: let the proxy pass the request on, or set --origin to where it redirects');
  if (answer.status === 421) return problem(`the server does not know the name ${origin.host}`, 'let the proxy pass the Host header on as it came (nginx: proxy_set_header Host $host), and --origin be what clients use');
  if (answer.status !== 200) return problem(`${url} answers ${answer.status}`, 'look into the log of the server, and of the proxy in front of it');
  const issuer = member(answer.body, 'issuer');
  if (typeof issuer !== 'string') return problem(`${url} is answered by something else: it has no issuer`, 'let the proxy pass the whole origin on to this server');
  if (issuer !== origin.url) return problem(`the issuer there is ${issuer.slice(0, 200)}, and this data's is ${origin.url}`, 'another server answers at this origin, or this data was moved: see --origin and --move-origin');
  const strays = Object.entries(answer.body ?? {}).filter(([name, value]) => (name.endsWith('_endpoint') || name === 'jwks_uri') && typeof value === 'string' && !value.startsWith(`${origin.url}/`));
  return strays.length === 0 ? fine(`the issuer is ${issuer}, and every endpoint is below it`) : problem(`${strays.map(([name]) => name).join(', ')} leave the origin`, 'another server answers at this origin');
}

async function checkJwks(origin: Origin, { ca }: Patient): Promise<Seen> {
  let answer: Answer;
  try {
    const { body } = await ask(`${origin.url}${DISCOVERY}`, ca);
    const url = member(body, 'jwks_uri');
    if (typeof url !== 'string') return nothing('discovery names none');
    answer = await ask(url, ca);
  } catch (error) {
    return unreachable('the key set', error);
  }
  const keys = member(answer.body, 'keys');
  if (answer.status !== 200 || !Array.isArray(keys)) return problem(`the key set is not one (status ${answer.status})`, 'resource servers cannot verify tokens: let the proxy pass it on unchanged');
  const bad = (keys as readonly unknown[]).filter((key) => typeof member(key, 'kid') !== 'string' || typeof member(key, 'kty') !== 'string' || member(key, 'd') !== undefined);
  if (bad.length > 0) return problem('the key set holds what is no public key', 'another server answers at this origin');
  return keys.length === 0 ? warning('the key set is empty', 'the first keys are being made; look again in a moment') : fine(`${keys.length} public ${keys.length === 1 ? 'key' : 'keys'}`);
}

function isPrivate(address: string): boolean {
  return isLoopbackName(address) || /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd]|fe80:)/i.test(address);
}

function checkProxy(origin: Origin, { settings, checkup }: Patient): Seen {
  if (origin.loopback) return nothing('the origin is this machine');
  const proxied = origin.scheme === 'https' && settings.tlsCert === null;
  const fix = 'let the proxy set X-Forwarded-For and X-Forwarded-Proto, and name its address with --trust-proxy';
  if (proxied && settings.trustProxy.length === 0) return problem('a proxy is in front (the origin is https, and there are no TLS files here), and none is trusted: everybody has its address', fix);
  const { addresses } = existsSync(dataFiles(settings.data).database) ? checkup() : { addresses: [] };
  if (settings.trustProxy.length > 0 && addresses.length === 1 && isPrivate(addresses[0] ?? '')) {
    return warning(`all requests lately came from ${addresses[0]}: is that the proxy?`, fix);
  }
  return fine(settings.trustProxy.length > 0 ? `${settings.trustProxy.length} networks are trusted to name clients` : 'none is in front, as far as the settings tell');
}

type Presented = { readonly certificate: PeerCertificate; readonly distrust: string | null };

/** What a server presents to whoever connects. @throws Error */
function presented(hostname: string, port: number, ca: string | null): Promise<Presented> {
  return new Promise((resolve, reject) => {
    const name = hostname.replaceAll(/[[\]]/g, '');
    const isAddress = /^[\d.]+$|:/.test(name);
    // Looked at, not used: whatever is wrong with it is the finding.
    const socket = connect({ host: name, port, rejectUnauthorized: false, ...(!isAddress && { servername: name }), ...(ca !== null && { ca }) }, () => {
      const certificate = socket.getPeerCertificate(true);
      const distrust = socket.authorized ? null : String(socket.authorizationError ?? 'not trusted');
      socket.destroy();
      resolve({ certificate, distrust });
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.on('error', reject);
  });
}

async function checkCertificate(origin: Origin, { nowMs, ca }: Patient): Promise<Seen> {
  if (origin.scheme === 'http') return origin.loopback ? nothing('the origin is this machine, over http') : problem('the origin is http: tokens and secrets travel in clear', 'serve https, with --tls-cert and --tls-key or a proxy, and --origin https://…');
  const { hostname, port } = new URL(origin.url);
  let seen: Presented;
  try {
    seen = await presented(hostname, port === '' ? HTTPS_PORT : Number(port), ca);
  } catch (error) {
    return unreachable(origin.url, error);
  }
  const { certificate, distrust } = seen;
  const endsMs = Date.parse(certificate.valid_to);
  const renew = 'renew it; files of --tls-cert and --tls-key are taken up within a minute, or on SIGHUP';
  if (endsMs < nowMs) return problem(`it ended ${certificate.valid_to}`, renew);
  const misfit = checkServerIdentity(hostname.replaceAll(/[[\]]/g, ''), certificate);
  if (misfit !== undefined) return problem(`it is not for ${hostname}`, 'get one that names the host of the origin');
  if (distrust !== null) return problem(`it is not trusted (${distrust.slice(0, 100)})`, 'serve the whole chain: the certificate, then those between it and its root, in one file; for a private authority give --ca FILE');
  const days = Math.floor((endsMs - nowMs) / DAY_MS);
  return endsMs - nowMs < SOON_MS ? warning(`it ends in ${days} days`, renew) : fine(`good for ${days} days, for ${hostname}, with its chain`);
}

function checkTlsFiles({ settings, nowMs }: Patient): Seen {
  const tls = readTls(settings);
  if (tls === null) return nothing('no TLS files are set');
  const fault = findTlsFault(tls);
  if (fault !== null) return problem(`they cannot be served: ${fault}`, 'put a certificate with its chain, and its key, where --tls-cert and --tls-key say');
  const endsMs = Date.parse(new X509Certificate(tls.cert).validTo);
  const days = Math.floor((endsMs - nowMs) / DAY_MS);
  if (endsMs < nowMs) return problem(`the certificate in the file ended ${-days} days ago`, 'renew it');
  return endsMs - nowMs < SOON_MS ? warning(`the certificate in the file ends in ${days} days`, 'renew it') : fine(`certificate and key belong together; good for ${days} days`);
}

const mailFixes: Readonly<Record<string, string>> = {
  login: 'the server refuses user and password of ASSAY_SMTP_URL', tls: 'its certificate or its TLS is not good: use the name that the certificate is for',
  unresolved: 'the name does not resolve', timeout: 'it does not answer in time: is the port right, and open?',
};

async function checkMail({ settings, ca }: Patient): Promise<Seen> {
  const server = settings.smtpUrl === null ? null : parseSmtpUrl(settings.smtpUrl);
  if (server === null) return nothing('no mail server is set: a loopback server keeps mails at /mailbox, any other sends none');
  const { probeMailServer } = await import('../../outbound/mailer.ts');
  const fault = await probeMailServer(server, ca ?? undefined);
  const where = `${server.host}:${server.port}`;
  return fault === null
    ? fine(`${where} takes our login${server.login === null ? ' (none)' : ''}${server.implicitTls || server.requireTls ? ', over TLS' : ''}; no mail was sent`)
    : problem(`${where}: ${fault}`, mailFixes[fault] ?? 'is it there, and may this machine reach it?');
}

/** What others see, and what this server needs of others. */
export const outsideChecks: readonly CheckRow[] = [
  { check: 'discovery', look: atOrigin(checkDiscovery) },
  { check: 'key set', look: atOrigin(checkJwks) },
  { check: 'proxy', look: atOrigin(checkProxy) },
  { check: 'certificate', look: atOrigin(checkCertificate) },
  { check: 'tls files', look: checkTlsFiles },
  { check: 'mail', look: checkMail },
];
