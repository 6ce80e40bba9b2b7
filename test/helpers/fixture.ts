/**
 * Furnishes a running server: tenants of every preset, clients, users and their tokens, made in this process through the
 * acts that the command line uses; forged tokens; and requests whose whole answer can be compared.
 */
import { Database } from 'bun:sqlite';
import { constants, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Application } from '../../src/app/open.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import { issuerOf } from '../../src/core/issuer.ts';
import { layouts, tenantPrefix, type EndpointName } from '../../src/core/layouts.ts';
import type { LayoutName, Tenant, User } from '../../src/core/model.ts';
import type { TenantChange } from '../../src/core/tenant-settings.ts';
import { sealedFor } from '../../src/core/sealed.ts';
import { unseal } from '../../src/keys/seal.ts';
import { issueToken, type TokenWish } from '../../src/service/issue-token.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import type { Managed } from '../../src/service/manage-outcome.ts';
import { createResource, type ResourceWish } from '../../src/service/manage-resources.ts';
import { createTenant } from '../../src/service/manage-tenants.ts';
import { createUser } from '../../src/service/manage-users.ts';
import type { TokenResponse } from '../../src/spec/introspection.ts';
import type { Certificate } from './certificate.ts';
import { basic, openData, removeFolder, startServer, untilReady, type RunningServer, type ServerOptions } from './server.ts';
import { listAudit } from './trail.ts';

/** A running server, and its data open in this process beside it. */
export type Fixture = {
  readonly server: RunningServer;
  readonly application: Application;
  /** Ends both and removes the data. */
  close(): Promise<void>;
};

/** A confidential client as its owner knows it. */
export type Credentials = { readonly id: string; readonly secret: string };

/** Starts a server without rate limits, which would otherwise stop tests that send many wrong secrets. */
export async function startFixture(options: ServerOptions & { readonly certificate?: Certificate } = {}): Promise<Fixture> {
  const { certificate } = options;
  const tls = certificate === undefined ? [] : ['--tls-cert', certificate.certFile, '--tls-key', certificate.keyFile];
  const server = await startServer({ ...options, args: [...tls, ...(options.args ?? [])], env: { ASSAY_RATE_LIMITS: 'off', ...options.env } });
  if (certificate === undefined) await untilReady(server);
  else await until('the server is ready', async () => (await fetch(`https://127.0.0.1:${server.port}/readyz`, { tls: { ca: certificate.pem } })).status === 200);
  const application = await openData(server.data);
  return {
    server,
    application,
    async close() {
      await application.close();
      await server.stop();
      removeFolder(server.data);
    },
  };
}

/** The value of an act that must succeed. @throws Error with its description */
export function must<T>(outcome: Managed<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error}: ${outcome.description}`);
  return outcome.value;
}

/** The tenant `default`, at the root of the server's own origin. */
export async function defaultTenant({ application }: Fixture): Promise<Tenant> {
  const tenant = await application.ctx.store.findTenant({ slug: 'default' });
  if (tenant === null) throw new Error('there is no tenant default');
  return tenant;
}

/**
 * Makes a tenant. Its home is what the preset says; presets at `root` own `SLUG.localhost:PORT`. Keys are ES256 unless
 * told otherwise, because RSA keys take their time.
 */
export async function makeTenant({ application, server }: Fixture, slug: string, change: TenantChange = {}): Promise<Tenant> {
  const rooted = change.layout === 'root' || (change.layout === undefined && ['aero2', 'avnology', 'workos'].includes(change.preset ?? ''));
  return must(await createTenant(application.ctx, slug, {
    algorithm: 'ES256', ...(rooted && { host: `${slug}.localhost:${server.port}` }), ...change,
  }));
}

/** Makes a confidential client. `supplied` brings its own secret along, `ttl` (seconds) lets it expire. */
export async function makeClient(
  { application }: Fixture,
  tenant: Tenant,
  id: string | null = null,
  change: ClientChange = {},
  secret: { readonly supplied?: string; readonly ttl?: number } = {},
): Promise<Credentials> {
  const wish = { supplied: secret.supplied ?? null, ttl: secret.ttl ?? null };
  const made = must(await createClient(application.ctx, tenant, { id, public: false, change, secret: wish }));
  if (made.secret === null) throw new Error('a confidential client has no secret');
  return { id: made.client.id, secret: made.secret.text };
}

/** Makes a public client and returns its id. */
export async function makePublicClient({ application }: Fixture, tenant: Tenant, id: string, change: ClientChange = {}): Promise<string> {
  return must(await createClient(application.ctx, tenant, { id, public: true, change, secret: { supplied: null, ttl: null } })).client.id;
}

/** Makes a user. */
export async function makeUser({ application }: Fixture, tenant: Tenant, username: string, email = `${username}@example.com`, id: string | null = null): Promise<User> {
  return must(await createUser(application.ctx, tenant, id, { username, email, emailVerified: true, name: `The ${username}` }));
}

/** Registers a resource with the client that answers for it. */
export async function makeResource({ application }: Fixture, tenant: Tenant, wish: Pick<ResourceWish, 'uri'> & Partial<ResourceWish>): Promise<void> {
  must(await createResource(application.ctx, tenant, { scopes: [], owner: null, tokenFormat: null, ...wish }));
}

/** What `assay token issue` does; with a user, a real grant. */
export async function issue({ application }: Fixture, tenant: Tenant, client: string, wish: Partial<Omit<TokenWish, 'client'>> = {}): Promise<TokenResponse> {
  return must(await issueToken(application.ctx, tenant, { client, user: null, org: null, session: null, scopes: null, audience: [], ...wish }));
}

/** Access and refresh token of a user's new grant; the client must have the grant `refresh_token`. */
export async function issuePair(fixture: Fixture, tenant: Tenant, client: string, user: string, wish: Partial<Omit<TokenWish, 'client' | 'user'>> = {}): Promise<{ readonly access: string; readonly refresh: string }> {
  const { access_token: access, refresh_token: refresh } = await issue(fixture, tenant, client, { user, ...wish });
  if (refresh === undefined) throw new Error('the client gets no refresh tokens');
  return { access, refresh };
}

/** URL of an endpoint at a layout; for `root`, at the tenant's hostname unless it is `default`. */
export function urlOf({ application }: Fixture, tenant: Tenant, layout: LayoutName, endpoint: EndpointName, alias = 0): string {
  const { origin } = application.ctx;
  const base = layout === 'root' && tenant.host !== null ? `${origin().scheme}://${tenant.host}` : origin().url;
  const path = layouts[layout].paths[endpoint][alias];
  if (path === undefined) throw new Error(`${layout} has no such ${endpoint} URL`);
  return base + tenantPrefix(layouts[layout], tenant.slug) + path.path;
}

/** Canonical URL of an endpoint: where discovery sends clients. */
export function homeUrl(fixture: Fixture, tenant: Tenant, endpoint: EndpointName): string {
  return urlOf(fixture, tenant, tenant.layout, endpoint);
}

/** The tenant's issuer. */
export function issuer({ application }: Fixture, tenant: Tenant): string {
  return issuerOf(tenant, application.ctx.origin());
}

// ---------------------------------------------------------------------------------------------------------- requests

/** A whole answer. Headers are all of them, in lower case and sorted, but `Date` and `X-Request-Id`. */
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type Form = Readonly<Record<string, string>> | URLSearchParams | string;

/** What a request may carry. */
export type Body = string | Uint8Array<ArrayBuffer> | FormData;

const FORM = 'application/x-www-form-urlencoded';

/** Any request; the machine needs no resolver for `x.localhost`. Redirects are not followed, nothing is kept alive in between tests. */
export async function send(url: string, init: { readonly method?: string; readonly body?: Body; readonly headers?: Readonly<Record<string, string>> }): Promise<Answer> {
  const { protocol, host, port, hostname } = new URL(url);
  const reachable = hostname.endsWith('.localhost') ? url.replace(`${protocol}//${host}`, `${protocol}//127.0.0.1:${port}`) : url;
  const response = await fetch(reachable, { redirect: 'manual', ...init, headers: { Host: host, ...init.headers } });
  return wholeAnswer(response);
}

/** What there is of a response. */
export async function wholeAnswer(response: Response): Promise<Answer> {
  const headers = [...response.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id').sort(([a], [b]) => (a < b ? -1 : 1));
  return { status: response.status, headers: Object.fromEntries(headers), body: await response.text() };
}

/** POSTs a form, with `Authorization: Basic` of a client when one is given. */
export function post(url: string, form: Form, as: Credentials | null = null, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form as Record<string, string>).toString();
  return send(url, {
    method: 'POST', body, headers: { 'Content-Type': FORM, ...(as !== null && { Authorization: basic(as.id, as.secret) }), ...headers },
  });
}

/** Credentials as form parameters (client_secret_post). */
export function posted(client: Credentials): { readonly client_id: string; readonly client_secret: string } {
  return { client_id: client.id, client_secret: client.secret };
}

/** Introspects at the tenant's home; the answer's body as JSON. @throws Error when it is not a 200 */
export async function introspect(fixture: Fixture, tenant: Tenant, caller: Credentials, token: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await post(homeUrl(fixture, tenant, 'introspect'), { token }, caller);
  if (answer.status !== 200) throw new Error(`introspection answered ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as Record<string, unknown>;
}

/** Sends bytes as they are on a connection of its own, and reads until the server closes or `quietMs` pass without a byte. */
export function sendRaw(port: number, bytes: string | Uint8Array, quietMs = 400): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    const end = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    };
    socket.setTimeout(quietMs, end);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) end();
    });
    socket.on('end', end);
    socket.on('error', (error) => (chunks.length > 0 ? end() : reject(error)));
  });
}

/** Whether an HTTP/1.x answer with a Content-Length is all there. */
function isWhole(text: string): boolean {
  const [, head, length] = /^([\s\S]*?\r\ncontent-length: *([0-9]+)\r\n[\s\S]*?\r\n\r\n|[\s\S]*?\r\ncontent-length: *([0-9]+)\r\n\r\n)/i.exec(text) ?? [];
  const declared = length ?? /content-length: *([0-9]+)/i.exec(head ?? '')?.[1];
  return head !== undefined && declared !== undefined && text.length >= head.length + Number(declared);
}

/** A raw POST of a form to a path exactly as written, with the server's own Host. */
export function rawPost({ server }: Pick<Fixture, 'server'>, path: string, body: string, headers: readonly string[] = []): Promise<string> {
  return sendRaw(server.port, [
    `POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, `Content-Type: ${FORM}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body,
  ].join('\r\n'));
}

/** A port that was free a moment ago, for programs that cannot choose one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

// ------------------------------------------------------------------------------------------------ what must be so

/** Headers of every protocol answer over http; with `Content-Length` they are all of its headers. */
export const protocolHeaders = {
  'cache-control': 'no-store', 'content-type': 'application/json', pragma: 'no-cache', 'x-content-type-options': 'nosniff',
} as const;

export const BASIC_CHALLENGE = 'Basic realm="assay", charset="UTF-8"';

/** The one answer for every token that is not good or not the caller's business. */
export const INACTIVE: Answer = { status: 200, headers: sorted({ ...protocolHeaders, 'content-length': '16' }), body: '{"active":false}' };

/** A whole answer with JSON of this text. */
export function jsonAnswer(status: number, body: string, extra: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: sorted({ ...protocolHeaders, 'content-length': String(Buffer.byteLength(body)), ...extra }), body };
}

function sorted(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What is wrong with an OAuth error answer, for `expect(errorFault(…)).toBe(null)`: status, code, every header, the
 * members, and the description's characters (RFC 6749 §5.2).
 */
export function errorFault(answer: Answer, status: number, code: string, extra: Readonly<Record<string, string>> = {}): string | null {
  const { error_description: description, error, ...more } = parseObject(answer.body);
  const wanted = jsonAnswer(status, answer.body, { ...(status === 401 && { 'www-authenticate': BASIC_CHALLENGE }), ...extra });
  if (answer.status !== status || error !== code) return `${answer.status} ${answer.body}, not ${status} ${code}`;
  if (!Bun.deepEquals(answer.headers, wanted.headers)) return `headers ${JSON.stringify(answer.headers)}, not ${JSON.stringify(wanted.headers)}`;
  if (Object.keys(more).length > 0) return `members ${Object.keys(more).join(', ')}`;
  return description === undefined || (typeof description === 'string' && /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(description)) ? null : `description ${JSON.stringify(description)}`;
}

/** A JSON object, or one member that says it is none. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  return { error: `not a JSON object: ${text}` };
}

/** JSON type of each member: `string`, `integer`, `number`, `boolean`, `array of string`, `object`, `null`. */
export function memberTypes(members: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, typeName(value)]));
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array of ${[...new Set(value.map(typeName))].join('|')}`;
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

/** Everything in the database but the audit trail and what the server writes for itself, as text that can be compared. */
export function storedState({ server }: Pick<Fixture, 'server'>): string {
  const db = new Database(join(server.data, 'assay.db'), { readonly: true });
  try {
    const tables = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const own = tables.filter(({ name }) => !/^(sqlite_|__|meta$|audit$|activity$|migrations$)/.test(name));
    return own.map(({ name }) => `${name} ${JSON.stringify(db.query(`SELECT * FROM "${name}" ORDER BY 1, 2`).all())}`).join('\n');
  } finally {
    db.close();
  }
}

/** Audit events of a type, newest first. */
export async function auditOf({ application }: Fixture, tenant: Tenant | null, type: string): Promise<readonly AuditEvent[]> {
  return listAudit(application.ctx.store, { type, limit: 10_000, ...(tenant !== null && { tenant: tenant.slug }) });
}

/** Waits until the newest event of a type, about this token, satisfies; the event. @throws Error after two seconds */
export async function untilAudited(fixture: Fixture, tenant: Tenant, type: string, token: string, is: (event: AuditEvent) => boolean = () => true): Promise<AuditEvent> {
  const fingerprint = fixture.application.ctx.fingerprint(token);
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const event = (await auditOf(fixture, tenant, type)).find((candidate) => candidate.fingerprint === fingerprint && is(candidate));
    if (event !== undefined) return event;
    await Bun.sleep(5);
  }
  throw new Error(`no audit event ${type} about this token`);
}

/** Asks again until the condition holds. @throws Error after `ms` */
export async function until(what: string, condition: () => Promise<boolean> | boolean, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await Bun.sleep(10);
  }
}

/** What a promise is rejected with; null when it is not. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => null, (error: unknown) => error);
}

// ------------------------------------------------------------------------------------------------------------ tokens

/** Parts of a JWT, decoded. */
export function decodeJwt(token: string): { readonly header: Readonly<Record<string, unknown>>; readonly claims: Readonly<Record<string, unknown>> } {
  const [header = '', claims = ''] = token.split('.');
  const read = (part: string): Record<string, unknown> => parseObject(Buffer.from(part, 'base64url').toString());
  return { header: read(header), claims: read(claims) };
}

/** base64url of a value's JSON, or of text as it is. */
export function encodePart(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** A signature over both parts: bytes. */
export type Signer = (input: Buffer) => Buffer;

/** A compact JWS of these parts; text parts are taken as they are, so that broken JSON can be signed too. */
export function makeJws(header: unknown, claims: unknown, signer: Signer): string {
  const input = `${encodePart(header)}.${encodePart(claims)}`;
  return `${input}.${signer(Buffer.from(input)).toString('base64url')}`;
}

/** How a private key signs. */
export function signWith(key: KeyObject, algorithm: string): Signer {
  switch (algorithm) {
    case 'RS256': return (input) => sign('sha256', input, key);
    case 'PS256': return (input) => sign('sha256', input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
    case 'ES256': return (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
    default: return (input) => sign(null, input, key);
  }
}

/** The tenant's own active key, unsealed: what an attacker never has, to forge what only looks wrong in one place. */
export async function tenantKey({ application: { ctx } }: Fixture, tenant: Tenant): Promise<{ readonly kid: string; readonly algorithm: string; readonly publicJwk: Readonly<Record<string, string>>; readonly signer: Signer }> {
  const row = (await ctx.store.listKeys(tenant.id)).find((key) => key.status === 'active');
  if (row === undefined) throw new Error('the tenant has no active key');
  const key = createPrivateKey(unseal(ctx.master, sealedFor.signingKey(tenant.id, row.kid), row.sealedPrivate));
  return { kid: row.kid, algorithm: row.algorithm, publicJwk: JSON.parse(row.publicJwk) as Record<string, string>, signer: signWith(key, row.algorithm) };
}

/**
 * A token with the claims of a good one but for the changes, signed with the tenant's real key. A claim that is
 * undefined is left out.
 */
export async function forge(
  fixture: Fixture,
  tenant: Tenant,
  good: string,
  change: { readonly header?: Readonly<Record<string, unknown>>; readonly claims?: Readonly<Record<string, unknown>> },
): Promise<string> {
  const { signer } = await tenantKey(fixture, tenant);
  const { header, claims } = decodeJwt(good);
  return makeJws({ ...header, ...change.header }, { ...claims, ...change.claims }, signer);
}

/** Seconds since the epoch. */
export function nowS(): number {
  return Math.floor(Date.now() / 1000);
}
