/** Authorization server metadata, RFC 8414 §2 and OpenID Connect Discovery §3: the members that this server can publish. */
export type ServerMetadata = {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint: string;
  end_session_endpoint: string;
  jwks_uri: string;
  scopes_supported: readonly string[];
  claims_supported: readonly string[];
  response_types_supported: readonly string[];
  response_modes_supported: readonly string[];
  grant_types_supported: readonly string[];
  code_challenge_methods_supported: readonly string[];
  prompt_values_supported: readonly string[];
  acr_values_supported: readonly string[];
  ui_locales_supported: readonly string[];
  token_endpoint_auth_methods_supported: readonly string[];
  introspection_endpoint: string;
  introspection_endpoint_auth_methods_supported: readonly string[];
  revocation_endpoint: string;
  revocation_endpoint_auth_methods_supported: readonly string[];
  subject_types_supported: readonly string[];
  id_token_signing_alg_values_supported: readonly string[];
  request_parameter_supported: boolean;
  request_uri_parameter_supported: boolean;
  claims_parameter_supported: boolean;
  authorization_response_iss_parameter_supported: boolean;
  backchannel_logout_supported: boolean;
  backchannel_logout_session_supported: boolean;
  service_documentation?: string;
};

/** A JSON Web Key Set of public signature keys (RFC 7517 §5). */
export type JsonWebKeySet = { keys: readonly PublicJwk[] };

/** One public key as published. */
export type PublicJwk = {
  readonly kty: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
};
