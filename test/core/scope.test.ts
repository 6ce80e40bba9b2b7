import { describe, expect, test } from 'bun:test';
import { decideScope, isIdentityScope, parseScope } from '../../src/core/scope.ts';
import type { Resource } from '../../src/core/model.ts';
import { resourceOf } from './facts.ts';

describe('RFC 6749 §3.3 · the parameter scope', () => {
  const rows: readonly (readonly [name: string, text: string, words: readonly string[] | null])[] = [
    ['TOK-09 one word', 'a', ['a']],
    ['TOK-10 duplicates collapse, order is kept', 'b a b c a', ['b', 'a', 'c']],
    ['TOK-09 every allowed character', '! #$%&\'()*+,-./:;<=>?@[ ]^_`{|}~', ['!', '#$%&\'()*+,-./:;<=>?@[', ']^_`{|}~']],
    ['TOK-09 empty', '', null],
    ['TOK-09 a quotation mark', 'a"b', null],
    ['TOK-09 a backslash', 'a\\b', null],
    ['TOK-09 a double space', 'a  b', null],
    ['TOK-09 a leading space', ' a', null],
    ['TOK-09 a trailing space', 'a ', null],
    ['TOK-09 a tab', 'a\tb', null],
    ['TOK-09 a line feed at the end', 'a\n', null],
    ['TOK-09 a letter that is not ASCII', 'é', null],
    ['TOK-10 a hundred words', Array.from({ length: 100 }, (_, index) => `s${index}`).join(' '), Array.from({ length: 100 }, (_, index) => `s${index}`)],
    ['TOK-10 a hundred and one', Array.from({ length: 101 }, (_, index) => `s${index}`).join(' '), null],
    ['TOK-10 4096 characters', 'x'.repeat(4096), ['x'.repeat(4096)]],
    ['TOK-10 4097 characters', 'x'.repeat(4097), null],
  ];
  test.each(rows)('%s', (_name, text, words) => {
    expect(parseScope(text)).toEqual(words);
  });

  test('scopes that speak of a person', () => {
    expect(['openid', 'profile', 'email', 'offline_access', 'OpenID', 'orders'].filter(isIdentityScope)).toEqual(['openid', 'profile', 'email', 'offline_access']);
  });
});

describe('scope granted = asked ∩ client ∩ resources', () => {
  const registered = ['openid', 'email', 'orders:read', 'orders:write', 'users:read'];
  const orders = resourceOf('cli_2', { scopes: ['orders:read', 'orders:write', 'orders:delete'] });
  const users = resourceOf('cli_2', { uri: 'urn:users', scopes: ['users:read'] });
  const open = resourceOf('cli_2', { uri: 'urn:open', scopes: [] });
  const rows: readonly (readonly [name: string, asked: readonly string[] | null, resources: readonly Resource[], user: boolean, granted: readonly string[] | null])[] = [
    ['TCC-03 none asked, a client for itself: all registered but what speaks of a person', null, [], false, ['orders:read', 'orders:write', 'users:read']],
    ['none asked, a user: all registered', null, [], true, registered],
    ['TRT-02, TCC-03 asked beyond the registration', ['orders:read', 'admin'], [], true, null],
    ['TCC-04 openid without a user', ['openid'], [], false, null],
    ['TCC-04 email without a user', ['email', 'orders:read'], [], false, null],
    ['asked in the order asked', ['users:read', 'openid'], [], true, ['users:read', 'openid']],
    ['none asked at a resource: client ∩ resource', null, [orders], false, ['orders:read', 'orders:write']],
    ['none asked at a resource, a user: the person\'s beside', null, [orders], true, ['openid', 'email', 'orders:read', 'orders:write']],
    ['asked what the resource does not know', ['users:read'], [orders], true, null],
    ['asked what the resource knows and the client has not', ['orders:delete'], [orders], true, null],
    ['identity scopes stay grantable beside the resource\'s own', ['openid', 'orders:read'], [orders], true, ['openid', 'orders:read']],
    ['several resources add up', null, [orders, users], false, ['orders:read', 'orders:write', 'users:read']],
    ['a resource that declares none does not narrow', ['users:read'], [orders, open], false, ['users:read']],
    ['nothing left is granted as nothing', null, [resourceOf('x', { scopes: ['zzz'] })], false, []],
  ];
  test.each(rows)('%s', (_name, asked, resources, user, granted) => {
    expect(decideScope(asked, registered, resources, user)).toEqual(granted === null ? { ok: false } : { ok: true, scopes: granted });
  });
});
