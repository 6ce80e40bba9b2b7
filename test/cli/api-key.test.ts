import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { apiKeyId } from '../../src/tokens/api-key.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document } from './assay.ts';

let data: string;
const run = (args: readonly string[]) => assay([...args, '--data', data]);
const json = async (args: readonly string[]): Promise<Document> => documentOf(await run([...args, '--json']));
const failure = async (args: readonly string[], code = 1): Promise<Document> => documentOf(await run([...args, '--json']), code);

beforeAll(async () => {
  data = temporaryFolder();
  await json(['tenant', 'create', 'acme', '--alg', 'ES256']);
});
afterAll(() => removeFolder(data));

describe('assay api-key', () => {
  test('CR-04 create shows the key once; list never; revoke works once', async () => {
    const created = await json(['api-key', 'create', '--name', 'deploy', '--scope', 'admin:clients', '--scope', 'admin:audit:read', '--only-tenant', 'acme', '--ttl', '600']);
    expect(created).toMatchObject({ name: 'deploy', scope: 'admin:clients admin:audit:read', tenant: 'acme', created_by: 'operator', last_used_at: null, revoked_at: null });
    expect(apiKeyId(String(created['key']))).toBe(String(created['id']));
    const { key: _key, ...facts } = created;
    expect(itemsOf(await run(['api-key', 'list', '--json']))).toEqual([facts]);
    expect((await run(['api-key', 'list'])).out).toContain('deploy');
    expect(await json(['api-key', 'revoke', String(created['id']), '--yes'])).toEqual({ ok: true });
    expect(await failure(['api-key', 'revoke', String(created['id']), '--yes'])).toMatchObject({ error: 'not_found' });
    expect(itemsOf(await run(['api-key', 'list', '--json']))[0]?.['revoked_at']).toBeString();
    expect(itemsOf(await run(['audit', 'list', '--type', 'access_key_revoked', '--json']))).toEqual([expect.objectContaining({ actor: 'operator', subject: created['id'], tenant: 'acme' })]);
  }, 20_000);

  test.each([
    ['no name', ['--scope', 'admin'], 'usage', '--name'], ['no scope', ['--name', 'x'], 'usage', '--scope'], ['an unknown scope', ['--name', 'x', '--scope', 'admin:everything'], 'invalid_request', 'no scope'],
  ] as const)('with %s it makes none', async (_what, args, error, words) => {
    expect(await failure(['api-key', 'create', ...args], 2)).toMatchObject({ error, error_description: expect.stringContaining(words) });
  });

  test('a key for a tenant that is not there is not made', async () => {
    expect(await failure(['api-key', 'create', '--name', 'x', '--scope', 'admin', '--only-tenant', 'nowhere'])).toMatchObject({ error: 'not_found' });
  });
});

test('JK-04, LG-08, RL-01 a tenant is told how it is operated, and what is not named stays', async () => {
  const limits = { tenant: 6_000, client: 600, address: null, account: 5 };
  expect(await json(['tenant', 'update', 'acme', '--audit-retention-days', '365', '--limit-tenant', '6000', '--limit-client', '600', '--limit-account', '5']))
    .toMatchObject({ audit_retention_days: 365, key_rotation_days: 90, limits });
  expect(await json(['tenant', 'update', 'acme', '--key-rotation-days', '', '--limit-tenant', ''])).toMatchObject({ audit_retention_days: 365, key_rotation_days: null, limits: { ...limits, tenant: null } });
  expect(await failure(['tenant', 'update', 'acme', '--limit-client', '1000001'], 2)).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('per minute') });
  expect(await failure(['tenant', 'update', 'acme', '--limit-client', '0'], 2)).toMatchObject({ error: 'usage' });
});

test('REV-14 revoke-tokens ends every token of a tenant, and leaves a trace', async () => {
  await json(['client', 'create', '--id', 'svc', '--scope', 'a', '--tenant', 'acme']);
  const { access_token: token } = await json(['token', 'issue', '--client', 'svc', '--tenant', 'acme']);
  const state = async () => json(['token', 'inspect', String(token), '--tenant', 'acme']);
  expect(await state()).toMatchObject({ active: true });
  expect(await failure(['tenant', 'revoke-tokens', 'acme'], 2)).toMatchObject({ error: 'usage' });
  expect(await json(['tenant', 'revoke-tokens', 'acme', '--yes'])).toEqual({ ok: true });
  expect(await state()).toMatchObject({ active: false, reason: 'tenant_disabled' });
  expect(itemsOf(await run(['audit', 'list', '--type', 'tenant_tokens_revoked', '--json']))).toEqual([expect.objectContaining({ tenant: 'acme', subject: 'acme' })]);
});

test('RI-05 a resource is changed; its identifier stays', async () => {
  await json(['client', 'create', '--id', 'owner', '--tenant', 'acme']);
  const uri = 'https://api.example.com/orders';
  const created = await json(['resource', 'create', '--uri', uri, '--scope', 'read', '--tenant', 'acme']);
  expect(await json(['resource', 'update', uri, '--owner', 'owner', '--token-format', 'opaque', '--tenant', 'acme'])).toEqual({ ...created, owner: 'owner', token_format: 'opaque' });
  expect(await json(['resource', 'update', uri, '--scope', '', '--owner', '', '--token-format', '', '--tenant', 'acme'])).toEqual({ ...created, scope: '' });
  expect(await failure(['resource', 'update', uri, '--owner', 'nobody', '--tenant', 'acme'])).toMatchObject({ error: 'not_found' });
  expect(await failure(['resource', 'update', `${uri}/x`, '--scope', 'a', '--tenant', 'acme'])).toMatchObject({ error: 'not_found', error_description: expect.stringContaining('resource list') });
});
