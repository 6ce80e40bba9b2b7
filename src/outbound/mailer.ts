import type { Transporter } from 'nodemailer';
import { isMailAddress, type SmtpServer } from '../core/smtp.ts';
import type { Mail, MailOutcome, SendMail } from '../core/outbound.ts';

/** For each step of a mail, and for the whole of it, milliseconds. */
const STEP_TIMEOUT_MS = 10_000;
const TOTAL_TIMEOUT_MS = 25_000;

export type MailerOptions = {
  /** One bare address. */
  readonly from: string;
  /** Certificates (PEM) trusted in place of the system's. */
  readonly ca?: string;
};

const controls = /\p{Cc}/u;

/** Whether nothing in a mail's headers can begin another header. */
function hasPlainHeaders({ id, fromName, to, subject }: Mail): boolean {
  return isMailAddress(to) && /^[A-Za-z0-9_.-]+$/.test(id) && !controls.test(subject) && !controls.test(fromName);
}

/** Failures that are about this mail and not about the server or the login. */
const aboutMail: ReadonlySet<unknown> = new Set(['EENVELOPE', 'EMESSAGE']);
const words: Readonly<Record<string, string>> = { EAUTH: 'login', ENOAUTH: 'login', ETIMEDOUT: 'timeout', ETLS: 'tls', EDNS: 'unresolved' };

/**
 * What an SMTP failure means. A 5xx about the mail is the server's last word; everything else may pass, or is the
 * operator's to mend. Never its text: it may repeat what was said.
 */
function judge(error: unknown): MailOutcome {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const answer: unknown = error instanceof Error ? Reflect.get(error, 'responseCode') : undefined;
  if (aboutMail.has(code) && typeof answer === 'number') return { kind: answer >= 500 ? 'refused' : 'failed', why: `smtp_${answer}` };
  return { kind: 'failed', why: (typeof code === 'string' ? words[code] : undefined) ?? 'unreachable' };
}

async function makeTransport(server: SmtpServer, ca: string | undefined): Promise<Transporter> {
  // Loaded with the first mail: the library is large, and starts go without.
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host: server.host, port: server.port, secure: server.implicitTls, requireTLS: server.requireTls,
    ...(server.login !== null && { auth: { user: server.login.user, pass: server.login.password } }),
    // On this machine a certificate proves nothing, and nobody is between.
    tls: { rejectUnauthorized: server.implicitTls || server.requireTls, ...(ca !== undefined && { ca }) },
    connectionTimeout: STEP_TIMEOUT_MS, greetingTimeout: STEP_TIMEOUT_MS, socketTimeout: STEP_TIMEOUT_MS, dnsTimeout: STEP_TIMEOUT_MS,
    disableFileAccess: true, disableUrlAccess: true,
  });
}

/** Connects to a mail server, begins TLS and signs in as a mail would, and sends none. null: all is well; else one word (`login`, `tls` …). */
export async function probeMailServer(server: SmtpServer, ca?: string): Promise<string | null> {
  try {
    const transport = await makeTransport(server, ca);
    await transport.verify();
    return null;
  } catch (error) {
    const outcome = judge(error);
    return outcome.kind === 'sent' ? null : outcome.why;
  }
}

/** Makes the way to the operator's mail server. A connection per mail: there are few, and none lies about idle. */
export function makeMailer(server: SmtpServer, { from, ca }: MailerOptions): SendMail {
  const domain = from.slice(from.lastIndexOf('@') + 1);

  async function send(mail: Mail): Promise<MailOutcome> {
    try {
      const transport = await makeTransport(server, ca);
      await transport.sendMail({
        from: { name: mail.fromName, address: from }, to: { name: '', address: mail.to }, subject: mail.subject, text: mail.text,
        messageId: `<${mail.id}@${domain}>`, headers: { 'Auto-Submitted': 'auto-generated' }, disableFileAccess: true, disableUrlAccess: true,
      });
      return { kind: 'sent' };
    } catch (error) {
      return judge(error);
    }
  }

  return async (mail) => {
    if (!hasPlainHeaders(mail)) return { kind: 'refused', why: 'malformed' };
    const late = Promise.withResolvers<MailOutcome>();
    const timer = setTimeout(() => late.resolve({ kind: 'failed', why: 'timeout' }), TOTAL_TIMEOUT_MS);
    try {
      return await Promise.race([send(mail), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
