import type { ServerMetadata } from '../spec/metadata.ts';
import { identityScopes } from '../spec/names.ts';
import { promptValues, responseModes } from './authorization-request.ts';
import { layouts, tenantPrefix } from './layouts.ts';
import { issuerOf, type Origin } from './issuer.ts';
import { acrNames } from './people.ts';
import { presets } from './presets.ts';
import { userinfoClaimNames } from './userinfo.ts';
import type { Tenant } from './model.ts';

/** Facts of the running server that discovery may speak of. */
export type ServerAbilities = {
  /** Grant types with a handler. */
  readonly grantTypes: readonly string[];
  /** Languages of the pages for people. */
  readonly locales: readonly string[];
  /** Whether `/docs` is served. */
  readonly docs: boolean;
};

/**
 * A tenant's metadata, computed from the table of layouts: the same for both documents (RFC 8414 §2; OpenID Connect
 * Discovery §3; DS-27). Never from request headers (HT-03).
 */
export function describeServer(tenant: Tenant, origin: Origin, abilities: ServerAbilities): ServerMetadata {
  const issuer = issuerOf(tenant, origin);
  const layout = layouts[tenant.layout];
  const base = issuer.slice(0, issuer.length - tenantPrefix(layout, tenant.slug).length);
  const url = (endpoint: keyof typeof layout.paths): string =>
    base + tenantPrefix(layout, tenant.slug) + layout.paths[endpoint][0].path;
  const confidential = presets[tenant.preset].authMethods;
  return {
    issuer,
    authorization_endpoint: url('authorize'),
    token_endpoint: url('token'),
    userinfo_endpoint: url('userinfo'),
    end_session_endpoint: url('logout'),
    jwks_uri: url('jwks'),
    scopes_supported: identityScopes,
    claims_supported: userinfoClaimNames,
    response_types_supported: ['code'],
    response_modes_supported: responseModes,
    grant_types_supported: abilities.grantTypes,
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: promptValues,
    acr_values_supported: acrNames,
    ui_locales_supported: abilities.locales,
    token_endpoint_auth_methods_supported: [...confidential, 'none'],
    introspection_endpoint: url('introspect'),
    introspection_endpoint_auth_methods_supported: confidential,
    revocation_endpoint: url('revoke'),
    revocation_endpoint_auth_methods_supported: [...confidential, 'none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [tenant.algorithm],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    ...(abilities.docs && { service_documentation: `${base}/docs` }),
  };
}

/** Seconds for which others may keep discovery documents and key sets (DS-21); a next key is published at least as long before it signs (JK-03). */
export const METADATA_MAX_AGE = 3600;
