import { describe, expect, test } from 'bun:test';
import { describeServer } from '../../src/core/discovery.ts';
import type { PresetName, Tenant } from '../../src/core/model.ts';
import { makeTenant, type TenantChange } from '../../src/core/tenant-settings.ts';
import { grantHandlers } from '../../src/service/grants/registry.ts';
import { originOf } from './facts.ts';

const make = (slug: string, change: TenantChange): Tenant => makeTenant({ id: 'ten_1', slug, nowMs: 1 }, change);
const describeAt = (tenant: Tenant, origin = 'https://id.example.com') =>
  describeServer(tenant, originOf(origin), { grantTypes: [...grantHandlers.keys()], locales: ['en'], docs: true });

const basicFirst = ['client_secret_basic', 'client_secret_post'];
const postFirst = ['client_secret_post', 'client_secret_basic'];

function documentOf(base: string, at: { issuer: string; token: string; jwks: string; introspect: string; revoke: string; userinfo: string; authorize: string; logout: string }, methods: readonly string[]) {
  return {
    issuer: at.issuer,
    authorization_endpoint: base + at.authorize,
    token_endpoint: base + at.token,
    jwks_uri: base + at.jwks,
    scopes_supported: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
    claims_supported: [
      'sub', 'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website', 'gender', 'birthdate',
      'zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address', 'phone_number', 'phone_number_verified',
    ],
    userinfo_endpoint: base + at.userinfo,
    end_session_endpoint: base + at.logout,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    acr_values_supported: ['1fa', 'mfa', 'phr'],
    ui_locales_supported: ['en'],
    token_endpoint_auth_methods_supported: [...methods, 'none'],
    introspection_endpoint: base + at.introspect,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint: base + at.revoke,
    revocation_endpoint_auth_methods_supported: [...methods, 'none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    service_documentation: `${base}/docs`,
  };
}

const root = { token: '/oauth2/token', jwks: '/oauth2/jwks.json', introspect: '/oauth2/introspect', revoke: '/oauth2/revoke', userinfo: '/oauth2/userinfo', authorize: '/oauth2/authorize', logout: '/oauth2/logout' };
const within = (prefix: string) => ({
  token: `${prefix}/token`, introspect: `${prefix}/introspect`, revoke: `${prefix}/revoke`, userinfo: `${prefix}/userinfo`,
  logout: `${prefix}/logout`,
});

describe('RFC 8414 §2, OpenID Connect Discovery §3 · a tenant\'s document', () => {
  test('DS-01, DS-04, DS-07, DS-10…DS-12, DS-19, DS-20, REV-27 the tenant default, exactly', () => {
    expect(describeAt(make('default', {}))).toEqual(documentOf('https://id.example.com', { issuer: 'https://id.example.com', ...root }, basicFirst));
  });

  test('DS-02 at the layout realm, exactly', () => {
    expect(describeAt(make('acme', { preset: 'kotauth' }))).toEqual(documentOf('https://id.example.com', {
      issuer: 'https://id.example.com/t/acme', ...within('/t/acme/protocol/openid-connect'), authorize: '/t/acme/protocol/openid-connect/auth', jwks: '/t/acme/protocol/openid-connect/certs',
    }, basicFirst));
  });

  test('DS-03 at the layout org, exactly', () => {
    expect(describeAt(make('acme', { preset: 'lumoauth' }))).toEqual(documentOf('https://id.example.com', {
      issuer: 'https://id.example.com/orgs/acme', ...within('/orgs/acme/api/v1/oauth'), authorize: '/orgs/acme/api/v1/oauth/authorize', jwks: '/orgs/acme/api/v1/.well-known/jwks.json',
    }, basicFirst));
  });

  test('MTN-03 at a hostname of its own, exactly', () => {
    expect(describeAt(make('acme', { preset: 'aero2', host: 'auth.acme.com' })))
      .toEqual(documentOf('https://auth.acme.com', { issuer: 'https://auth.acme.com', ...root }, postFirst));
  });

  test('DS-06, DS-08 all URLs have the origin\'s scheme', () => {
    const document = describeAt(make('acme', { preset: 'workos', host: 'acme.localhost:8080' }), 'http://127.0.0.1:8080');
    const urls = Object.values(document).filter((value): value is string => typeof value === 'string');
    expect(urls).toHaveLength(9);
    for (const url of urls) expect(url).toStartWith('http://acme.localhost:8080');
  });

  test.each(['standard', 'kotauth', 'lumoauth', 'aero2', 'avnology', 'workos'] satisfies PresetName[])('DS-10, DS-20 %s: no empty list, no null, and `none` is not for introspection', (preset) => {
    const document = describeAt(make('acme', { preset, host: 'auth.acme.com' }));
    expect(document.introspection_endpoint_auth_methods_supported).not.toContain('none');
    for (const value of Object.values(document)) {
      expect(value).not.toBeNull();
      if (Array.isArray(value)) expect(value.length).toBeGreaterThan(0);
    }
  });
});
