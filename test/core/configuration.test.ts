/** What a configuration file may say, and what is different from what there is. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseConfiguration, writeConfiguration } from '../../src/config/configuration-text.ts';
import { planConfiguration, secretKey } from '../../src/core/configuration/difference.ts';
import { sameJson, type Json } from '../../src/core/configuration/json.ts';
import { readConfiguration, type Configuration } from '../../src/core/configuration/read.ts';

function read(value: Json): Configuration {
  const reading = readConfiguration(value);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.configuration;
}

const tenants = (...list: Json[]): Json => ({ version: 1, tenants: list });
const nothing = { prune: false, keep: new Set(['default']), staleSecrets: new Set<string>() };

describe('reading', () => {
  test.each<[string, Json, string, RegExp]>([
    ['no object', [], '', /must be an object/],
    ['no version', { tenants: [] }, 'version', /must be 1/],
    ['another version', { version: 2, tenants: [] }, 'version', /must be 1/],
    ['a member of the file that is none', { version: 1, tenants: [], users: [] }, 'users', /no such member/],
    ['tenants that are no list', { version: 1, tenants: {} }, 'tenants', /must be a list/],
    ['a tenant without slug', tenants({ name: 'Acme' }), 'tenants.0', /slug is missing/],
    ['MTN-08 a reserved slug', tenants({ slug: 'admin' }), 'tenants.0.slug', /cannot be a tenant's slug/],
    ['a tenant twice', tenants({ slug: 'a' }, { slug: 'a' }), 'tenants.1', /twice/],
    ['a misspelt member', tenants({ slug: 'a', acces_token_ttl: 3 }), 'tenants.0.acces_token_ttl', /did you mean access_token_ttl\?/],
    ['a word that is none', tenants({ slug: 'a', shape: 'kotauht' }), 'tenants.0.shape', /did you mean kotauth\?/],
    ['a number as text', tenants({ slug: 'a', access_token_ttl: '300' }), 'tenants.0.access_token_ttl', /whole number/],
    ['a negative number', tenants({ slug: 'a', access_token_ttl: -1 }), 'tenants.0.access_token_ttl', /whole number/],
    ['a limit that is none', tenants({ slug: 'a', limits: { planet: 3 } }), 'tenants.0.limits', /limits are tenant/],
    ['a picture that is none', tenants({ slug: 'a', logo: 'https://example.com/logo.png' }), 'tenants.0.logo', /data URL/],
    ['CR-08 a secret in the file', tenants({ slug: 'a', clients: [{ client_id: 'c', secret: 'hush' }] }), 'tenants.0.clients.0.secret', /never in here/],
    ['a secret from two places', tenants({ slug: 'a', clients: [{ client_id: 'c', secret: { env: 'A', file: 'b' } }] }), 'tenants.0.clients.0.secret', /never in here/],
    ['a secret of a role', tenants({ slug: 'a', roles: [{ role: 'r', secret: { env: 'A' } }] }), 'tenants.0.roles.0.secret', /no such member/],
    ['a client twice', tenants({ slug: 'a', clients: [{ client_id: 'c' }, { client_id: 'c' }] }), 'tenants.0.clients.1', /twice/],
    ['an event that there is not', tenants({ slug: 'a', webhooks: [{ name: 'w', url: 'https://example.com', events: ['user_creatd'] }] }), 'tenants.0.webhooks.0.events', /user_created/],
    ['a claim without targets', tenants({ slug: 'a', claims: [{ claim: 'x', source: 'roles' }] }), 'tenants.0.claims', /targets/],
  ])('%s is told with its place', (_what, value, place, words) => {
    const reading = readConfiguration(value);
    expect(reading.ok).toBe(false);
    if (reading.ok) return;
    const problem = reading.problems.find((one) => one.place.join('.') === place);
    expect(problem?.text ?? JSON.stringify(reading.problems)).toMatch(words);
  });

  test('every problem is told at once', () => {
    const reading = readConfiguration(tenants({ slug: 'a', shape: 'x', alg: 'y', clients: [{ name: 'z' }] }));
    expect(reading).toMatchObject({ ok: false, problems: [{ place: ['tenants', 0, 'shape'] }, { place: ['tenants', 0, 'alg'] }, { place: ['tenants', 0, 'clients', 0] }] });
  });

  test('TX-05 whatever JSON there is, reading ends with a verdict', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const reading = readConfiguration(value as Json);
      expect(reading.ok || reading.problems.length > 0).toBe(true);
    }));
  });
});

describe('text', () => {
  test.each([
    ['a key twice', 'version: 1\nversion: 1\n'],
    ['a date', 'version: !!timestamp 2026-01-01\n'],
    ['binary', 'version: !!binary aGk=\n'],
    ['infinity', 'version: .inf\n'],
    ['a number that is not exact', 'version: 9007199254740993\n'],
    ['two documents', 'version: 1\n---\nversion: 1\n'],
    ['no YAML', 'a: [1,\n'],
    ['aliases that multiply', `a: &a [1,1,1,1,1,1,1,1,1,1]\n${'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefg'[index]}`).join(',')}]`).join('\n')}\n`],
  ])('%s is refused', async (_what, text) => {
    expect((await parseConfiguration(text)).ok).toBe(false);
  });

  test('JSON is YAML, and what is written reads the same', async () => {
    await fc.assert(fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
      const safe = JSON.parse(JSON.stringify(value, (_name, one: unknown) => (typeof one === 'number' ? Math.trunc(one % 1e9) || 0 : one))) as Json;
      const again = await parseConfiguration(await writeConfiguration(safe));
      expect(again.ok && sameJson(again.value, safe)).toBe(true);
    }));
  });

  test('a place has a line', async () => {
    const text = await parseConfiguration('version: 1\ntenants:\n  - slug: a\n    shape: x\n');
    expect(text.ok ? [text.lineOf(['tenants', 0, 'shape']), text.lineOf(['tenants', 0, 'nothing']), text.lineOf([])] : []).toEqual([4, 3, 1]);
  });
});

describe('difference', () => {
  const current = read(tenants(
    { slug: 'default' },
    { slug: 'acme', name: 'Acme', limits: { tenant: null, client: 60, address: null, account: null }, messages: { en: { 'sign_in.title': 'Hi' } }, clients: [{ client_id: 'a', name: 'A' }, { client_id: 'b' }], resources: [], roles: [{ role: 'r', permissions: ['p'] }], webhooks: [] },
    { slug: 'old' },
  ));

  test('what is as the file wants it is not told; what it does not say stays', () => {
    const wanted = read(tenants({ slug: 'acme', limits: { client: 60 }, clients: [{ client_id: 'a' }, { client_id: 'b' }] }));
    expect(planConfiguration(current, wanted, nothing)).toEqual({ differences: [], unmentioned: [{ kind: 'tenant', tenant: 'old', name: 'old' }] });
  });

  test('things to make come before those to change and those to delete, clients before resources', () => {
    const wanted = read(tenants({ slug: 'acme', name: 'Acme AG', clients: [{ client_id: 'a', name: 'AA' }, { client_id: 'c' }], resources: [{ uri: 'https://api', owner: 'c' }], roles: [] }, { slug: 'new' }));
    const { differences, unmentioned } = planConfiguration(current, wanted, { ...nothing, prune: true });
    expect(unmentioned).toEqual([]);
    expect(differences.map(({ action, kind, tenant, name }) => `${action} ${kind} ${tenant} ${name}`)).toEqual([
      'update tenant acme acme', 'update client acme a', 'create client acme c', 'create resource acme https://api', 'create tenant new new',
      'delete role acme r', 'delete client acme b', 'delete tenant old old',
    ]);
    expect(differences[0]?.members).toEqual([{ name: 'name', before: 'Acme', after: 'Acme AG' }]);
  });

  test('the tenant default is never deleted, and a kind that a file leaves out is left alone', () => {
    const { differences } = planConfiguration(current, read(tenants({ slug: 'acme' })), { ...nothing, prune: true });
    expect(differences.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['tenant old']);
  });

  test('own wording is there in full; a secret that is not the one referred to counts', () => {
    const wanted = read(tenants({ slug: 'acme', messages: {}, clients: [{ client_id: 'a', secret: { env: 'A' } }, { client_id: 'b' }] }));
    const { differences } = planConfiguration(current, wanted, { ...nothing, staleSecrets: new Set([secretKey('client', 'acme', 'a')]) });
    expect(differences.map(({ name, members, secret }) => [name, members.map((member) => member.name), secret])).toEqual([['acme', ['messages'], false], ['a', [], true]]);
  });
});
