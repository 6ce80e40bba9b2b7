/** Commands about people: how they sign in, what is known of them, and where they belong. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageKeys } from '../../src/pages/text.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document, type RunOptions } from './assay.ts';

let data: string;
let files: string;

const run = (args: readonly string[], options: RunOptions = {}) => assay([...args, '--data', data], options);
const json = async (args: readonly string[], options: RunOptions = {}): Promise<Document> => documentOf(await run([...args, '--json'], options));
const failure = async (args: readonly string[], code = 1, options: RunOptions = {}): Promise<Document> => documentOf(await run([...args, '--json'], options), code);
const file = (name: string, content: string): string => {
  writeFileSync(join(files, name), content);
  return join(files, name);
};
const GOOD = 'glass tunnel orchard 9';

beforeAll(async () => {
  data = temporaryFolder();
  files = temporaryFolder();
  await json(['tenant', 'create', 'acme', '--alg', 'ES256']);
  await json(['user', 'create', '--username', 'alice', '--email', 'alice@example.com', '--tenant', 'acme']);
});
afterAll(() => {
  removeFolder(data);
  removeFolder(files);
});

describe('assay org and role', () => {
  test('create, list, show, update, add, remove, delete', async () => {
    await json(['role', 'create', 'admin', '--permission', 'orders:read', '--permission', 'orders:write', '--tenant', 'acme']);
    const created = await json(['org', 'create', '--name', 'Example Ltd', '--id', 'org_example', '--tenant', 'acme']);
    expect(created).toMatchObject({ org_id: 'org_example', tenant: 'acme', name: 'Example Ltd', members: [] });
    const added = await json(['org', 'add', 'org_example', 'alice', '--role', 'admin', '--tenant', 'acme']);
    expect(added).toMatchObject({ org_id: 'org_example', username: 'alice', roles: ['admin'] });
    const { org_id: _org, ...member } = added;
    expect(await json(['org', 'update', 'org_example', '--name', 'Example AG', '--tenant', 'acme'])).toMatchObject({ name: 'Example AG', members: [member] });
    expect(await json(['user', 'show', 'alice', '--tenant', 'acme'])).toMatchObject({ organizations: [{ org_id: 'org_example', roles: ['admin'] }] });
    const [listed, shown] = await Promise.all([run(['org', 'list', '--tenant', 'acme', '--json']), run(['org', 'show', 'org_example', '--tenant', 'acme'])]);
    expect(itemsOf(listed)).toMatchObject([{ org_id: 'org_example', name: 'Example AG' }]);
    expect(shown.out).toMatch(/alice +admin/);
    expect(await json(['org', 'add', 'org_example', 'alice', '--role', '', '--tenant', 'acme'])).toMatchObject({ roles: [] });
    expect(await json(['org', 'remove', 'org_example', 'alice', '--tenant', 'acme'])).toEqual({ ok: true });
    expect(await failure(['org', 'delete', 'org_example', '--tenant', 'acme'], 2)).toMatchObject({ error: 'usage', error_description: expect.stringContaining('--yes') });
    expect(await json(['org', 'delete', 'org_example', '--yes', '--tenant', 'acme'])).toEqual({ ok: true });
  });

  test('invitations: invite, invitations, uninvite', async () => {
    await json(['role', 'create', 'guest', '--tenant', 'acme']);
    await json(['org', 'create', '--name', 'Inviting', '--id', 'org_inviting', '--tenant', 'acme']);
    const invite = (email: string) => json(['org', 'invite', 'org_inviting', email, '--role', 'guest', '--locale', 'de', '--tenant', 'acme']);
    const invited = await invite('bob@example.com');
    expect(invited).toEqual({
      id: expect.stringMatching(/^inv_/), tenant: 'acme', org_id: 'org_inviting', email: 'bob@example.com', roles: ['guest'], invited_by: 'operator', created_at: expect.any(String), expires_at: expect.any(String),
    });
    await invite('eve@example.com');
    const list = (...more: readonly string[]) => run(['org', 'invitations', 'org_inviting', '--tenant', 'acme', ...more]);
    const [listed, shown] = await Promise.all([list('--json'), list()]);
    expect(itemsOf(listed).map(({ email }) => email)).toEqual(['eve@example.com', 'bob@example.com']);
    expect(shown.out).toMatch(/bob@example\.com +guest/);
    expect(await json(['org', 'uninvite', 'org_inviting', 'Bob@example.com', '--tenant', 'acme'])).toEqual({ ok: true });
    expect(itemsOf(await list('--json')).map(({ email }) => email)).toEqual(['eve@example.com']);
    const at = ['org_inviting', 'x@example.com', '--tenant', 'acme'];
    expect(await Promise.all([
      failure(['org', 'uninvite', ...at]), failure(['org', 'invite', 'org_inviting', 'nobody', '--tenant', 'acme'], 2), failure(['org', 'invite', ...at, '--role', 'none']), failure(['org', 'invite', ...at, '--locale', 'xx'], 2),
    ])).toMatchObject([{ error: 'not_found', error_description: expect.stringContaining('`assay org invitations org_inviting --tenant acme`') }, { error: 'invalid_request' }, { error: 'not_found' }, { error: 'usage' }]);
  }, 30_000);

  test('roles: create, show, update, list, delete', async () => {
    expect(await json(['role', 'create', 'billing', '--permission', 'invoices:read invoices:write'])).toMatchObject({ role: 'billing', tenant: 'default', permissions: ['invoices:read', 'invoices:write'] });
    expect(await json(['role', 'update', 'billing', '--permission', 'invoices:read'])).toMatchObject({ permissions: ['invoices:read'] });
    expect(await json(['role', 'update', 'billing', '--permission', ''])).toMatchObject({ permissions: [] });
    expect(itemsOf(await run(['role', 'list', '--json']))).toEqual([await json(['role', 'show', 'billing'])]);
    expect(await json(['role', 'delete', 'billing', '--yes'])).toEqual({ ok: true });
  });

  test.each([
    ['no name', ['org', 'create'], 'usage', 2], ['an id with a space', ['org', 'create', '--name', 'A', '--id', 'a b'], 'invalid_request', 2], ['none of that id', ['org', 'show', 'org_none'], 'not_found', 1],
    ['a role that is none', ['role', 'update', 'none', '--permission', 'a'], 'not_found', 1], ['nothing to permit', ['role', 'update', 'none'], 'usage', 2], ['a name with a space', ['role', 'create', 'a b'], 'invalid_request', 2],
  ] as const)('%s: %p fails with %s, code %d', async (_what, args, error, code) => {
    expect(await failure(args, code)).toMatchObject({ error });
  });

  test('an organization of elsewhere is taken, with a remark where the tenant has its own', async () => {
    await json(['tenant', 'create', 'remarks', '--alg', 'ES256']);
    await json(['org', 'create', '--name', 'Own', '--tenant', 'remarks']);
    const client = await run(['client', 'create', '--id', 'svc', '--org', 'org_elsewhere', '--tenant', 'remarks', '--json']);
    expect([documentOf(client)['org_id'], client.err]).toEqual(['org_elsewhere', expect.stringContaining('warning: the tenant remarks has organizations, but none with the id org_elsewhere')]);
    const token = await run(['token', 'issue', '--client', 'svc', '--org', 'org_other', '--tenant', 'remarks', '--json']);
    expect([token.code, token.err]).toEqual([0, expect.stringContaining('none with the id org_other')]);
    await json(['tenant', 'create', 'without', '--alg', 'ES256']);
    expect((await run(['client', 'create', '--id', 'svc', '--org', 'org_elsewhere', '--tenant', 'without', '--json'])).err).toBe('');
  });
});

describe('assay user: what is known of them', () => {
  test('US-08 attributes: text, and JSON where it is JSON; what is not named stays', async () => {
    const made = await json(['user', 'create', '--username', 'bob', '--email', 'bob@example.com', '--attribute', 'given_name=Bob', '--attribute', 'address={"country":"GB"}', '--attribute', 'tags=["a","b"]',
      '--attribute', 'level=3', '--attribute', 'remote=true', '--attribute', 'note=a=b', '--attribute', 'code=007', '--attribute', 'number="12345"']);
    const attributes = { given_name: 'Bob', address: { country: 'GB' }, tags: ['a', 'b'], level: 3, remote: true, note: 'a=b', code: '007', number: '12345' };
    expect(made['attributes']).toEqual(attributes);
    const { level: _level, ...rest } = attributes;
    expect(await json(['user', 'update', 'bob', '--attribute', 'level=', '--attribute', 'note=c'])).toMatchObject({ attributes: { ...rest, note: 'c' } });
    expect((await json(['user', 'update', 'bob', '--name', 'Bob B']))['attributes']).toEqual({ ...rest, note: 'c' });
    expect((await run(['user', 'show', 'bob'])).out).toMatch(/given_name +Bob/);
  });

  test.each([
    ['no value', 'given_name', 'usage'], ['no name', '=x', 'usage'], ['a list of numbers', 'a=[1]', 'usage'], ['a type that the claim has not', 'birthdate=yesterday', 'invalid_request'], ['what has a flag', 'email=a@b.example', 'invalid_request'],
  ])('%s: refused', async (_what, attribute, error) => {
    expect(await failure(['user', 'update', 'alice', '--tenant', 'acme', '--attribute', attribute], 2)).toMatchObject({ error });
  });
});

describe('assay user: how they sign in', () => {
  const showCredentials = async (name: string): Promise<unknown> => (await json(['user', 'show', name, '--tenant', 'acme']))['credentials'];

  test('UI-14 set-password reads standard input, and never says it back', async () => {
    const set = await run(['user', 'set-password', 'alice', '--temporary', '--tenant', 'acme', '--json'], { stdin: `${GOOD}\n` });
    expect(documentOf(set)).toEqual({ ok: true });
    expect(set.out + set.err).not.toContain(GOOD);
    expect(await showCredentials('alice')).toEqual({ password: 'temporary', passkeys: 0, authenticator: false, recovery_codes: 0 });
    expect((await run(['user', 'set-password', 'alice', '--tenant', 'acme'], { stdin: `${GOOD}\r\n` })).out).toBe('alice has a new password.\n');
    expect(await showCredentials('alice')).toMatchObject({ password: 'set' });
  });

  test('UI-14 one end of line goes and nothing else: spaces count', async () => {
    await json(['user', 'create', '--username', 'spaces', '--email', 'spaces@example.com', '--password-stdin', '--tenant', 'acme'], { stdin: '  eleven xy \n' });
    expect(await failure(['user', 'set-password', 'spaces', '--tenant', 'acme'], 2, { stdin: 'eleven xy\n' })).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('too short') });
  });

  test.each([['nothing', '', 'usage'], ['UI-14 too little', 'short\n', 'invalid_request'], ['UI-15 what is tried first', 'password1234\n', 'invalid_request']])('%s is refused', async (_what, stdin, error) => {
    expect(await failure(['user', 'set-password', 'alice', '--tenant', 'acme'], 2, { stdin })).toMatchObject({ error });
    expect(await failure(['user', 'create', '--username', 'refused', '--email', 'r@example.com', '--password-stdin', '--tenant', 'acme'], 2, { stdin })).toMatchObject({ error });
    expect(await failure(['user', 'show', 'refused', '--tenant', 'acme'])).toMatchObject({ error: 'not_found' });
  });

  test('--temporary without a password makes no sense', async () => {
    expect(await failure(['user', 'create', '--username', 'x', '--email', 'x@example.com', '--temporary'], 2)).toMatchObject({ error: 'usage' });
  });

  test('UI-27 reset-mfa asks first, and says when nothing is left', async () => {
    expect(await failure(['user', 'reset-mfa', 'alice', '--tenant', 'acme'], 2)).toMatchObject({ error: 'usage', error_description: expect.stringContaining('--yes') });
    const reset = await run(['user', 'reset-mfa', 'alice', '--yes', '--tenant', 'acme', '--json']);
    expect([documentOf(reset), reset.err]).toEqual([{ ok: true }, '']);
    await json(['user', 'create', '--username', 'locked', '--email', 'locked@example.com', '--tenant', 'acme']);
    expect((await run(['user', 'reset-mfa', 'locked', '--yes', '--tenant', 'acme', '--json'])).err).toContain('no way to sign in now');
  });

  test('UI-07 sessions are listed with their device and applications, and ended', async () => {
    const { application, open } = await sessionsOf('alice');
    try {
      for (const id of ['ses_1', 'ses_2', 'ses_3']) await open(id);
      const listed = itemsOf(await run(['user', 'sessions', 'alice', '--tenant', 'acme', '--json']));
      expect(new Set(listed.map((item) => item['session_id']))).toEqual(new Set(['ses_1', 'ses_2', 'ses_3']));
      expect(listed[0]).toMatchObject({ device: 'Firefox on Linux', ip: '192.0.2.1', acr: '1fa', amr: ['pwd'], clients: [] });
      expect((await run(['user', 'sessions', 'alice', '--tenant', 'acme'])).out).toMatch(/SESSION +DEVICE +IP +STARTED +LAST SEEN +APPLICATIONS\n.*Firefox on Linux +192\.0\.2\.1/);
      expect(await json(['user', 'sessions', 'alice', '--end-session', 'ses_1', '--tenant', 'acme'])).toEqual({ ok: true, ended: 1 });
      expect(await failure(['user', 'sessions', 'alice', '--end-session', 'ses_1', '--tenant', 'acme'])).toMatchObject({ error: 'not_found' });
      expect(await json(['user', 'sessions', 'alice', '--end', '--tenant', 'acme'])).toEqual({ ok: true, ended: 2 });
      expect(await failure(['user', 'sessions', 'alice', '--end', '--end-session', 'x'], 2)).toMatchObject({ error: 'usage' });
      expect((await run(['user', 'sessions', 'alice', '--tenant', 'acme'])).out).toBe('alice is signed in nowhere.\n');
    } finally {
      await application.close();
    }
  });

  test('REV-14 revoke ends sessions and tokens so far', async () => {
    await json(['client', 'create', '--id', 'spa', '--public', '--scope', 'openid', '--tenant', 'acme']);
    const token = String((await json(['token', 'issue', '--client', 'spa', '--user', 'alice', '--tenant', 'acme']))['access_token']);
    expect(await json(['user', 'revoke', 'alice', '--tenant', 'acme'])).toEqual({ ok: true });
    expect(await json(['token', 'inspect', '-', '--tenant', 'acme'], { stdin: token })).toMatchObject({ active: false, reason: 'user_disabled' });
  });
});

async function sessionsOf(username: string) {
  const application = await openData(data);
  const { store } = application.ctx;
  const tenant = await store.findTenant({ slug: 'acme' });
  const user = tenant === null ? null : await store.findUserByName(tenant.id, username);
  if (tenant === null || user === null) throw new Error('nobody is there');
  const open = async (id: string): Promise<void> => {
    const nowMs = Date.now();
    await store.openBrowserSession({
      session: {
        id, tenantId: tenant.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: `digest of ${id}`, authTimeMs: nowMs, amr: ['pwd'], acr: '1fa', lastSeenAtMs: nowMs,
        expiresAtMs: nowMs + 604_800_000, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', ip: '192.0.2.1',
      },
      replaces: null, progress: null,
    }, { audit: [] });
  };
  return { application, open };
}

describe('assay client: people', () => {
  test('LO-02, LO-15, AZ-14 what concerns people is set, shown and taken back', async () => {
    const uri = 'https://app.example.com/out';
    const made = await json(['client', 'create', '--id', 'web', '--first-party', '--post-logout-redirect-uri', uri, '--backchannel-logout-uri', 'https://app.example.com/backchannel', '--pkce', 'optional', '--tenant', 'acme']);
    expect(made).toMatchObject({ first_party: true, post_logout_redirect_uris: [uri], backchannel_logout_uri: 'https://app.example.com/backchannel', pkce: 'optional' });
    expect((await run(['client', 'show', 'web', '--tenant', 'acme'])).out).toMatch(/after sign-out +https:.*\n +hears of sign-outs +https:.*\n +consent +not asked for.*\n +PKCE +optional/);
    expect(await json(['client', 'update', 'web', '--no-first-party', '--post-logout-redirect-uri', '', '--backchannel-logout-uri', '', '--pkce', 'required', '--tenant', 'acme'])).toMatchObject({
      first_party: false, post_logout_redirect_uris: [], backchannel_logout_uri: null, pkce: 'required',
    });
    expect(await json(['client', 'update', 'web', '--backchannel-logout-uri', 'http://127.0.0.1:3000/out', '--tenant', 'acme'])).toMatchObject({ backchannel_logout_uri: 'http://127.0.0.1:3000/out' });
  });

  test.each([
    ['AZ-14 a public client without PKCE', ['--public', '--pkce', 'optional'], 'invalid_request'], ['LO-15 http elsewhere', ['--backchannel-logout-uri', 'http://app.example.com/'], 'invalid_request'],
    ['LO-03 a fragment', ['--post-logout-redirect-uri', 'https://app.example.com/#a'], 'invalid_request'], ['a word of its own', ['--pkce', 'maybe'], 'usage'],
  ] as const)('%s: refused', async (_what, flags, error) => {
    expect(await failure(['client', 'create', ...flags], 2)).toMatchObject({ error });
  });
});

describe('assay tenant: people', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>';
  const key = messageKeys.find((one) => one.startsWith('problem.')) ?? '';

  test('everything is set, shown and taken back', async () => {
    const made = await json(['tenant', 'create', 'people', '--alg', 'ES256', '--registration', 'on', '--passkeys', 'off', '--email-codes', 'off', '--password-min-length', '15', '--session-idle-ttl', '600',
      '--session-ttl', '3600', '--color', '#1A7F64', '--logo', file('logo.svg', svg), '--messages', file('texts.json', JSON.stringify({ en: { [key]: 'No.' } })), '--claim', 'department=attribute:department@id_token,introspection',
      '--claim', 'https://example.com/roles=roles@access_token']);
    const people = {
      registration: 'on', passwords: 'on', email_codes: 'off', passkeys: 'off', password_min_length: 15, session_idle_ttl: 600, session_ttl: 3600, color: '#1a7f64',
      logo: { type: 'image/svg+xml', bytes: svg.length }, messages: { en: { [key]: 'No.' } },
      claims: [{ claim: 'department', source: 'attribute:department', targets: ['id_token', 'introspection'] }, { claim: 'https://example.com/roles', source: 'roles', targets: ['access_token'] }],
    };
    expect(made).toMatchObject(people);
    expect(await json(['tenant', 'update', 'people', '--name', 'People'])).toMatchObject(people);
    const { out } = await run(['tenant', 'show', 'people']);
    expect(out).toContain('password (15 characters or more); registration on');
    expect(out).toContain('department=attribute:department@id_token,introspection https://example.com/roles=roles@access_token');
    expect(await json(['tenant', 'update', 'people', '--color', 'none', '--logo', 'none', '--messages', 'none', '--claim', 'none', '--passkeys', 'on'])).toMatchObject({ color: null, logo: null, messages: {}, claims: [], passkeys: 'on', passwords: 'on' });
  });

  test.each([
    ['no way to sign in', ['--passwords', 'off', '--passkeys', 'off', '--email-codes', 'off'], 'invalid_request', 'a way to sign in'], ['UI-14 a short password', ['--password-min-length', '7'], 'invalid_request', '8 to 64'],
    ['no number', ['--password-min-length', 'many'], 'usage', '8 to 64'], ['a color by name', ['--color', 'red'], 'invalid_request', '#rrggbb'], ['no such file', ['--logo', '/none.svg'], 'usage', 'no such file'],
    ['INT-119 a claim that has a meaning', ['--claim', 'sub=roles@id_token'], 'invalid_request', 'cannot be given'], ['a claim without a place', ['--claim', 'roles=roles'], 'usage', 'CLAIM=SOURCE@PLACES'],
    ['a misspelt place', ['--claim', 'roles=roles@id_tokn'], 'usage', 'did you mean id_token?'], ['none and another', ['--claim', 'none', '--claim', 'a=roles@userinfo'], 'usage', 'stands alone'], ['a word of its own', ['--registration', 'yes'], 'usage', 'one of on, off'],
  ] as const)('%s: refused', async (_what, flags, error, words) => {
    expect(await failure(['tenant', 'update', 'acme', ...flags], 2)).toMatchObject({ error, error_description: expect.stringContaining(words) });
  });

  test('what a file holds is judged, every problem at once', async () => {
    const messages = (content: unknown) => failure(['tenant', 'update', 'acme', '--messages', file('wrong.json', typeof content === 'string' ? content : JSON.stringify(content))], 2);
    expect(await messages('{')).toMatchObject({ error: 'usage', error_description: expect.stringContaining('not JSON') });
    expect(await messages(['en'])).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('an object of languages') });
    expect(await messages({ tlh: {}, en: { [`${key}x`]: 'a', [key]: '' } })).toMatchObject({
      problems: [expect.stringContaining('tlh: the languages are'), expect.stringContaining(`did you mean ${key}?`), expect.stringContaining('empty')],
    });
    expect(await failure(['tenant', 'update', 'acme', '--logo', file('evil.svg', svg.replace('<path d="M0 0"/>', '<script>1</script>'))], 2)).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('element script') });
  });
});

describe('assay grant and session', () => {
  test('what users allowed, and where they are signed in: list, revoke, end', async () => {
    await json(['tenant', 'create', 'held', '--alg', 'ES256']);
    const at = ['--tenant', 'held'];
    await json(['client', 'create', '--id', 'web', '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid', '--redirect-uri', 'https://a.example/cb', ...at]);
    for (const name of ['ann', 'ben']) await json(['user', 'create', '--username', name, '--email', `${name}@example.com`, ...at]);
    const tokens = [await json(['token', 'issue', '--client', 'web', '--user', 'ann', '--session', 'ses_ann', ...at]), await json(['token', 'issue', '--client', 'web', '--user', 'ben', ...at])];
    const grants = async (...filter: readonly string[]) => itemsOf(await run(['grant', 'list', ...filter, '--json', ...at]));
    expect(await grants()).toHaveLength(2);
    const [grant] = await grants('--user', 'ann', '--client', 'web');
    expect([grant, await grants('--session', 'ses_ann'), await grants('--client', 'other')]).toMatchObject([{ client_id: 'web', session_id: 'ses_ann', scope: 'openid', revoked_at: null }, [{ id: grant?.['id'] }], []]);
    expect((await run(['grant', 'list', '--user', 'ann', ...at])).out).toMatch(/ann +web +openid/);
    expect(await json(['grant', 'revoke', String(grant?.['id']), ...at])).toMatchObject({ id: grant?.['id'], revoked_at: expect.any(String) });
    expect(await grants('--user', 'ann')).toEqual([]);
    expect(await failure(['grant', 'revoke', 'gr_none', ...at])).toMatchObject({ error: 'not_found' });
    const inspect = async (token: unknown) => json(['token', 'inspect', '-', ...at], { stdin: String(token) });
    expect([(await inspect(tokens[0]?.['access_token']))['active'], (await inspect(tokens[1]?.['access_token']))['active']]).toEqual([false, true]);

    // Opaque tokens are kept, and so can be listed; what the revoked grant left is gone.
    await json(['client', 'create', '--id', 'opaque', '--token-format', 'opaque', '--scope', 'a', ...at]);
    const issued = await json(['token', 'issue', '--client', 'opaque', ...at]);
    const kept = async (...filter: readonly string[]) => itemsOf(await run(['token', 'list', ...filter, '--json', ...at]));
    expect([await kept(), await kept('--client', 'web')]).toMatchObject([[{ client_id: 'opaque', scope: 'a', grant_id: null }], []]);
    expect(JSON.stringify(await kept())).not.toContain(String(issued['access_token']));
    expect((await run(['token', 'list', ...at])).out).toMatch(/opaque +opaque +a/);
    await json(['token', 'revoke', '-', ...at], { stdin: String(issued['access_token']) });
    expect((await run(['token', 'list', ...at])).out).toContain('There are no such tokens.');

    // An operator's session is no browser's, so it is in no list of those; it can be ended all the same.
    expect(itemsOf(await run(['session', 'list', '--json', ...at]))).toEqual([]);
    expect((await run(['session', 'list', ...at])).out).toContain('Nobody is signed in.');
    expect(await json(['session', 'end', 'ses_ann', ...at])).toEqual({ ok: true });
    expect(await failure(['session', 'end', 'ses_ann', ...at])).toMatchObject({ error: 'not_found' });
  }, 30_000);
});
