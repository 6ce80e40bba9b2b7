import { tenantPrefix, type Layout } from '../core/layouts.ts';
import type { ShapeName, TokenFacts, User } from '../core/model.ts';
import { renderIntrospection } from '../core/introspect.ts';

/** When the tokens of the examples were issued: 2026-01-01 00:00:00 UTC, in seconds. */
const ISSUED = 1_767_225_600;
const LIFE = 300;

const user: User = {
  tenantId: 'ten_example', id: 'usr_example', username: 'alice', email: 'alice@example.com', emailVerified: true, name: null, attributes: {},
  createdAtMs: 0, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
};

const facts: TokenFacts = {
  kind: 'access', tenantId: user.tenantId, clientId: 'my-spa', subject: user.id, userId: user.id, scopes: ['openid', 'profile', 'email'],
  audience: ['https://api.example.com'], issuedAtMs: ISSUED * 1000, expiresAt: ISSUED + LIFE, notBefore: null, id: 'example-token-id',
  grantId: 'grant_example', sessionId: 'session_example', orgId: null, confirmation: null, actor: null, authTime: null, acr: null,
};

type Example = { readonly summary: string; readonly value: object };

/**
 * Answers as this server would give them, about one token that does not exist.
 * @param order response forms, the one that is usual at the URL first
 */
export function introspectionExamples(order: readonly ShapeName[], layout: Layout): Record<string, Example> {
  const issuer = `https://id.example.com${tenantPrefix(layout, 'acme')}`;
  const render = (shape: ShapeName): object =>
    renderIntrospection(facts, facts.scopes, { shape, tenantShape: shape, issuer, user, personal: true });
  const examples = order.map((shape, index): [string, Example] =>
    [shape, { summary: `a user's access token, in the form ${shape}${index === 0 ? '' : ', where the tenant or the client is set to it'}`, value: render(shape) }]);
  const [first, ...others] = examples;
  return Object.fromEntries([
    ...(first === undefined ? [] : [first]),
    ['inactive', { summary: 'any token that is not good, or not yours to learn about', value: { active: false } }],
    ...others,
  ]);
}
