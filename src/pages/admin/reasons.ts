/** Why a token is worth nothing, or why somebody is told so: in words. */
import type { InactiveReason } from '../../core/standing.ts';

export type TokenReason = InactiveReason | 'would_deny' | 'caller_public' | 'caller_disabled';

/** What each reason means, as a whole sentence. */
export const reasonTexts: Readonly<Record<TokenReason, string>> = {
  not_a_token: 'This does not have the form of any token of ours: is it complete, and without spaces?',
  unknown: 'It has the form of a token of ours, but there is none like it: it expired long ago, or comes from another server or other data.',
  bad_signature: 'Its signature is wrong: it was changed, or signed with a key that is not this tenant\'s.',
  key_revoked: 'The key that signed it was revoked, and everything that this key signed is void.',
  wrong_issuer: 'It names another issuer than this tenant\'s: it comes from another tenant or server, or the issuer changed since.',
  wrong_type: 'It is a JWT, but no access token: ID tokens, for one, are not for APIs.',
  other_tenant: 'It belongs to another tenant.',
  expired: 'It expired.',
  not_yet_valid: 'It is not valid yet: look at the clocks.',
  issued_in_future: 'It was issued in the future: a clock is wrong.',
  revoked: 'It was revoked.',
  rotated: 'It is a refresh token that was used already; another took its place.',
  grant_revoked: 'The grant that it came of was revoked, or its session ended.',
  client_disabled: 'Its client is disabled, or was since it was issued, or all of the client\'s tokens were revoked.',
  client_unknown: 'Its client does not exist any more.',
  user_disabled: 'Its user is disabled, or was since it was issued, or all of the user\'s tokens were revoked.',
  user_unknown: 'Its user does not exist any more.',
  tenant_disabled: 'The tenant is disabled, or was since it was issued, or all of the tenant\'s tokens were revoked.',
  policy: 'The policy keeps it from this client: the token was neither issued to it nor meant for a resource that it answers for.',
  would_deny: 'The policy would keep it from this client, but is only reported, not enforced.',
  caller_public: 'This client is public, and public clients may never introspect.',
  caller_disabled: 'This client is disabled.',
};

/** In words. null: nothing is wrong. */
export function explainReason(reason: TokenReason | null): string {
  return reason === null ? 'Nothing speaks against it.' : reasonTexts[reason];
}
