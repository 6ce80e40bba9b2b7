/** Error codes a response may carry, grouped by the document that defines them. */

/** RFC 6749 §5.2: the token endpoint, and by reference introspection and revocation. */
export type TokenErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope';

/** RFC 6750 §3.1: an access token that does not do. */
export type BearerErrorCode = 'invalid_token' | 'insufficient_scope';

/** RFC 7009 §2.2.1. */
export type RevocationErrorCode = 'unsupported_token_type';

/** RFC 8707 §2. */
export type ResourceErrorCode = 'invalid_target';

/**
 * RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6, RFC 8707 §2: what an authorization response may carry.
 */
export type AuthorizationErrorCode =
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'account_selection_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'registration_not_supported'
  | ServerErrorCode;

/** RFC 6749 §4.1.2.1 for our own failures; used at every endpoint here. */
export type ServerErrorCode = 'server_error' | 'temporarily_unavailable';

/** Ours, for what HTTP itself refuses before a specification's endpoint is reached. */
export type HttpErrorCode =
  | 'not_found'
  | 'method_not_allowed'
  | 'misdirected_request'
  | 'too_many_requests'
  | 'request_too_large';

/** Every value of the member `error`. */
export type ErrorCode =
  | TokenErrorCode
  | BearerErrorCode
  | RevocationErrorCode
  | ResourceErrorCode
  | ServerErrorCode
  | HttpErrorCode;
