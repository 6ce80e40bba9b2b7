/** RFC 7662 §2.2 with the extensions that an answer may carry. */

/** RFC 7800 §3.1 confirmation: how the presenter proves possession. */
export type Confirmation = { readonly jkt?: string; readonly 'x5t#S256'?: string };

/** RFC 8693 §4.1 actor, nested. */
export type Actor = { readonly sub: string; readonly iss?: string; readonly act?: Actor };

/** Members of an active introspection answer. Times are whole seconds since the epoch. */
export type IntrospectionMembers = {
  active: true;
  scope?: string;
  client_id?: string;
  username?: string;
  email?: string;
  token_type?: string;
  exp?: number;
  iat?: number;
  nbf?: number;
  sub?: string;
  aud?: string | readonly string[];
  iss?: string;
  jti?: string;
  sid?: string;
  org_id?: string;
  org_name?: string;
  cnf?: Confirmation;
  act?: Actor;
  acr?: string;
  auth_time?: number;
};

/** OpenID Connect Core §5.1: claims about a person, as far as they are known here, and those that a tenant adds. */
export type UserinfoClaims = { readonly sub: string; readonly [claim: string]: unknown };

/** RFC 6749 §5.1: members of a token response. `expires_in` in seconds. */
export type TokenResponse = {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
};
