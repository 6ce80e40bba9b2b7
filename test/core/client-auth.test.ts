import { describe, expect, test } from 'bun:test';
import { findAuthFault, liveSecrets, parseBasic, readCredentials, type AuthFailure, type CredentialReading } from '../../src/core/client-auth.ts';
import type { Client } from '../../src/core/model.ts';
import type { AuthMethod } from '../../src/spec/names.ts';
import { aClient, aSecret, T0 } from '../storage/samples.ts';

/** Basic credentials from the text between the colon's sides, as sent. */
const of = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const ab = { user: 'a', password: 'b' };

describe('RFC 6749 §2.3.1 · Basic', () => {
  const good: readonly (readonly [name: string, header: string, read: { user: string; password: string }])[] = [
    ['CA-01 plain', of('a:b'), ab],
    ['CA-02 escaped colon, percent, plus, space and UTF-8', of('app%3A1:p%25%2B+%C3%A9'), { user: 'app:1', password: 'p%+ é' }],
    ['CA-01 a colon within the secret', of('a:b:c'), { user: 'a', password: 'b:c' }],
    ['CA-01 an empty secret', of('a:'), { user: 'a', password: '' }],
    ['CA-06 any letter case', `bAsIc ${Buffer.from('a:b').toString('base64')}`, ab],
    ['CA-06 several spaces', `Basic   ${Buffer.from('a:b').toString('base64')}`, ab],
    ['CA-01 plus is a space, in the user too', of('a+b:c'), { user: 'a b', password: 'c' }],
  ];
  test.each(good)('%s', (_name, header, read) => {
    expect(parseBasic(header)).toEqual(read);
  });

  const bad: readonly (readonly [name: string, header: string])[] = [
    ['CA-04 a broken escape', of('a:%zz')],
    ['CA-04 a broken escape in the user', of('%:b')],
    ['CA-04 an escape that is no UTF-8', of('a:%ff%fe')],
    ['CA-04 no colon', of('ab')],
    ['CA-04 an empty user', of(':b')],
    ['CA-04 NUL', of('a:%00')],
    ['CA-04 a line feed', of('a%0A:b')],
    ['CA-04 DEL', of('a:%7F')],
    ['CA-05 foreign characters', `Basic !!!${Buffer.from('a:b').toString('base64')}`],
    ['CA-05 data after the padding', `Basic ${Buffer.from('a:bb').toString('base64')}YQ==`],
    ['CA-05 the URL alphabet', `Basic ${Buffer.from('a:\u00FB\u00FF').toString('base64url')}_-`],
    ['CA-05 missing padding', `Basic ${Buffer.from('a:bb').toString('base64').replaceAll('=', '')}`],
    ['CA-05 white space within', 'Basic YTpi YTpi'],
    ['CA-05 nothing', 'Basic '],
    ['CA-06 a tab', `Basic\t${Buffer.from('a:b').toString('base64')}`],
    ['CA-06 no space', `Basic${Buffer.from('a:b').toString('base64')}`],
    ['CA-07 two headers, joined', `${of('a:b')}, ${of('a:b')}`],
    ['CA-07 two headers, joined without a space', `${of('a:b')},${of('a:b')}`],
    ['another scheme', `Bearer ${Buffer.from('a:b').toString('base64')}`],
    ['a line feed after', `${of('a:b')}\n`],
  ];
  test.each(bad)('%s is refused', (_name, header) => {
    expect(parseBasic(header)).toBeNull();
  });

  test('CA-03 what is sent raw reads as something else: one credential, one spelling', () => {
    expect(parseBasic(of('app:1:p%25'))).toEqual({ user: 'app', password: '1:p%' });
    expect(parseBasic(of('a:p%+ é'))).toBeNull();
    expect(parseBasic(of('a:é'))?.password).not.toBe('é');
  });
});

const presented = (method: AuthMethod, clientId: string, secret: string | null): CredentialReading => ({ ok: true, presented: { method, clientId, secret } });
const malformed: CredentialReading = { ok: false, fault: 'malformed' };
const unsupported: CredentialReading = { ok: false, fault: 'unsupported' };
type Form = Parameters<typeof readCredentials>[1];

describe('RFC 6749 §2.3 · one method per request', () => {
  const rows: readonly (readonly [name: string, header: string | null, form: Form, reading: CredentialReading])[] = [
    ['INT-40 nothing', null, {}, { ok: true, presented: null }],
    ['CA-01 Basic', of('a:b'), {}, presented('client_secret_basic', 'a', 'b')],
    ['CA-08 in the body', null, { client_id: 'a', client_secret: 'b' }, presented('client_secret_post', 'a', 'b')],
    ['INT-43, CA-12 an id alone', null, { client_id: 'a' }, presented('none', 'a', null)],
    ['CA-10, INT-44 Basic and a secret in the body', of('a:b'), { client_secret: 'b' }, malformed],
    ['CA-10, INT-44 … with its id', of('a:b'), { client_id: 'a', client_secret: 'b' }, malformed],
    ['INT-45 Basic and the same id in the body', of('a:b'), { client_id: 'a' }, presented('client_secret_basic', 'a', 'b')],
    ['INT-45 Basic and another id in the body', of('a:b'), { client_id: 'c' }, malformed],
    ['INT-46, CA-10 Basic and an assertion', of('a:b'), { client_assertion: 'x' }, malformed],
    ['CA-10 a secret and an assertion', null, { client_id: 'a', client_secret: 'b', client_assertion: 'x' }, malformed],
    ['an assertion, which is not accepted yet', null, { client_assertion: 'x' }, unsupported],
    ['a secret without an id', null, { client_secret: 'b' }, malformed],
    ['CA-04 broken Basic', 'Basic %%%', {}, malformed],
    ['CA-06 Basic alone', 'Basic', {}, malformed],
    ['CA-07 two headers', `${of('a:b')}, ${of('a:b')}`, {}, malformed],
    ['CA-07 two headers of different schemes', `Bearer x, ${of('a:b')}`, {}, malformed],
    ['INT-49 Bearer', 'Bearer x', {}, unsupported],
    ['INT-49 Bearer beside credentials in the body', 'Bearer x', { client_id: 'a', client_secret: 'b' }, unsupported],
    ['a scheme that only begins like Basic', 'Basically YTpi', {}, unsupported],
  ];
  test.each(rows)('%s', (_name, header, form, reading) => {
    expect(readCredentials(header, form)).toEqual(reading);
  });
});

describe('who may use which method', () => {
  const rows: readonly (readonly [name: string, method: AuthMethod, client: Client | null, fault: AuthFailure | null])[] = [
    ['INT-48 unknown', 'client_secret_basic', null, 'unknown_client'],
    ['INT-48 deleted', 'client_secret_basic', aClient({ deletedAtMs: T0 }), 'unknown_client'],
    ['INT-48 disabled', 'client_secret_post', aClient({ disabledAtMs: T0 }), 'disabled_client'],
    ['CA-11 any method of its kind', 'client_secret_basic', aClient(), null],
    ['CA-11 any method of its kind, in the body', 'client_secret_post', aClient(), null],
    ['CA-11 narrowed to this one', 'client_secret_post', aClient({ authMethod: 'client_secret_post' }), null],
    ['CA-11 narrowed to the other', 'client_secret_basic', aClient({ authMethod: 'client_secret_post' }), 'wrong_method'],
    ['CA-12 a confidential client without its secret', 'none', aClient(), 'no_secret'],
    ['CA-13 a public client with a secret', 'client_secret_post', aClient({ public: true, secrets: [] }), 'wrong_method'],
    ['REV-08 a public client', 'none', aClient({ public: true, secrets: [] }), null],
    ['INT-48 a disabled public client', 'none', aClient({ public: true, disabledAtMs: T0 }), 'disabled_client'],
  ];
  test.each(rows)('%s', (_name, method, client, fault) => {
    expect(findAuthFault({ method, clientId: 'cli_1', secret: method === 'none' ? null : 'x' }, client)).toBe(fault);
  });

  test('CA-15, CA-16 secrets that still count', () => {
    const client = aClient({ secrets: [aSecret({ id: 'for ever' }), aSecret({ id: 'ends', expiresAtMs: T0 })] });
    const live = (nowMs: number) => liveSecrets(client, nowMs).map(({ id }) => id);
    expect(live(T0 - 1)).toEqual(['for ever', 'ends']);
    expect(live(T0)).toEqual(['for ever']);
  });
});
