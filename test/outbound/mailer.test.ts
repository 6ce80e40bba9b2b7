import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import type { Mail } from '../../src/core/outbound.ts';
import { parseSmtpUrl, type SmtpServer } from '../../src/core/smtp.ts';
import { makeMailer } from '../../src/outbound/mailer.ts';
import { makeCertificate } from '../helpers/certificate.ts';
import { needProgram } from '../helpers/programs.ts';
import { startMailSink, type MailSink, type MailSinkOptions } from './mail-sink.ts';

const openssl = await needProgram('openssl');
const certificate = openssl === undefined ? undefined : makeCertificate(openssl);
const tls = certificate === undefined ? null : { key: readFileSync(certificate.keyFile, 'utf8'), cert: certificate.pem };

const mail: Mail = { id: 'out_1', fromName: 'Acme, "Inc."', to: 'ann@example.com', subject: 'Your code \u00FCber alles', text: 'Line one\n.\nA dot: gr\u00FC\u00DFe\n\nhttps://id.example/x?y=1&z=2\n' };
const from = 'assay@id.example.com';

let sink: MailSink | null = null;
async function open(options: MailSinkOptions = {}): Promise<MailSink> {
  sink = await startMailSink(options);
  return sink;
}
afterEach(async () => {
  await sink?.close();
  sink = null;
});

function serverAt(url: string, change: Partial<SmtpServer> = {}): SmtpServer {
  const server = parseSmtpUrl(url);
  if (server === null) throw new Error(`${url} is none`);
  return { ...server, ...change };
}

describe('a mail on the wire', () => {
  test('plain text, with every header and nothing that loads', async () => {
    const { port, mails } = await open();
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'sent' });
    expect(mails.map(({ envelope }) => envelope)).toEqual([{ from, to: ['ann@example.com'] }]);
    const [head = '', body = ''] = mails[0]?.raw.split(/\r\n\r\n([\s\S]*)/) ?? [];
    const headers = Object.fromEntries(head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    expect(headers).toEqual({
      'from': '"Acme, \\"Inc.\\"" <assay@id.example.com>', 'to': 'ann@example.com', 'subject': '=?UTF-8?Q?Your_code_=C3=BCber_alles?=', 'message-id': '<out_1@id.example.com>',
      'auto-submitted': 'auto-generated', 'date': expect.any(String), 'mime-version': '1.0', 'content-type': 'text/plain; charset=utf-8', 'content-transfer-encoding': expect.stringMatching(/^(?:quoted-printable|base64|8bit)$/),
    });
    const text = headers['content-transfer-encoding'] === 'base64' ? Buffer.from(body, 'base64').toString() : decodeQuoted(body);
    expect(text.replaceAll('\r\n', '\n').trimEnd()).toBe(mail.text.trimEnd());
  });

  test.each<readonly [string, Partial<Mail>]>([
    ['a recipient with a header', { to: 'ann@example.com\r\nBcc: eve@example.com' }], ['two recipients', { to: 'ann@example.com, eve@example.com' }], ['a recipient with a name', { to: 'Ann <ann@example.com>' }],
    ['a subject with a header', { subject: 'Hi\r\nBcc: eve@example.com' }], ['a subject with a line end', { subject: 'Hi\n' }], ['a sender\'s name with a header', { fromName: 'Acme\r\nBcc: eve@example.com' }],
    ['an id with a header', { id: 'x>\r\nBcc: eve@example.com' }], ['a group for a recipient', { to: 'all: ann@example.com, eve@example.com;' }],
  ])('SS-08 %s is not sent', async (_what, change) => {
    const { port, mails } = await open();
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })({ ...mail, ...change })).toEqual({ kind: 'refused', why: 'malformed' });
    expect(mails).toEqual([]);
  });

  test('text that looks like a file or an address is text', async () => {
    const { port, mails } = await open();
    await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })({ ...mail, text: 'file:///etc/passwd' });
    expect(mails[0]?.raw).toContain('file:///etc/passwd');
  });
});

describe('TLS and login', () => {
  test.skipIf(tls === null)('STARTTLS, verified, before the login', async () => {
    const { port, mails } = await open({ tls, login: { user: 'me@example.com', password: 'p:/w' } });
    const server = serverAt(`smtp://me%40example.com:p%3A%2Fw@127.0.0.1:${port}`, { requireTls: true });
    expect(await makeMailer(server, { from, ca: tls?.cert ?? '' })(mail)).toEqual({ kind: 'sent' });
    expect(mails.map(({ secure, user }) => ({ secure, user }))).toEqual([{ secure: true, user: 'me@example.com' }]);
    expect((await makeMailer(server, { from })(mail)).kind).toBe('failed');
    expect(mails).toHaveLength(1);
  });

  test('no STARTTLS there: nothing is said where it is required', async () => {
    const { port, mails, said } = await open({ login: { user: 'me', password: 'secret-of-smtp' } });
    expect((await makeMailer(serverAt(`smtp://me:secret-of-smtp@127.0.0.1:${port}`, { requireTls: true }), { from })(mail)).kind).toBe('failed');
    expect([mails, said]).toEqual([[], []]);
  });

  test.skipIf(tls === null)('smtps, verified', async () => {
    const { port, mails } = await open({ tls, implicit: true });
    expect(await makeMailer(serverAt(`smtps://127.0.0.1:${port}`), { from, ca: tls?.cert ?? '' })(mail)).toEqual({ kind: 'sent' });
    expect(mails[0]?.secure).toBe(true);
    expect((await makeMailer(serverAt(`smtps://127.0.0.1:${port}`), { from })(mail)).kind).toBe('failed');
    expect(mails).toHaveLength(1);
  });

  test('a login that is refused is the operator\'s to mend: the mail waits', async () => {
    const { port } = await open({ login: { user: 'me', password: 'right' }, clear: true });
    expect(await makeMailer(serverAt(`smtp://me:wrong@127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'failed', why: 'login' });
  });
});

describe('what a mail server says', () => {
  test('no: 550 is its last word', async () => {
    const { port } = await open({ refuse: 550 });
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'refused', why: 'smtp_550' });
  });

  test('not now: 451', async () => {
    const { port } = await open({ refuse: 451 });
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'failed', why: 'smtp_451' });
  });

  test('nothing: nobody is there', async () => {
    const { port } = await open();
    await sink?.close();
    sink = null;
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'failed', why: 'unreachable' });
  });

  test('nothing: it accepts and is mute', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => {
      mute.listen(0, '127.0.0.1', resolve);
    });
    const { port } = mute.address() as AddressInfo;
    expect(await makeMailer(serverAt(`smtp://127.0.0.1:${port}`), { from })(mail)).toEqual({ kind: 'failed', why: 'timeout' });
    mute.close();
  }, 15_000);
});

function decodeQuoted(text: string): string {
  const bytes = text.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
