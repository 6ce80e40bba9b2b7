/** Requests that introspection and revocation answer alike, whatever the token: what is wrong with a form, and what is not. */
import { gzipSync } from 'node:zlib';
import { basic } from './server.ts';
import { posted, type Body, type Credentials } from './fixture.ts';

/** What a row needs to know to make its request. */
export type RequestWorld = { readonly token: string; readonly client: Credentials };

/** A request but for its URL; `query` is appended to that. */
export type RowRequest = { readonly body?: Body; readonly headers?: Readonly<Record<string, string>>; readonly query?: string; readonly method?: string };

/** `wants`: a status and code of E(s,code), or the answer that the plain request gets. */
export type RequestRow = {
  readonly ids: string;
  readonly name: string;
  readonly request: (world: RequestWorld) => RowRequest;
  readonly wants: 'as the plain request' | { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> };
};

const FORM = 'application/x-www-form-urlencoded';
const invalid = { status: 400, code: 'invalid_request' } as const;
const unknownClient = { status: 401, code: 'invalid_client' } as const;
const same = 'as the plain request';

const text = (form: Readonly<Record<string, string>>): string => new URLSearchParams(form).toString();
const credentials = ({ client }: RequestWorld): string => text(posted(client));
const withBasic = (world: RequestWorld, body: Body, headers: Readonly<Record<string, string>> = {}): RowRequest => ({
  body, headers: { Authorization: basic(world.client.id, world.client.secret), 'Content-Type': FORM, ...headers },
});

/** Rows by the body alone, sent with Basic credentials. */
const bodies: readonly (readonly [ids: string, name: string, body: (world: RequestWorld) => Body, wants: RequestRow['wants']])[] = [
  ['INT-04', 'no token', () => 'token_type_hint=access_token', invalid],
  ['INT-04', 'an empty body', () => '', invalid],
  ['INT-05', 'an empty token', () => 'token=', invalid],
  ['INT-05', 'a token without "="', () => 'token', invalid],
  ['INT-05', 'an empty hint is as none', ({ token }) => `token=${token}&token_type_hint=`, same],
  ['INT-06', 'the token twice', ({ token }) => `token=${token}&token=${token}`, invalid],
  ['INT-06', 'two tokens', ({ token }) => `token=${token}&token=other`, invalid],
  ['INT-06', 'an empty token and one', ({ token }) => `token=&token=${token}`, invalid],
  ['INT-06', 'the name once plain and once escaped', ({ token }) => `token=${token}&%74oken=other`, invalid],
  ['INT-07', 'the hint twice', ({ token }) => `token=${token}&token_type_hint=access_token&token_type_hint=refresh_token`, invalid],
  ['INT-08', 'the hint of the other kind', ({ token }) => `token=${token}&token_type_hint=refresh_token`, same],
  ['INT-09', 'an unknown hint', ({ token }) => `token=${token}&token_type_hint=foo`, same],
  ['INT-09', 'a hint of 4,000 characters', ({ token }) => `token=${token}&token_type_hint=${'x'.repeat(4000)}`, same],
  ['INT-10', 'unknown parameters, also repeated', ({ token }) => `scope=a&token=${token}&foo=1&foo=2&resource=x`, same],
  ['INT-10', 'names that mean something to other parsers', ({ token }) => `token[]=x&token[0]=x&__proto__=x&constructor=x&token=${token}`, same],
  ['INT-10, INT-22', 'broken escapes in an unknown parameter', ({ token }) => `foo=%zz&%zz=1&token=${token}`, same],
  ['INT-22', 'a broken escape in the token', ({ token }) => `token=${token}%zz`, invalid],
  ['INT-22', 'an escape cut off', ({ token }) => `token=${token}%2`, invalid],
  ['INT-22', 'escapes that are no UTF-8', () => 'token=%ff%fe', invalid],
  ['INT-22', 'an overlong UTF-8 escape', () => 'token=%c0%ae', invalid],
  ['INT-22', 'bytes that are no UTF-8', () => new Uint8Array([...Buffer.from('token='), 0xff, 0xfe]), invalid],
  ['INT-22', 'a broken escape in the hint', ({ token }) => `token=${token}&token_type_hint=%zz`, invalid],
  ['INT-24', 'a body of exactly 64 KiB', ({ token }) => `token=${token}&pad=`.padEnd(65_536, 'x'), same],
  ['INT-24', 'a body of 64 KiB and a byte', ({ token }) => `token=${token}&pad=`.padEnd(65_537, 'x'), { status: 413, code: 'request_too_large' }],
  ['INT-44', 'Basic and a secret in the body', (world) => `token=${world.token}&${credentials(world)}`, invalid],
  ['INT-44', 'Basic and a secret in the body without its client', ({ token }) => `token=${token}&client_secret=x`, invalid],
  ['INT-45', 'Basic and the same client in the body', ({ token, client }) => `token=${token}&client_id=${client.id}`, same],
  ['INT-45', 'Basic and another client in the body', ({ token }) => `token=${token}&client_id=other`, invalid],
  ['INT-46', 'Basic and an assertion', ({ token }) => `token=${token}&client_assertion=eyJ.eyJ.x&client_assertion_type=y`, invalid],
];

/** Rows by the whole request. */
const requests: readonly (readonly [ids: string, name: string, request: RequestRow['request'], wants: RequestRow['wants']])[] = [
  ['INT-07', 'client_id twice', (world) => ({ body: `token=${world.token}&client_id=${world.client.id}&${credentials(world)}` }), invalid],
  ['INT-07', 'client_secret twice', (world) => ({ body: `token=${world.token}&client_secret=x&${credentials(world)}` }), invalid],
  ['INT-07', 'client_assertion twice', (world) => ({ body: `token=${world.token}&client_assertion=x&client_assertion=x` }), invalid],
  ['INT-11', 'the token in the query alone', (world) => ({ ...withBasic(world, ''), query: `?token=${world.token}` }), invalid],
  ['INT-12', 'the token in query and body', (world) => ({ ...withBasic(world, text({ token: world.token })), query: `?token=${world.token}` }), invalid],
  ['INT-12', 'the token in the query under an escaped name', (world) => ({ ...withBasic(world, text({ token: world.token })), query: '?%74oken=x' }), invalid],
  ['INT-13', 'the secret in the query', (world) => ({ body: text({ token: world.token }), query: `?${credentials(world)}` }), invalid],
  ['INT-13', 'the secret in the query beside Basic', (world) => ({ ...withBasic(world, text({ token: world.token })), query: `?client_secret=${world.client.secret}` }), invalid],
  ['INT-10', 'an unknown parameter in the query', (world) => ({ ...withBasic(world, text({ token: world.token })), query: '?foo=1&lang=de' }), same],
  ['INT-17', 'JSON', (world) => withBasic(world, JSON.stringify({ token: world.token }), { 'Content-Type': 'application/json' }), invalid],
  ['INT-17, INT-26', 'JSON with the secret in it', ({ token, client }) => ({ body: JSON.stringify({ token, ...posted(client) }), headers: { 'Content-Type': 'application/json' } }), invalid],
  ['INT-18', 'multipart/form-data', (world) => {
    const body = new FormData();
    body.set('token', world.token);
    return { body, headers: { Authorization: basic(world.client.id, world.client.secret), 'Content-Type': '' } };
  }, invalid],
  ['INT-18', 'text/plain', (world) => withBasic(world, text({ token: world.token }), { 'Content-Type': 'text/plain' }), invalid],
  ['INT-18', 'no Content-Type', (world) => ({ body: new TextEncoder().encode(text({ token: world.token })), headers: { Authorization: basic(world.client.id, world.client.secret), 'Content-Type': '' } }), invalid],
  ...['application/xyz', 'application/x-www-form-urlencodedx', 'x/application/x-www-form-urlencoded', `${FORM}, ${FORM}`].map((type) => (
    ['INT-19', `Content-Type ${type}`, (world: RequestWorld) => withBasic(world, text({ token: world.token }), { 'Content-Type': type }), invalid] as const
  )),
  ...[`${FORM}; charset=UTF-8`, `${FORM};charset=utf-8`, 'Application/X-WWW-Form-URLencoded', `${FORM}; charset="utf-8"`, `${FORM.toUpperCase()};CHARSET=Utf-8`].map((type) => (
    ['INT-20', `Content-Type ${type}`, (world: RequestWorld) => withBasic(world, text({ token: world.token }), { 'Content-Type': type }), same] as const
  )),
  ...['utf-16', 'iso-8859-1', 'utf-8; charset=utf-16'].map((charset) => (
    ['INT-20', `charset=${charset}`, (world: RequestWorld) => withBasic(world, text({ token: world.token }), { 'Content-Type': `${FORM}; charset=${charset}` }), invalid] as const
  )),
  ['INT-21', 'a compressed body', (world) => withBasic(world, gzipSync(text({ token: world.token })), { 'Content-Encoding': 'gzip' }), { status: 415, code: 'invalid_request' }],
  ['INT-28', 'a wrong type before a wrong secret', ({ token, client }) => ({ body: token, headers: { Authorization: basic(client.id, 'wrong'), 'Content-Type': 'text/plain' } }), invalid],
  ['INT-28', 'duplicates before a wrong secret', ({ client }) => ({ body: 'token=a&token=b', headers: { Authorization: basic(client.id, 'wrong'), 'Content-Type': FORM } }), invalid],
  ['INT-28', 'a wrong secret before a missing token', ({ client }) => ({ body: '', headers: { Authorization: basic(client.id, 'wrong'), 'Content-Type': FORM } }), unknownClient],
  ['INT-40', 'no credentials', ({ token }) => ({ body: text({ token }) }), unknownClient],
  ['INT-41', 'a wrong secret by Basic', ({ token, client }) => ({ body: text({ token }), headers: { Authorization: basic(client.id, `${client.secret}x`), 'Content-Type': FORM } }), unknownClient],
  ['INT-42', 'a wrong secret in the body', ({ token, client }) => ({ body: text({ token, client_id: client.id, client_secret: 'wrong' }) }), unknownClient],
  ['INT-42', 'the client without its secret', ({ token, client }) => ({ body: text({ token, client_id: client.id }) }), unknownClient],
  ['INT-49', 'a bearer token for credentials', ({ token }) => ({ body: text({ token }), headers: { Authorization: `Bearer ${token}`, 'Content-Type': FORM } }), unknownClient],
  ...['PUT', 'PATCH', 'DELETE', 'GET'].map((method) => (
    ['INT-14..16, INT-28', `${method}, before anything else`, (world: RequestWorld) => ({
      method, headers: { 'Content-Type': 'text/plain', Authorization: basic(world.client.id, 'wrong') }, query: `?token=${world.token}`,
    }), { status: 405, code: 'method_not_allowed', headers: { allow: 'POST' } }] as const
  )),
];

/** All rows. */
export const requestRows: readonly RequestRow[] = [
  ...bodies.map(([ids, name, body, wants]) => ({ ids, name, wants, request: (world: RequestWorld) => withBasic(world, body(world)) })),
  ...requests.map(([ids, name, request, wants]) => ({ ids, name, request, wants })),
];
