import { t } from 'elysia';
import { timeOrNull, time } from './schemas.ts';

/** Schemas that the areas about people share. */

const attribute = t.Union([t.String(), t.Number(), t.Boolean(), t.Array(t.String()), t.Record(t.String(), t.String())]);

/** What else is known of somebody, by name. */
export const attributes = t.Record(t.String(), attribute, { description: 'What else is known of them, by name; names of standard claims are told with their scope.', example: { given_name: 'Alice', department: 'sales' } });

/** Changes of attributes: what is not named stays, null removes one. */
export const attributeEdits = t.Record(t.String(), t.Union([attribute, t.Null()]), { description: 'Attributes that change; what is not named stays, null removes one.' });

const userMembers = {
  id: t.String({ description: 'For ever: the `sub` of tokens.', example: 'usr_01234567-89ab-4cde-8f01-23456789abcd' }), tenant: t.String(), username: t.String({ example: 'alice' }),
  email: t.String({ description: 'Empty: none.', example: 'alice@example.com' }), email_verified: t.Boolean(), name: t.Union([t.String(), t.Null()]), attributes, enabled: t.Boolean(), created_at: time('When they were created.'),
};

/** A user in a list. */
export const userAnswer = t.Object(userMembers, { $id: 'User' });

/** A user, with what they sign in with and where they belong. */
export const userWithAccess = t.Object({
  ...userMembers,
  credentials: t.Object({
    password: t.Union([t.Literal('set'), t.Literal('temporary'), t.Null()], { description: '`temporary`: another must be chosen at the next sign-in.' }),
    passkeys: t.Integer({ minimum: 0 }), authenticator: t.Boolean(), recovery_codes: t.Integer({ minimum: 0, description: 'That are left.' }),
  }),
  organizations: t.Array(t.Object({ org_id: t.String(), roles: t.Array(t.String()) })),
}, { $id: 'UserWithAccess' });

/** A sign-in that lasts. */
export const sessionAnswer = t.Object({
  session_id: t.String({ example: 'ses_example' }), user_id: t.String(), device: t.Union([t.String(), t.Null()], { description: 'What its browser is called, like `Firefox on Linux`.' }),
  user_agent: t.Union([t.String(), t.Null()]), ip: t.Union([t.String(), t.Null()]), started_at: time('When they signed in.'), last_seen_at: time('To the minute.'), expires_at: time('Its absolute end.'),
  acr: t.String({ description: 'How strongly they proved who they are.' }), amr: t.Array(t.String(), { description: 'By which methods (RFC 8176).' }), clients: t.Array(t.String(), { description: 'Clients that have grants in it.' }),
}, { $id: 'Session' });

const grantMembers = {
  id: t.String({ example: 'gr_example' }), tenant: t.String(), client_id: t.String(), user_id: t.String(), session_id: t.Union([t.String(), t.Null()]), org_id: t.Union([t.String(), t.Null()]), scope: t.String(),
  audience: t.Array(t.String()), offline: t.Boolean({ description: 'Whether it outlives its session.' }), auth_time: timeOrNull('When they proved who they are.'), acr: t.Union([t.String(), t.Null()]), amr: t.Array(t.String()),
  created_at: time('When it was opened.'), expires_at: time('End of its refresh tokens.'), revoked_at: timeOrNull('null: it was not.'),
};

/** What somebody allowed a client. */
export const grantAnswer = t.Object(grantMembers, { $id: 'Grant', description: 'What somebody allowed a client: all tokens that came of it live and die with it.' });
export const listedGrant = t.Object({ ...grantMembers, last_used_at: timeOrNull('When a refresh token of it was last issued.') }, { $id: 'ListedGrant' });

/** Filters that lists have in common. */
export const filterText = (description: string) => t.Optional(t.String({ minLength: 1, maxLength: 256, description }));
export const enabledFilter = t.Optional(t.Union([t.Literal('true'), t.Literal('false')], { description: 'Only those that are enabled, or are not.' }));
