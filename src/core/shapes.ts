import type { ShapeName, TokenFacts } from './model.ts';

/** One row per response form (wire contract §2). A member that is absent here is never in the answer. */
export type Shape = {
  /** What `username` holds for a user's token; null: the form has no such member. */
  readonly username: 'email' | 'login' | null;
  /** Whether `email` is shown to those who may see it. */
  readonly email: boolean;
  /** `bearer`: RFC 6749's types, none for refresh tokens; `kind`: the kind of token; `bound`: only where a key is bound. */
  readonly tokenType: 'bearer' | 'kind' | 'bound';
  readonly audience: 'always-list' | 'string-when-one';
  /** `exp` of refresh tokens. */
  readonly refreshExpiry: boolean;
  readonly tokenId: boolean;
  /** Whether `sid` is shown, of access tokens. */
  readonly session: boolean;
  readonly organization: boolean;
  /** Whether `org_name` is shown beside it, of an organization that is registered. */
  readonly organizationName: boolean;
  /** Body of a successful revocation. */
  readonly revokeBody: '{}' | '';
};

export const shapes: Readonly<Record<ShapeName, Shape>> = {
  standard: {
    username: 'email', email: false, tokenType: 'bearer', audience: 'string-when-one', refreshExpiry: true,
    tokenId: true, session: true, organization: true, organizationName: false, revokeBody: '{}',
  },
  avnology: {
    username: null, email: false, tokenType: 'bearer', audience: 'always-list', refreshExpiry: true,
    tokenId: true, session: false, organization: true, organizationName: true, revokeBody: '',
  },
  kotauth: {
    username: 'login', email: true, tokenType: 'bound', audience: 'string-when-one', refreshExpiry: true,
    tokenId: false, session: false, organization: false, organizationName: false, revokeBody: '',
  },
  workos: {
    username: null, email: false, tokenType: 'kind', audience: 'string-when-one', refreshExpiry: false,
    tokenId: true, session: true, organization: true, organizationName: false, revokeBody: '{}',
  },
};

/** Which form an answer takes (wire contract §2, precedence). */
export function chooseShape(choice: {
  /** The calling client's own. */
  readonly client: ShapeName | null;
  /** Fixed by the URL, as for `/oauth2/introspection`. */
  readonly path: ShapeName | undefined;
  /** Whether the URL is in the tenant's home layout. */
  readonly home: boolean;
  readonly tenant: ShapeName;
  /** The layout's default. */
  readonly layout: ShapeName;
}): ShapeName {
  return choice.client ?? choice.path ?? (choice.home ? choice.tenant : choice.layout);
}

/** The member `token_type`: a key-bound access token is always `DPoP` (RFC 9449 §6.2), whatever the form. */
export function tokenType(shape: Shape, facts: TokenFacts): string | undefined {
  if (facts.kind === 'access' && facts.confirmation?.jkt !== undefined) return 'DPoP';
  if (shape.tokenType === 'kind') return facts.kind === 'access' ? 'access_token' : 'refresh_token';
  return shape.tokenType === 'bearer' && facts.kind === 'access' ? 'Bearer' : undefined;
}
