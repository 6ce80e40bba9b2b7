import { isLoopbackName } from './issuer.ts';

/** A mail server, as its URL says. */
export type SmtpServer = {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps`); else STARTTLS. */
  readonly implicitTls: boolean;
  /** Whether nothing may be said before TLS; not on this machine itself. */
  readonly requireTls: boolean;
  readonly login: { readonly user: string; readonly password: string } | null;
};

const urlForm = /^(smtps?):\/\/(?:([^:@/?#\s]+):([^:@/?#\s]+)@)?([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?\/?$/i;
const SUBMISSION = 587;
const SUBMISSIONS = 465;
const MAX_PORT = 65_535;

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Reads `smtp://[user:password@]host[:port]` or `smtps://…` (RFC 8314); user and password percent-encoded. null: it is none. */
export function parseSmtpUrl(text: string): SmtpServer | null {
  const match = urlForm.exec(text);
  if (match === null) return null;
  const [, scheme = '', rawUser, rawPassword, rawHost = '', rawPort] = match;
  const implicitTls = scheme.toLowerCase() === 'smtps';
  const port = rawPort === undefined ? (implicitTls ? SUBMISSIONS : SUBMISSION) : Number(rawPort);
  const hostname = rawHost.toLowerCase();
  const user = rawUser === undefined ? null : decode(rawUser);
  const password = rawPassword === undefined ? null : decode(rawPassword);
  if (port > MAX_PORT || (rawUser !== undefined && (user === null || password === null))) return null;
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'), port, implicitTls, requireTls: !implicitTls && !isLoopbackName(hostname),
    login: user === null || password === null ? null : { user, password },
  };
}

const mailboxForm = /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}@(?:[^\s@<>()[\]\\,;:"\p{C}]{1,255}|\[[0-9a-fA-F:.]{2,45}\])$/u;
const MAX_ADDRESS = 254;

/** Whether text is one bare mail address that can stand in a header: no name, no list, no line end. */
export function isMailAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS && mailboxForm.test(text);
}

/** The sender of mails where none is set: at the host of the origin. @param host `host[:port]` */
export function defaultMailFrom(host: string): string {
  const name = host.replace(/:[0-9]+$/, '');
  return `assay@${/^[0-9.]+$/.test(name) ? `[${name}]` : name}`;
}
