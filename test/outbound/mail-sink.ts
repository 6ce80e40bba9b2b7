/** A real mail server on this machine that keeps what it gets. */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** One mail that arrived. */
export type SunkMail = {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Headers and body, as sent. */
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | null;
};

export type MailSink = { readonly port: number; readonly mails: readonly SunkMail[]; /** Users that tried to log in. */ readonly said: readonly string[]; close(): Promise<void> };

export type MailSinkOptions = {
  readonly tls?: { readonly key: string; readonly cert: string } | null;
  /** TLS from the first byte. */
  readonly implicit?: boolean;
  readonly login?: { readonly user: string; readonly password: string };
  /** Whether a login in clear is fine. */
  readonly clear?: boolean;
  /** Answer to every recipient. */
  readonly refuse?: number;
  readonly port?: number;
};

/** Starts one. */
export async function startMailSink({ tls = null, implicit = false, login, clear = false, refuse, port = 0 }: MailSinkOptions = {}): Promise<MailSink> {
  const mails: SunkMail[] = [];
  const said: string[] = [];
  const server = new SMTPServer({
    secure: implicit, authOptional: login === undefined, disableReverseLookup: true, logger: false, allowInsecureAuth: clear,
    hideSTARTTLS: tls === null, disabledCommands: [...(login === undefined ? ['AUTH'] : []), ...(tls === null || implicit ? ['STARTTLS'] : [])],
    ...(tls !== null && tls),
    onAuth({ username, password }, _session, callback) {
      said.push(username ?? '');
      if (username === login?.user && password === login?.password) callback(null, { user: username });
      else callback(new Error('no'));
    },
    onRcptTo(_address, _session, callback) {
      if (refuse === undefined) callback();
      else callback(Object.assign(new Error('no'), { responseCode: refuse }));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          envelope: { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) },
          raw: Buffer.concat(chunks).toString(), secure: session.secure, user: session.user ?? null,
        });
        callback();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port, mails, said,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
    }),
  };
}
