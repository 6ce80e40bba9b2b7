/** Configuration in a file: written down, compared, applied in one piece. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document, type RunOptions } from './assay.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const one of folders) removeFolder(one);
});

const FIRST_SECRET = 'cs_first-secret-of-the-orders-client-0123456789';
const SECOND_SECRET = 'cs_second-secret-of-the-orders-client-987654321';
const PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

type Desk = {
  readonly data: string;
  readonly file: (text: string, name?: string) => string;
  readonly run: (args: readonly string[], options?: RunOptions) => ReturnType<typeof assay>;
  readonly json: (args: readonly string[], code?: number, options?: RunOptions) => Promise<Document>;
};

function desk(): Desk {
  const data = folder();
  const files = folder();
  const run = (args: readonly string[], options: RunOptions = {}): ReturnType<typeof assay> => assay([...args, '--data', data], options);
  return {
    data, run,
    file(text, name = 'assay.yaml') {
      writeFileSync(join(files, name), text, { mode: 0o600 });
      return join(files, name);
    },
    json: async (args, code = 0, options = {}) => documentOf(await run([...args, '--json'], options), code),
  };
}

const SHOP = `version: 1
tenants:
  - slug: shop
    name: Shop
    preset: kotauth
    alg: ES256
    access_token_ttl: 600
    registration: on
    color: "#1a7f64"
    logo: ${PNG}
    messages: {en: {sign_in.title: Welcome back}}
    claims: [{claim: department, source: "attribute:department", targets: [id_token]}]
    limits: {client: 600}
    clients:
      - client_id: orders
        name: Orders
        scope: orders:read orders:write
        secret: {file: orders.secret}
      - client_id: web
        public: true
        redirect_uris: [https://shop.example/cb]
    resources:
      - uri: https://api.shop.example/
        scope: orders:read
        owner: orders
    roles:
      - role: clerk
        permissions: [orders:read]
`;

describe('assay export, plan, apply, drift', () => {
  let one: Desk;
  let path: string;
  beforeAll(async () => {
    one = desk();
    one.file(`${FIRST_SECRET}\n`, 'orders.secret');
    path = one.file(SHOP);
    const planned = await one.run(['plan', path]);
    expect({ code: planned.code, err: planned.err }).toEqual({ code: 3, err: expect.stringContaining('is new') });
    expect(planned.out).toMatch(/\+ tenant shop[\s\S]*\+ client shop\/orders[\s\S]*\+ resource shop\/https:\/\/api\.shop\.example\/[\s\S]*5 to create, 0 to change, 0 to delete/);
    expect(planned.out).not.toContain(FIRST_SECRET);
    expect(await one.json(['apply', path])).toMatchObject({ ok: true, changes: [{ action: 'create', kind: 'tenant' }, {}, {}, {}, {}] });
  });

  test('applied twice, the second time there is nothing to do: exit codes 0 and 3', async () => {
    expect(await one.json(['plan', path])).toEqual({ changes: [], unmentioned: [] });
    expect((await one.run(['apply', path])).out).toContain('Everything is as the file wants it.');
    expect((await one.run(['drift', path])).out).toBe('no drift\n');
    await one.json(['client', 'update', 'orders', '--name', 'Somebody', '--tenant', 'shop']);
    const drift = await one.run(['drift', path]);
    expect([drift.code, drift.out]).toEqual([3, 'drift: 1 thing is not as the file says: client shop/orders (name)\n']);
    expect(await one.json(['plan', path], 3)).toMatchObject({ changes: [{ action: 'update', kind: 'client', name: 'orders', members: [{ name: 'name', before: 'Somebody', after: 'Orders' }], secret: false }] });
    expect((await one.run(['apply', path])).code).toBe(0);
    expect((await one.run(['drift', path])).code).toBe(0);
  });

  test('what was applied works, and is in the audit trail', async () => {
    expect(await one.json(['client', 'show', 'orders', '--tenant', 'shop'])).toMatchObject({ name: 'Orders', scope: 'orders:read orders:write', secrets: [{ hash: 'sha256' }] });
    expect(await one.json(['tenant', 'show', 'shop'])).toMatchObject({ preset: 'kotauth', alg: 'ES256', registration: 'on', color: '#1a7f64', logo: { type: 'image/png' }, limits: { client: 600 } });
    const events = itemsOf(await one.run(['audit', 'list', '--type', 'configuration_applied', '--json']));
    expect(events.at(-1)).toMatchObject({ actor: 'operator', outcome: 'success', reason: 'create_5 update_0 delete_0' });
  });

  test('a client gets the secret that the file refers to, and loses the former one', async () => {
    one.file(`${SECOND_SECRET}\n`, 'orders.secret');
    expect(await one.json(['plan', path], 3)).toMatchObject({ changes: [{ kind: 'client', name: 'orders', members: [], secret: true }] });
    expect((await one.run(['apply', path])).code).toBe(0);
    expect((await one.run(['plan', path])).code).toBe(0);
    one.file(`${FIRST_SECRET}\n`, 'orders.secret');
    expect((await one.run(['plan', path])).code).toBe(3);
    const viaEnvironment = one.file(SHOP.replace('{file: orders.secret}', '{env: ORDERS}'), 'env.yaml');
    expect((await one.run(['plan', viaEnvironment], { env: { ORDERS: SECOND_SECRET } })).code).toBe(0);
    expect(await one.json(['plan', viaEnvironment], 1)).toMatchObject({ problems: ['client shop/orders: the variable ORDERS is not set'] });
    one.file(`${SECOND_SECRET}\n`, 'orders.secret');
  });

  test('export → apply to an empty server → export is identical, and holds no secret', async () => {
    const output = join(folder(), 'export.yaml');
    expect(await one.json(['export', '--output', output])).toEqual({ ok: true, file: output });
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const text = readFileSync(output, 'utf8');
    expect(text).not.toMatch(/cs_|secret|whsec_/);
    const other = desk();
    const applied = await other.run(['apply', output]);
    expect(applied.code).toBe(0);
    expect((await other.run(['export'])).out).toBe(text);
    expect((await other.run(['plan', output])).code).toBe(0);
    expect(await other.json(['export'])).toEqual(await one.json(['export']));
  });

  test('nothing of it is done when one thing cannot be', async () => {
    const fresh = desk();
    const bad = fresh.file(`${SHOP.replace('{file: orders.secret}', '{env: ORDERS}')}  - slug: wrong\n    layout: root\n`);
    const refused = await fresh.json(['apply', bad], 2, { env: { ORDERS: FIRST_SECRET } });
    expect(refused).toMatchObject({ error: 'invalid_request', error_description: expect.stringMatching(/^tenant wrong: /) });
    expect(itemsOf(await fresh.run(['tenant', 'list', '--json']))).toMatchObject([{ slug: 'default' }]);
  });

  test('a plan says what applying would refuse, and how a plan with --prune is applied', async () => {
    const fresh = desk();
    const wrong = fresh.file('version: 1\ntenants:\n  - slug: shop\n    webhooks: [{name: crm, url: ftp://crm.example/}]\n');
    expect((await fresh.run(['plan', wrong])).err).toContain('webhook shop/crm: ');
    expect((await fresh.run(['plan', wrong])).code).toBe(2);
    expect(itemsOf(await fresh.run(['tenant', 'list', '--json']))).toMatchObject([{ slug: 'default' }]);
    const right = fresh.file('version: 1\ntenants: [{slug: shop}]\n');
    expect((await fresh.run(['plan', right])).out).toContain(' `assay apply` does it.');
    expect((await fresh.run(['plan', right, '--prune'])).out).toContain(' `assay apply --prune` does it.');
  });

  test('many secrets that nobody knows are told in one warning', async () => {
    const fresh = desk();
    const clients = ['a', 'b', 'c', 'd', 'e'].map((id) => `{client_id: ${id}}`).join(', ');
    const { err } = await fresh.run(['apply', fresh.file(`version: 1\ntenants: [{slug: default, clients: [${clients}]}]\n`)]);
    expect(err).toContain('5 clients and webhooks have secrets that nobody knows: the client default/a, the client default/b, the client default/c, …; refer to them in the file, or rotate them');
    expect(err.match(/nobody knows/g)).toHaveLength(1);
  });

  test('a wrong word of a long list is not answered by all of it', async () => {
    const file = one.file('version: 1\ntenants: [{slug: shop, webhooks: [{name: crm, url: https://crm.example/, events: [user_creatd]}]}]\n', 'word.yaml');
    const { err } = await one.run(['plan', file]);
    expect(err).toContain('events: has an item that is not known: "user_creatd"; did you mean user_created?');
    expect(err.length).toBeLessThan(400);
  });

  test('only --prune deletes', async () => {
    const less = one.file(SHOP.replace(/ {6}- client_id: web[\s\S]*?cb\]\n/, '').replace(/ {4}roles:[\s\S]*$/, '    roles: []\n'), 'less.yaml');
    await one.json(['tenant', 'create', 'stray', '--alg', 'ES256']);
    expect(await one.json(['plan', less])).toMatchObject({ changes: [], unmentioned: [{ kind: 'role', name: 'clerk' }, { kind: 'client', name: 'web' }, { kind: 'tenant', name: 'stray' }] });
    expect(await one.json(['apply', less, '--prune'])).toMatchObject({ changes: [{ action: 'delete', kind: 'role' }, { action: 'delete', kind: 'client' }, { action: 'delete', kind: 'tenant' }] });
    expect(itemsOf(await one.run(['tenant', 'list', '--json'])).map(({ slug }) => slug)).toEqual(['default', 'shop']);
    expect(itemsOf(await one.run(['client', 'list', '--tenant', 'shop', '--json'])).map(({ client_id }) => client_id)).toEqual(['orders']);
  });

  test('another algorithm brings other keys, in the same transaction', async () => {
    const other = one.file('version: 1\ntenants: [{slug: shop, alg: EdDSA}]\n', 'alg.yaml');
    expect((await one.run(['apply', other])).code).toBe(0);
    const keys = itemsOf(await one.run(['keys', 'list', '--tenant', 'shop', '--json']));
    expect(keys.filter(({ status }) => status === 'active' || status === 'next').map(({ alg }) => alg)).toEqual(['EdDSA', 'EdDSA']);
    expect((await one.run(['plan', other])).code).toBe(0);
  });

  test('webhooks, with their secrets', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const hooks = one.file('version: 1\ntenants:\n  - slug: shop\n    webhooks: [{name: crm, url: https://crm.example/hook, events: [user_created], enabled: false, secret: {env: CRM}}]\n', 'hooks.yaml');
    const env = { CRM: secret };
    expect(await one.json(['apply', hooks], 0, { env })).toMatchObject({ changes: [{ action: 'create', kind: 'webhook', name: 'crm' }] });
    expect((await one.run(['plan', hooks], { env })).code).toBe(0);
    const other = { CRM: `whsec_${Buffer.alloc(32, 8).toString('base64')}` };
    expect(await one.json(['plan', hooks], 3, { env: other })).toMatchObject({ changes: [{ action: 'update', members: [], secret: true }] });
    expect((await one.run(['apply', hooks], { env: other })).code).toBe(0);
    expect((await one.run(['plan', hooks], { env: other })).code).toBe(0);
    expect(await one.json(['apply', one.file('version: 1\ntenants: [{slug: shop, webhooks: []}]\n', 'none.yaml'), '--prune'])).toMatchObject({ changes: [{ action: 'delete', kind: 'webhook' }] });
  });

  test.each([
    ['no file', ['plan', '/nowhere/assay.yaml'], /there is no file \/nowhere\/assay.yaml/],
    ['no YAML', ['plan', 'BAD'], /cannot be read as YAML or JSON/],
    ['a tenant to export that there is not', ['export', '--only', 'nobody'], /there is no tenant "nobody"/],
  ])('%s is told', async (_what, args, words) => {
    const bad = one.file('a: [', 'bad.yaml');
    const ended = await one.run(args.map((word) => (word === 'BAD' ? bad : word)));
    expect([1, 2]).toContain(ended.code);
    expect(ended.err).toMatch(words);
  });

  test('problems have lines', async () => {
    const wrong = one.file('version: 1\ntenants:\n  - slug: shop\n    shape: kotauht\n    messages: {en: {nothing.of.that: x}, xx: {}}\n', 'wrong.yaml');
    expect(await one.json(['plan', wrong], 1)).toMatchObject({ problems: ['line 4, tenants[0].shape: must be one of standard, avnology, kotauth, workos; did you mean kotauth?'] });
    const worded = one.file('version: 1\ntenants:\n  - slug: shop\n    messages: {en: {nothing.of.that: x}, xx: {}}\n', 'worded.yaml');
    expect(await one.json(['plan', worded], 1)).toMatchObject({ problems: [expect.stringMatching(/^line 4, .*nothing\.of\.that: no text has the key/), expect.stringContaining('the languages are')] });
  });
});
