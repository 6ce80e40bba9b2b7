/** Limits that operators set for a tenant: told with every answer, and kept, also where answers come from memory. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { RequestLimits } from '../../src/core/operations-settings.ts';
import type { Tenant } from '../../src/core/model.ts';
import { auditOf, errorFault, homeUrl, issue, makeClient, makeTenant, post, startFixture, until, type Answer, type Credentials, type Fixture } from '../helpers/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  // Behind a proxy of ours, so that a test can come from many addresses.
  fixture = await startFixture({ args: ['--trust-proxy', '127.0.0.1'], env: { ASSAY_RATE_LIMITS: 'on' } });
});
afterAll(() => fixture.close());

async function stage(slug: string, limits: Partial<RequestLimits>): Promise<{ readonly tenant: Tenant; readonly client: Credentials; readonly token: string }> {
  const tenant = await makeTenant(fixture, slug, { operations: { limits } });
  const client = await makeClient(fixture, tenant, 'api');
  return { tenant, client, token: (await issue(fixture, tenant, 'api')).access_token };
}

const ask = (tenant: Tenant, client: Credentials, token: string, from = '192.0.2.1'): Promise<Answer> =>
  post(homeUrl(fixture, tenant, 'introspect'), { token }, client, { 'X-Forwarded-For': from });

function expectLimited(answer: Answer, name: string): void {
  const { 'retry-after': wait = '', ratelimit = '', 'ratelimit-policy': policy = '' } = answer.headers;
  expect(errorFault(answer, 429, 'too_many_requests', { 'retry-after': wait, ratelimit, 'ratelimit-policy': policy })).toBeNull();
  expect(Number(wait)).toBeGreaterThanOrEqual(1);
  expect(ratelimit).toContain(`"${name}";r=0;`);
}

describe('RL-02 a limit', () => {
  test('of a client holds for every answer, remembered ones too, and says how it stands', async () => {
    const { tenant, client, token } = await stage('by-client', { client: 5 });
    for (let asked = 1; asked <= 5; asked += 1) {
      const answer = await ask(tenant, client, token);
      expect([answer.status, answer.headers['ratelimit-policy'], answer.headers['ratelimit']]).toEqual([200, '"client";q=5;w=60', expect.stringMatching(new RegExp(`^"client";r=${5 - asked};t=\\d+$`))]);
    }
    expectLimited(await ask(tenant, client, token), 'client');
    expectLimited(await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'client_credentials' }, client, {}), 'client');
    const other = await makeClient(fixture, tenant, 'other');
    expect((await ask(tenant, other, token)).status).toBe(200);
    await until('it is in the audit trail', async () => (await auditOf(fixture, tenant, 'requests_limited')).some((event) => event.reason === 'client' && event.clientId === 'api'));
  });

  test('of an address holds before anybody says who they are, and not at another address (RL-10)', async () => {
    const { tenant, client, token } = await stage('by-address', { address: 3 });
    for (let asked = 0; asked < 3; asked += 1) expect((await ask(tenant, { ...client, secret: 'cs_wrong' }, token, '198.51.100.7')).status).toBe(401);
    expectLimited(await ask(tenant, client, token, '198.51.100.7'), 'address');
    expect((await ask(tenant, client, token, '198.51.100.8')).status).toBe(200);
    const page = await fetch(`${homeUrl(fixture, tenant, 'authorize')}?client_id=api`, { headers: { 'X-Forwarded-For': '198.51.100.7' } });
    expect([page.status, page.headers.get('content-type'), Number(page.headers.get('retry-after')) > 0]).toEqual([429, 'text/html; charset=utf-8', true]);
  });

  test('of a tenant is not used up by strangers (RL-03), and another tenant has its own (MTN-11)', async () => {
    const { tenant, client, token } = await stage('by-tenant', { tenant: 3 });
    const quiet = await stage('quiet', { tenant: 3 });
    for (let guess = 0; guess < 5; guess += 1) expect((await ask(tenant, { ...client, secret: `cs_wrong${guess}` }, token)).status).toBe(401);
    for (let asked = 0; asked < 3; asked += 1) expect((await ask(tenant, client, token)).status).toBe(200);
    expectLimited(await ask(tenant, client, token), 'tenant');
    expect((await ask(quiet.tenant, quiet.client, quiet.token)).status).toBe(200);
  });

  test('that is taken back is gone with the next request, without a restart', async () => {
    const { tenant, client, token } = await stage('eased', { client: 1 });
    expect((await ask(tenant, client, token)).status).toBe(200);
    expectLimited(await ask(tenant, client, token), 'client');
    const current = await fixture.application.ctx.store.findTenant({ slug: 'eased' });
    if (current === null) throw new Error('gone');
    const { limits } = current.operations;
    await fixture.application.ctx.store.updateTenant(current, { ...current, operations: { ...current.operations, limits: { ...limits, client: null } } }, []);
    const answer = await ask(tenant, client, token);
    expect([answer.status, answer.headers['ratelimit']]).toEqual([200, undefined]);
  });
});
