import { describe, expect, test } from 'bun:test';
import { defaultMailFrom, isMailAddress, parseSmtpUrl } from '../../src/core/smtp.ts';

describe('the URL of a mail server', () => {
  test.each([
    ['submission', 'smtp://mx.example.com', { host: 'mx.example.com', port: 587, implicitTls: false, requireTls: true, login: null }],
    ['submissions', 'smtps://mx.example.com', { host: 'mx.example.com', port: 465, implicitTls: true, requireTls: false, login: null }],
    ['a port and a login', 'smtp://me%40example.com:p%3A%2Fw@mx.example.com:25/', { host: 'mx.example.com', port: 25, implicitTls: false, requireTls: true, login: { user: 'me@example.com', password: 'p:/w' } }],
    ['this machine, in clear', 'smtp://127.0.0.1:1025', { host: '127.0.0.1', port: 1025, implicitTls: false, requireTls: false, login: null }],
    ['this machine by name', 'smtp://localhost', { host: 'localhost', port: 587, implicitTls: false, requireTls: false, login: null }],
    ['this machine, IPv6', 'smtp://[::1]:25', { host: '::1', port: 25, implicitTls: false, requireTls: false, login: null }],
    ['capitals', 'SMTP://MX.Example.com', { host: 'mx.example.com', port: 587, implicitTls: false, requireTls: true, login: null }],
  ])('%s', (_what, url, server) => {
    expect(parseSmtpUrl(url)).toEqual(server);
  });

  test.each([
    '', 'mx.example.com', 'http://mx.example.com', 'smtp:mx', 'smtp://', 'smtp://user@mx.example.com', 'smtp://u:p@q@mx', 'smtp://u:%zz@mx', 'smtp://mx:0', 'smtp://mx:65536', 'smtp://mx/path', 'smtp://mx?x=1',
    'smtp://mx#x', 'smtp://m x', 'smtp://mx\n', 'smtp://u:p w@mx',
  ])('%j is none', (url) => {
    expect(parseSmtpUrl(url)).toBeNull();
  });

  test.each(['ann@example.com', 'a.b+c@x', '\u00FCmit@b\u00FCcher.example', 'assay@[127.0.0.1]', 'assay@[::1]'])('%s is a mail address', (address) => {
    expect(isMailAddress(address)).toBe(true);
  });

  test.each([
    '', 'ann', '@example.com', 'ann@', 'Ann <ann@example.com>', 'ann@example.com, eve@example.com', 'ann@example.com\r\nBcc: eve@example.com', 'ann@example.com\n', 'ann@exa mple.com', 'a\u0000@example.com',
    'ann@example.com;eve@example.com', `${'a'.repeat(65)}@example.com`, `a@${'b'.repeat(254)}`, 'a@b@c', 'ann(comment)@example.com', 'a\u2028@example.com',
  ])('%j is none, or more than one', (address) => {
    expect(isMailAddress(address)).toBe(false);
  });

  test.each([['id.example.com', 'assay@id.example.com'], ['localhost:8080', 'assay@localhost'], ['127.0.0.1:8080', 'assay@[127.0.0.1]'], ['[::1]:8080', 'assay@[::1]']])('mails of %s come from %s', (host, from) => {
    expect(defaultMailFrom(host)).toBe(from);
    expect(isMailAddress(from)).toBe(true);
  });
});
