/** Names that the specifications reserve: grant types, authentication methods, algorithms, scopes. */

/** Grant types, `grant_type` values (RFC 6749, 8628, 8693, 7523, OpenID CIBA). A client may be registered for each. */
export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:openid:params:grant-type:ciba',
] as const;
/** One registered `grant_type` value. */
export type GrantType = (typeof grantTypes)[number];

/** Client authentication methods that work (RFC 7591 §2 names); `none` is a public client. */
export const authMethods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
/** One `token_endpoint_auth_method` value. */
export type AuthMethod = (typeof authMethods)[number];

/** Signature algorithms for tokens (RFC 7518 §3.1, RFC 8037). */
export const signingAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
/** One JWS `alg` that signs tokens. */
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** Scopes that speak of a person (OpenID Connect Core §5.4, §11) and stand beside any resource's own. */
export const identityScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'] as const;

/** JOSE `typ` of an access token (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** JOSE `typ` of an ID token. */
export const ID_TOKEN_TYPE = 'JWT';

/** JOSE `typ` of a logout token (OpenID Connect Back-Channel Logout §2.4). */
export const LOGOUT_TOKEN_TYPE = 'logout+jwt';

/** The event that a logout token tells of. */
export const BACKCHANNEL_LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
