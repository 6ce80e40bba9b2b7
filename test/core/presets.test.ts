import { describe, expect, test } from 'bun:test';
import { presetNames } from '../../src/core/model.ts';
import { presets } from '../../src/core/presets.ts';
import type { Fault } from '../../src/core/fault.ts';
import { DEFAULT_TENANT, findTenantFault, isLifetime, makeTenant, applyTenantChange, type TenantChange } from '../../src/core/tenant-settings.ts';

/** All that people read of a fault. */
const wordsOf = (fault: Fault | null): string => [fault?.description, fault?.hint].join('; ');

const basicFirst = ['client_secret_basic', 'client_secret_post'] as const;
const postFirst = ['client_secret_post', 'client_secret_basic'] as const;
const MIN = 60;
const H = 3600;
const D = 86_400;

/** As the products document themselves. */
const table = [
  ['standard', null, 'audience', 'issued_to', 'standard', 'grant', 5 * MIN, 30 * D, basicFirst, 'issuer'],
  ['kotauth', 'realm', 'tenant', 'tenant', 'kotauth', 'session', 5 * MIN, D, basicFirst, 'issuer'],
  ['lumoauth', 'org', 'audience', 'issued_to', 'standard', 'grant', H, 30 * D, basicFirst, 'issuer'],
  ['aero2', 'root', 'issued_to', 'issued_to', 'standard', 'grant', H, 7 * D, postFirst, 'client'],
  ['avnology', 'root', 'issued_to', 'issued_to', 'avnology', 'grant', 15 * MIN, 30 * D, postFirst, 'client'],
  ['workos', 'root', 'issued_to', 'issued_to', 'workos', 'grant', 5 * MIN, 30 * D, postFirst, 'issuer'],
] as const;

describe('presets', () => {
  test.each([...table])('AT-11, TCC-07 the row %s', (name, layout, introspectionPolicy, revocationPolicy, shape, refreshRevocation, accessTokenTtl, refreshTokenTtl, authMethods, defaultAudience) => {
    expect(presets[name]).toEqual({
      layout, introspectionPolicy, revocationPolicy, shape, refreshRevocation, accessTokenTtl, refreshTokenTtl, authMethods, defaultAudience,
    });
  });

  test('every preset has its row here', () => {
    expect(table.map(([name]) => name)).toEqual([...presetNames]);
  });

  test('AT-11 none gives access tokens more than an hour', () => {
    for (const name of presetNames) expect(presets[name].accessTokenTtl).toBeLessThanOrEqual(H);
  });
});

describe('tenants made of presets', () => {
  const make = (change: TenantChange, slug = 'acme') => makeTenant({ id: 'ten_1', slug, nowMs: 1 }, change);

  test.each([
    ['standard', {}, 'realm'],
    ['standard with a hostname', { host: 'a.example.com' }, 'root'],
    ['kotauth', { preset: 'kotauth' }, 'realm'],
    ['kotauth with a hostname', { preset: 'kotauth', host: 'a.example.com' }, 'realm'],
    ['lumoauth', { preset: 'lumoauth' }, 'org'],
    ['aero2', { preset: 'aero2', host: 'a.example.com' }, 'root'],
    ['aero2 moved', { preset: 'aero2', layout: 'org' }, 'org'],
  ] as const)('home layout of %s', (_name, change, layout) => {
    expect(make(change).layout).toBe(layout);
  });

  test('what is given beside a preset goes over its row', () => {
    expect(make({ preset: 'kotauth', introspectionPolicy: 'issued_to', shape: 'workos', accessTokenTtl: 7, algorithm: 'ES256' }))
      .toMatchObject({ introspectionPolicy: 'issued_to', shape: 'workos', accessTokenTtl: 7, algorithm: 'ES256', revocationPolicy: 'tenant', refreshRevocation: 'session', refreshTokenTtl: D });
  });

  test('a change without a preset keeps what there is', () => {
    const before = make({ preset: 'kotauth', accessTokenTtl: 7 });
    expect(applyTenantChange(before, { name: 'New' })).toEqual({ ...before, name: 'New' });
    expect(applyTenantChange(before, { host: 'a.example.com' })).toEqual({ ...before, host: 'a.example.com' });
  });

  test('the tenant default changes its policy by preset, never its place', () => {
    const before = make({}, DEFAULT_TENANT);
    expect(before.layout).toBe('root');
    const after = applyTenantChange(before, { preset: 'kotauth' });
    expect(after).toMatchObject({ layout: 'root', preset: 'kotauth', shape: 'kotauth', revocationPolicy: 'tenant' });
    expect(findTenantFault(after)).toBeNull();
    expect(wordsOf(findTenantFault(applyTenantChange(before, { layout: 'org' })))).toContain('cannot move');
    expect(wordsOf(findTenantFault(applyTenantChange(before, { host: 'a.example.com' })))).toContain('no hostname');
  });

  test('MTN-01 a tenant at root needs a hostname', () => {
    expect(wordsOf(findTenantFault(make({ preset: 'workos' })))).toContain('--host');
    expect(findTenantFault(make({ preset: 'workos', host: 'a.example.com' }))).toBeNull();
    expect(wordsOf(findTenantFault(applyTenantChange(make({ preset: 'workos', host: 'a.example.com' }), { host: null })))).toContain('--host');
  });

  test('lifetimes are whole seconds from one on', () => {
    expect([0, -1, 1.5, Number.NaN, Infinity, 1, 315_360_000, 315_360_001].filter(isLifetime)).toEqual([1, 315_360_000]);
    expect(wordsOf(findTenantFault(make({ accessTokenTtl: 0 })))).toContain('whole seconds');
  });
});
