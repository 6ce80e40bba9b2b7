import { t } from 'elysia';
import { explanationDocument, inspectionDocument } from '../../service/documents.ts';
import { opaqueTokenDocument } from '../../service/grant-documents.ts';
import { issueToken } from '../../service/issue-token.ts';
import { pageLiveTokens, type GrantFilter } from '../../service/manage-grants.ts';
import { warnOfOrganization } from '../../service/manage-organizations.ts';
import { done } from '../../service/manage-outcome.ts';
import { explainToken, inspectToken, revokeToken } from '../../service/manage-tokens.ts';
import { listed, operation, told, type AdminOperation } from './operation.ts';
import { filterText } from './people-schemas.ts';
import { given, partOf, scopeText, scopeWords, time, timeOrNull } from './schemas.ts';

const textOrNull = (description?: string) => t.Union([t.String(), t.Null()], description === undefined ? {} : { description });
const token = t.String({ minLength: 1, maxLength: 16_384, format: 'password', description: 'The token. It is neither logged nor kept.', example: 'at_example_not_a_real_token' });

const tokenAnswer = t.Object({
  digest: t.String({ description: 'base64url SHA-256 of the token, which itself nobody has but whom it was given to.' }), tenant: t.String(), client_id: t.String(), sub: t.String(), user_id: textOrNull('null: the client acts for itself.'),
  scope: t.String(), audience: t.Array(t.String()), issued_at: time('When it was issued.'), expires_at: timeOrNull('null: with its grant.'), grant_id: textOrNull(), session_id: textOrNull(), org_id: textOrNull(),
}, { $id: 'OpaqueToken' });

const newToken = t.Object({
  client: t.String({ minLength: 1, maxLength: 256, description: 'Client that it is issued to.' }), user: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'User that it speaks for, by id or username; left out: the client acts for itself.' })),
  org: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'Organization that it speaks of.' })), session: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'Session of that user, or the id of a new one.' })),
  scope: t.Optional(scopeText('Left out: all that the client may have.')), audience: t.Optional(t.Array(t.String({ maxLength: 2_048 }), { maxItems: 20, description: 'What it is meant for.' })),
}, { $id: 'NewToken' });

const issued = t.Object({
  access_token: t.String({ example: 'at_example_not_a_real_token' }), token_type: t.Literal('Bearer'), expires_in: t.Integer({ description: 'Seconds.' }), refresh_token: t.Optional(t.String()), id_token: t.Optional(t.String()),
  scope: t.Optional(t.String()),
}, { $id: 'IssuedToken', description: 'RFC 6749 §5.1. Shown this once.' });

const inspection = t.Object({
  active: t.Boolean(), reason: textOrNull('Why it is not good; null: it is.'), kind: t.Optional(t.Union([t.Literal('access'), t.Literal('refresh')])),
  format: t.Optional(t.Union([t.Literal('jwt'), t.Literal('opaque'), t.Literal('refresh')])), issuer: t.Optional(t.String()), client_id: t.Optional(t.String()), sub: t.Optional(t.String()), username: t.Optional(textOrNull()),
  scope: t.Optional(t.String()), audience: t.Optional(t.Array(t.String())), issued_at: t.Optional(time('When it was issued.')), expires_at: t.Optional(timeOrNull('null: with its grant.')), not_before: t.Optional(timeOrNull('null: at once.')),
  jti: t.Optional(textOrNull()), grant_id: t.Optional(textOrNull()), sid: t.Optional(textOrNull()), org_id: t.Optional(textOrNull()),
  cnf: t.Optional(t.Union([t.Record(t.String(), t.String()), t.Null()], { description: 'What it is bound to (RFC 7800).' })), act: t.Optional(t.Union([t.Object({}, { additionalProperties: true }), t.Null()], { description: 'Who acts (RFC 8693).' })),
  auth_time: t.Optional(timeOrNull('When the person proved who they are.')), acr: t.Optional(textOrNull()), fingerprint: t.Optional(t.String({ description: 'Its name in logs and in the audit trail.' })),
}, { $id: 'TokenInspection', description: 'Of a token that is not known here, only `active` and `reason`.' });

const explanation = t.Object({
  active: t.Boolean(), reason: textOrNull('null: nothing to explain.'), policy: t.String({ description: 'Whose tokens the caller may learn about.' }), caller: t.String(), client_id: textOrNull('The client that it was issued to.'),
}, { $id: 'TokenExplanation' });

const all = '/tenants/:tenant/tokens';
const read = { area: 'tokens', access: 'read' } as const;
const write = { area: 'tokens', access: 'write' } as const;

/** Tokens. What carries one is a POST, so that none is in a URL. */
export const tokenOperations: readonly AdminOperation[] = [
  operation({
    ...read, method: 'GET', path: all, id: 'listTokens', paged: true, summary: 'List opaque access tokens that are good',
    text: 'By digest; without a filter client by client. JWTs are kept nowhere, so they are in no list. A part may show fewer than `limit`, though more follow.',
    query: t.Object({ client: filterText('Only this client\'s.'), user: filterText('Only this user\'s, by id or username.'), grant: filterText('Only those of this grant.'), session: filterText('Only those of this session.') }),
    answer: partOf(tokenAnswer),
    run: async ({ ctx, tenant, page, query }) => {
      const tokens = await pageLiveTokens(ctx, tenant, page, given<GrantFilter>({ user: query.user, clientId: query.client, grantId: query.grant, sessionId: query.session }));
      return tokens.ok ? listed(tokens.value, (one) => opaqueTokenDocument(one, tenant)) : tokens;
    },
  }),
  operation({
    ...write, method: 'POST', path: all, id: 'issueToken', creates: true, locatedBy: null, summary: 'Issue a token',
    text: 'For a user it opens a grant, with a refresh token if the client may have one; without one the client acts for itself. No token opens more of this API than its issuer may do here.', body: newToken, answer: issued,
    run: async ({ ctx, tenant, caller, body }) => {
      const { client, user = null, org = null, session = null, scope, audience = [] } = body;
      const outcome = await issueToken(ctx, tenant, { client, user, org, session, scopes: scope === undefined ? null : scopeWords(scope), audience }, caller);
      return outcome.ok ? done(outcome.value, [...outcome.warnings, ...await warnOfOrganization(ctx, tenant, org)]) : outcome;
    },
  }),
  operation({
    ...read, method: 'POST', path: `${all}/inspect`, id: 'inspectToken', summary: 'Show everything about a token', text: 'Whoever may know of it. Changes nothing.', body: t.Object({ token }, { $id: 'TokenToInspect' }), answer: inspection,
    run: async ({ ctx, tenant, body }) => done(inspectionDocument(await inspectToken(ctx, tenant, body.token))),
  }),
  operation({
    ...read, method: 'POST', path: `${all}/explain`, id: 'explainToken', summary: 'Tell what a caller would be told about a token, and why', text: 'The caller never learns; nothing is recorded.',
    body: t.Object({ token, as: t.String({ minLength: 1, maxLength: 256, description: 'The client that asks.' }) }, { $id: 'TokenToExplain' }), answer: explanation,
    run: async ({ ctx, tenant, body }) => told(await explainToken(ctx, tenant, body.token, body.as), explanationDocument),
  }),
  operation({
    ...write, method: 'POST', path: `${all}/revoke`, id: 'revokeToken', summary: 'Revoke a token', text: 'A refresh token with its grant, and its session where that is the tenant\'s rule.', body: t.Object({ token }, { $id: 'TokenToRevoke' }), answer: null,
    run: async ({ ctx, tenant, body }) => revokeToken(ctx, tenant, body.token),
  }),
];
