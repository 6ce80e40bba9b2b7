import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assayCommand, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document, type RunOptions } from './assay.ts';

let data: string;

const run = (args: readonly string[], options: RunOptions = {}) => assay([...args, '--data', data], options);
const json = async (args: readonly string[], options: RunOptions = {}): Promise<Document> => documentOf(await run([...args, '--json'], options));
const failure = async (args: readonly string[], code = 1, options: RunOptions = {}): Promise<Document> => documentOf(await run([...args, '--json'], options), code);

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

beforeAll(async () => {
  data = temporaryFolder();
  await json(['tenant', 'create', 'acme', '--alg', 'ES256', '--preset', 'kotauth', '--name', 'Acme']);
});
afterAll(() => removeFolder(data));

describe('assay tenant', () => {
  test('MTN-01 create, show, update and list print the tenant with its preset resolved', async () => {
    const shown = await json(['tenant', 'show', 'acme']);
    expect(shown).toEqual({
      slug: 'acme', name: 'Acme', preset: 'kotauth', layout: 'realm', host: null, issuer: 'http://127.0.0.1:8080/t/acme',
      introspection_policy: 'tenant', introspection_policy_mode: 'enforce', revocation_policy: 'tenant', refresh_revocation: 'session', shape: 'kotauth',
      default_audience: 'issuer', alg: 'ES256', access_token_ttl: 300, refresh_token_ttl: 86_400,
      registration: 'off', passwords: 'on', email_codes: 'on', passkeys: 'on', password_min_length: 12, session_idle_ttl: 43_200, session_ttl: 604_800,
      color: null, logo: null, messages: {}, claims: [], key_rotation_days: 90, audit_retention_days: null, limits: { tenant: null, client: null, address: null, account: null },
      introspection_endpoint: 'http://127.0.0.1:8080/t/acme/protocol/openid-connect/introspect',
      revocation_endpoint: 'http://127.0.0.1:8080/t/acme/protocol/openid-connect/revoke',
      token_endpoint: 'http://127.0.0.1:8080/t/acme/protocol/openid-connect/token', jwks_uri: 'http://127.0.0.1:8080/t/acme/protocol/openid-connect/certs',
      enabled: true, created_at: shown['created_at'],
    });
    expect(String(shown['created_at'])).toMatch(isoTime);
    expect(await json(['tenant', 'update', 'acme', '--name', 'Acme Ltd', '--introspection-policy-mode', 'report'])).toEqual({ ...shown, name: 'Acme Ltd', introspection_policy_mode: 'report' });
    expect(itemsOf(await run(['tenant', 'list', '--json'])).map((item) => item['slug'])).toEqual(['acme', 'default']);
  });

  test('disable, enable and delete', async () => {
    await json(['tenant', 'create', 'brief', '--alg', 'EdDSA', '--preset', 'workos', '--host', 'Brief.Example.com']);
    expect(await json(['tenant', 'disable', 'brief'])).toMatchObject({ slug: 'brief', host: 'brief.example.com', enabled: false });
    expect(await json(['tenant', 'enable', 'brief'])).toMatchObject({ enabled: true });
    expect(await failure(['tenant', 'delete', 'brief'], 2)).toMatchObject({ error: 'usage', error_description: expect.stringContaining('--yes') });
    expect(await json(['tenant', 'delete', 'brief', '--yes'])).toEqual({ ok: true });
    expect(await failure(['tenant', 'show', 'brief'])).toMatchObject({ error: 'not_found' });
  });

  test.each([
    ['MTN-08 a reserved slug', ['tenant', 'create', 'admin'], 'invalid_request', 2],
    ['a slug with a capital', ['tenant', 'create', 'Acme'], 'invalid_request', 2],
    ['a hostname that is a URL', ['tenant', 'create', 'x', '--host', 'http://foo'], 'invalid_request', 2],
    ['a second of the same name', ['tenant', 'create', 'acme'], 'already_exists', 1],
    ['root without a hostname', ['tenant', 'create', 'x', '--preset', 'aero2'], 'invalid_request', 2],
    ['deleting default', ['tenant', 'delete', 'default', '--yes'], 'conflict', 1],
    ['moving default', ['tenant', 'update', 'default', '--layout', 'org'], 'invalid_request', 2],
    ['a confidential client without authentication', ['client', 'create', '--auth-method', 'none'], 'invalid_request', 2],
    ['an organization with a space', ['client', 'create', '--org', 'a b'], 'invalid_request', 2],
    ['an address that is none', ['user', 'create', '--username', 'bob', '--email', 'bob'], 'invalid_request', 2],
  ] as const)('%s: %p fails with %s, code %d', async (_what, args, error, code) => {
    expect(await failure(args, code)).toEqual({ error, error_description: expect.any(String) });
  });
});

describe('assay client', () => {
  test('CA-17 create shows the secret once, list and show never', async () => {
    const created = await json(['client', 'create', '--id', 'svc', '--scope', 'api:read api:write', '--audience', 'https://a.example', '--audience', 'https://b.example', '--tenant', 'acme']);
    expect(String(created['client_secret'])).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    expect(created).toMatchObject({
      client_id: 'svc', tenant: 'acme', public: false, grants: ['client_credentials'], scope: 'api:read api:write', audience: ['https://a.example', 'https://b.example'], enabled: true,
    });
    const { client_secret: secret, ...rest } = created;
    expect(await json(['client', 'show', 'svc', '--tenant', 'acme'])).toEqual(rest);
    const list = await run(['client', 'list', '--tenant', 'acme', '--json']);
    expect(itemsOf(list)).toEqual([rest]);
    expect(list.out).not.toContain(String(secret));
  });

  test('for people it ends with a request to paste', async () => {
    const { out, code } = await run(['client', 'create', '--id', 'pasted', '--tenant', 'acme']);
    expect(code).toBe(0);
    expect(out).toMatch(/curl -sS http:\/\/127\.0\.0\.1:8080\/t\/acme\/protocol\/openid-connect\/introspect -u pasted:cs_[A-Za-z0-9_-]{43} -d token=TOKEN/);
    expect(out).not.toContain('\u001B');
  });

  test('CA-17 a supplied secret comes on standard input, and is not said back', async () => {
    const supplied = 'an-old-secret-of-ours';
    const created = await run(['client', 'create', '--id', '42', '--secret-stdin', '--secret-ttl', '60', '--json'], { stdin: `${supplied}\n` });
    expect(documentOf(created)).toMatchObject({ client_id: '42', secrets: [{ hash: 'argon2id' }] });
    expect(created.out + created.err).not.toContain(supplied);
    expect(await failure(['client', 'create', '--secret-stdin'], 2, { stdin: 'short\n' })).toMatchObject({ error: 'invalid_request' });
    expect(await failure(['client', 'create', '--secret-stdin'], 2)).toMatchObject({ error: 'usage' });
  });

  test('CA-16 rotate-secret, update, disable, enable, delete', async () => {
    expect(await json(['client', 'create', '--id', 'life', '--grant', 'device_code', '--grant', 'refresh_token'])).toMatchObject({
      grants: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    });
    const rotated = await json(['client', 'rotate-secret', 'life', '--overlap', '0']);
    expect(rotated).toMatchObject({ client_id: 'life', client_secret: expect.stringMatching(/^cs_/), secrets: [{ expires_at: expect.stringMatching(isoTime) }, { expires_at: null }] });
    expect(await json(['client', 'update', 'life', '--shape', 'workos', '--refresh-rotation', 'off'])).toMatchObject({ shape: 'workos', refresh_rotation: 'off', grants: rotated['grants'] });
    expect(await json(['client', 'update', 'life', '--shape', '', '--scope', 'a', '--refresh-rotation', ''])).toMatchObject({ shape: null, scope: 'a', refresh_rotation: 'on' });
    expect(await json(['client', 'disable', 'life'])).toMatchObject({ enabled: false });
    expect(await json(['client', 'enable', 'life'])).toMatchObject({ enabled: true });
    expect(await json(['client', 'delete', 'life', '--yes'])).toEqual({ ok: true });
  });
});

describe('assay resource', () => {
  test('RI-05 create, list, delete', async () => {
    await json(['client', 'create', '--id', 'owner']);
    const created = await json(['resource', 'create', '--uri', 'https://api.example.com/orders', '--scope', 'read write', '--owner', 'owner']);
    expect(created).toMatchObject({ uri: 'https://api.example.com/orders', tenant: 'default', scope: 'read write', owner: 'owner' });
    expect(itemsOf(await run(['resource', 'list', '--json']))).toEqual([created]);
    expect(await json(['resource', 'delete', 'https://API.example.com/orders', '--yes'])).toEqual({ ok: true });
    expect(await failure(['resource', 'create'], 2)).toMatchObject({ error: 'usage', error_description: expect.stringContaining('--uri') });
  });
});

describe('assay user and token', () => {
  test('TX-09 create, show by name or id, update, disable, enable, delete', async () => {
    const created = await json(['user', 'create', '--username', 'Carol', '--email', 'carol@example.com', '--email-verified', '--name', 'Carol C']);
    expect(created).toMatchObject({ id: expect.stringMatching(/^usr_/), tenant: 'default', username: 'Carol', email: 'carol@example.com', email_verified: true, name: 'Carol C', enabled: true });
    expect(await json(['user', 'show', 'carol'])).toMatchObject({ username: 'Carol' });
    const { items: [listed] } = await json(['user', 'list']) as { items: readonly Document[] };
    const nothing = { credentials: { password: null, passkeys: 0, authenticator: false, recovery_codes: 0 }, organizations: [] };
    expect(await json(['user', 'show', String(listed?.['id'])])).toEqual({ ...listed, ...nothing });
    expect(await json(['user', 'update', 'carol', '--email', 'c@example.com'])).toMatchObject({ email: 'c@example.com', email_verified: false });
    expect(await json(['user', 'disable', 'carol'])).toMatchObject({ enabled: false });
    expect(await json(['user', 'enable', 'carol'])).toMatchObject({ enabled: true });
    expect(await json(['user', 'delete', 'carol', '--yes'])).toEqual({ ok: true });
  });

  test('TRT-01 issue, inspect, explain and revoke, for a user', async () => {
    await json(['client', 'create', '--id', 'spa', '--public', '--scope', 'openid profile email offline_access', '--tenant', 'acme']);
    await json(['client', 'create', '--id', 'asker', '--introspect', 'issued_to', '--tenant', 'acme']);
    await json(['user', 'create', '--username', 'alice', '--email', 'alice@example.com', '--id', '42', '--tenant', 'acme']);
    await json(['tenant', 'update', 'acme', '--introspection-policy-mode', 'enforce']);
    const issued = await json(['token', 'issue', '--client', 'spa', '--user', 'alice', '--scope', 'openid profile email offline_access', '--session', 's1', '--tenant', 'acme']);
    expect(Object.keys(issued)).toEqual(['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope']);
    const token = String(issued['access_token']);
    const piped = { stdin: `${token}\n` };
    expect(await json(['token', 'inspect', '-', '--tenant', 'acme'], piped)).toMatchObject({
      active: true, reason: null, kind: 'access', format: 'jwt', client_id: 'spa', sub: '42', username: 'alice', sid: 's1', scope: 'openid profile email offline_access',
    });
    expect(await json(['token', 'explain', '-', '--as', 'asker', '--tenant', 'acme'], piped)).toEqual({ active: false, reason: 'policy', policy: 'issued_to', caller: 'asker', client_id: 'spa' });
    expect(await json(['token', 'revoke', '-', '--tenant', 'acme'], { stdin: String(issued['refresh_token']) })).toEqual({ ok: true });
    const inspected = await run(['token', 'inspect', token, '--tenant', 'acme', '--json']);
    expect(documentOf(inspected)).toMatchObject({ active: false, reason: 'grant_revoked' });
    expect(inspected.err).toStartWith('warning: a token on the command line');
  });

  test('TCC-01 issue for a client, and revoke everything of it', async () => {
    const issued = await json(['token', 'issue', '--client', 'svc', '--scope', 'api:read', '--tenant', 'acme']);
    expect(issued).toEqual({ access_token: issued['access_token'], token_type: 'Bearer', expires_in: 300, scope: 'api:read' });
    expect(await json(['token', 'revoke', '--client', 'svc', '--tenant', 'acme'])).toEqual({ ok: true });
    expect(await json(['token', 'revoke', '--user', 'alice', '--tenant', 'acme'])).toEqual({ ok: true });
    expect(await json(['token', 'inspect', '-', '--tenant', 'acme'], { stdin: String(issued['access_token']) })).toMatchObject({ active: false, reason: 'client_disabled' });
    expect(await failure(['token', 'revoke'], 2)).toMatchObject({ error: 'usage' });
    expect(await failure(['token', 'revoke', '-', '--client', 'svc'], 2)).toMatchObject({ error: 'usage' });
    expect(await failure(['token', 'issue', '--client', 'svc', '--scope', 'admin', '--tenant', 'acme'])).toMatchObject({ error: 'invalid_scope' });
  });
});

describe('assay keys and audit', () => {
  test('JK-04 list, rotate, revoke, also of an id that begins with a dash', async () => {
    const before = itemsOf(await run(['keys', 'list', '--tenant', 'acme', '--json']));
    expect(new Set(before.map((key) => key['status']))).toEqual(new Set(['active', 'next']));
    const rotated = await run(['keys', 'rotate', '--tenant', 'acme', '--json']);
    expect(documentOf(rotated)).toMatchObject({ kid: before.find((key) => key['status'] === 'next')?.['kid'], status: 'active', alg: 'ES256' });
    expect(rotated.err).toContain('warning: the new key was published only');
    expect(await json(['keys', 'revoke', String(before.find((key) => key['status'] === 'active')?.['kid']), '--tenant', 'acme'])).toMatchObject({ ok: true, revoked: true });
    expect(await failure(['keys', 'revoke', `-${'x'.repeat(42)}`, '--tenant', 'acme'])).toMatchObject({ error: 'not_found' });
  });

  test('LG-05 audit list filters by tenant, type and time, the latest first', async () => {
    const all = itemsOf(await run(['audit', 'list', '--json', '--limit', '1000']));
    expect(new Set(all.map((event) => event['tenant']))).toEqual(new Set(['default', 'acme', 'brief']));
    const [event] = itemsOf(await run(['audit', 'list', '--json', '--tenant', 'acme', '--type', 'key_rotated', '--since', '1h']));
    expect(Object.keys(event ?? {}).slice(0, 11)).toEqual(['time', 'type', 'tenant', 'actor', 'client_id', 'subject', 'fingerprint', 'ip', 'request_id', 'outcome', 'reason']);
    expect(String(event?.['time'])).toMatch(isoTime);
    expect(all.map((item) => String(item['time']))).toEqual(all.map((item) => String(item['time'])).toSorted().toReversed());
    expect(itemsOf(await run(['audit', 'list', '--json', '--since', '2100-01-01']))).toEqual([]);
    expect(await failure(['audit', 'list', '--since', 'yesterday'], 2)).toMatchObject({ error: 'usage' });
  });
});

describe('the rest', () => {
  test('OP-09 version, and OP-10 the OpenAPI document', async () => {
    const [flag, command, asJson, flagAsJson, openapi] = await Promise.all([['--version'], ['version'], ['version', '--json'], ['--version', '--json'], ['openapi']].map((args) => assay(args)));
    if (flag === undefined || command === undefined || asJson === undefined || openapi === undefined) throw new Error('not all ran');
    expect(flag.out).toMatch(/^assay \S+ \(\S+\), Bun \d+\.\d+\.\d+, SQLite \d+\.\d+\.\d+\n$/);
    expect(command).toEqual(flag);
    expect(Object.keys(documentOf(asJson))).toEqual(['version', 'commit', 'bun', 'sqlite']);
    expect(flagAsJson).toEqual(asJson);
    expect(JSON.parse(openapi.out)).toMatchObject({ openapi: expect.stringMatching(/^3\./) });
  });

  test('usage errors have code 2, say what was meant, and touch nothing', async () => {
    const untouched = join(data, 'untouched');
    const rows = [
      [['tenant', 'lst'], 'Did you mean list?'], [['clinet'], 'Did you mean client?'], [['client', 'create', '--scop', 'a'], 'Did you mean --scope?'],
      [['tenant', 'create'], 'missing required argument'], [['tenant', 'list', 'extra'], 'too many arguments'], [['client', 'create', '--shape', 'kotaut'], 'did you mean kotauth?'],
      [['client', 'create', '--access-token-ttl', '1.5'], 'whole seconds'], [['client', 'create', '--grant', 'passwort'], '--grant is one of'], [['tenant'], 'Usage: assay tenant'],
      [['user', 'delete', 'x'], '--yes'], [['user', 'set-pasword', '--help'], 'Did you mean set-password?'], [['tenent', '--help'], 'Did you mean tenant?'],
      [['client', 'create', '--grant', 'nope'], 'device_code, token-exchange'], [['serve', '--port', 'x', '--host', 'http://foo'], '2 settings'], [['serve', '--tls-cert', '/c'], 'go together'],
    ] as const;
    await Promise.all(rows.map(async ([args, words]) => {
      const ended = await assay([...args, '--data', untouched]);
      expect([ended.code, ended.out, ended.err.includes(words), ended.err]).toEqual([2, '', true, ended.err]);
    }));
    expect(existsSync(untouched)).toBe(false);
  });

  test('help is for people: every command has its own, with code 0', async () => {
    const helps = await Promise.all([['--help'], ['serve', '--help'], ['client', 'create', '--help'], ['help', 'token']].map((args) => assay(args)));
    expect(helps.map(({ code, err }) => [code, err])).toEqual([[0, ''], [0, ''], [0, ''], [0, '']]);
    expect(helps[1]?.out).toContain('--trust-proxy <CIDR>');
    expect(helps[2]?.out).toContain('--first-party');
  });

  test('suggestions name the tenant, and an unknown type of event is remarked on', async () => {
    await json(['tenant', 'create', 'bare']);
    const ended = await Promise.all(['client', 'user', 'resource', 'org', 'role'].map((thing) => run([thing, 'list', '--tenant', 'bare'])));
    expect(ended.map(({ out }) => /`(.*)`/.exec(out)?.[1])).toEqual(['client', 'user', 'resource', 'org', 'role'].map((thing) => `assay ${thing} create --tenant bare`));
    const [unknown, known] = await Promise.all([run(['audit', 'list', '--type', 'token_revokd']), run(['audit', 'list', '--type', 'token_revoked'])]);
    expect([unknown.code, unknown.err, known.err]).toEqual([0, 'warning: there are no events of type "token_revokd"; did you mean token_revoked?\n', '']);
  });

  test('a warning says what to do about it', async () => {
    const made = await run(['client', 'create', '--id', 'nowhere-to-return', '--grant', 'authorization_code']);
    expect([made.code, made.err]).toEqual([0, 'warning: nowhere-to-return has no redirect URI, so nobody can sign in there yet; `assay client update nowhere-to-return --redirect-uri …` adds one\n']);
  });

  test('OP-08 serve --check lists every problem at once', async () => {
    mkdirSync(join(data, 'settings'));
    writeFileSync(join(data, 'settings', 'assay.toml'), 'colour = "red"\n');
    const wrong = await assay(['serve', '--check', '--port', 'x', '--tls-cert', '/none', '--data', join(data, 'settings')], { env: { ASSAY_PROT: '1' } });
    expect([wrong.code, wrong.err.split('\n').filter((line) => line.startsWith('  - ')).length]).toEqual([2, 5]);
    expect(await failure(['serve', '--check'], 1, { env: { ASSAY_MASTER_KEY_FILE: '/none' } })).toMatchObject({ error: 'invalid_settings', problems: [expect.stringContaining('/none')] });
    expect(await json(['serve', '--check'])).toEqual({ ok: true });
    expect((await run(['serve', '--port', 'x'])).code).toBe(2);
  });

  test('OP-04 CR-09 migrate makes new data, for its owner alone', async () => {
    const fresh = join(data, 'fresh');
    const ended = await assay(['migrate', '--data', fresh, '--json']);
    expect(documentOf(ended)).toEqual({ ok: true });
    expect(['', 'assay.db', 'master.key'].map((file) => statSync(join(fresh, file)).mode & 0o777)).toEqual([0o700, 0o600, 0o600]);
  });

  test('TX-04 text from elsewhere is shown, not obeyed', async () => {
    const ended = await run(['audit', 'list', '--tenant', '\u001B[31mred']);
    expect([ended.code, ended.err.includes('\u001B')]).toEqual([1, false]);
  });

  test('a reader that goes away is no failure', async () => {
    const child = Bun.spawn(['sh', '-c', '"$@" openapi | head -c 1', 'sh', ...assayCommand], { stdout: 'pipe', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '' } });
    expect([await new Response(child.stdout).text(), await new Response(child.stderr).text()]).toEqual(['{', '']);
  });
});
