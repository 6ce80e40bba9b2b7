import type { Tenant } from '../core/model.ts';
import { issueToken } from '../service/issue-token.ts';
import { revokeClientTokens } from '../service/manage-clients.ts';
import { warnOfOrganization } from '../service/manage-organizations.ts';
import { explainToken, inspectToken, revokeToken, type Explanation, type Inspection } from '../service/manage-tokens.ts';
import { revokeUserTokens } from '../service/manage-users.ts';
import { withData, type Call } from './call.ts';
import { readInput } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { readScope } from './names.ts';
import { explanationDocument, inspectionDocument } from '../service/documents.ts';
import { opaqueTokenDocument } from '../service/grant-documents.ts';
import { pageLiveTokens, type GrantFilter } from '../service/manage-grants.ts';
import { given } from './flags.ts';
import { firstOf, warnOfMore } from './listing.ts';
import { block, showSeconds, showTime, table, words } from './text.ts';

const token = ['<TOKEN>', 'the token, or "-" to read it from standard input'] as const;
const notes = 'Pipe the token in and use "-": arguments can be seen in process lists and shell history.';

/** Reasons as operators read them. */
const reasons: Readonly<Record<string, string>> = {
  not_a_token: 'it does not have the form of a token',
  unknown: 'nobody issued it here, or it is long gone',
  bad_signature: 'no key of this tenant signed it',
  key_revoked: 'the key that signed it was revoked',
  wrong_issuer: 'another issuer is named in it',
  wrong_type: 'it is a JWT, but not an access token',
  other_tenant: 'it belongs to another tenant',
  expired: 'it has expired',
  not_yet_valid: 'it is not valid yet',
  issued_in_future: 'it claims to be issued in the future',
  revoked: 'it was revoked',
  rotated: 'it was spent: a refresh replaced it',
  grant_revoked: 'its grant was revoked, or its session ended',
  client_disabled: 'its client is disabled, or its tokens were revoked',
  client_unknown: 'its client was deleted',
  user_disabled: 'its user is disabled, or their tokens were revoked',
  user_unknown: 'its user was deleted',
  tenant_disabled: 'its tenant is disabled, or was',
  policy: 'the policy does not let this caller know',
  would_deny: 'only because the policy is in report mode; enforced, the answer would be inactive',
  caller_public: 'a public client may never introspect: it gets 401',
  caller_disabled: 'the caller is disabled: it gets 401',
};

/** The token of a command line. An argument works, but others can see it. */
async function readToken(call: Call, argument: string): Promise<string> {
  if (argument === '-') return (await readInput('the token')).trim();
  call.out.warn('a token on the command line can be seen in process lists and shell history; pipe it in and use "-"');
  return argument;
}

function because(reason: string | null): string | null {
  return reason === null ? null : `${reason}: ${reasons[reason] ?? ''}`;
}

function renderInspection(styled: boolean, tenant: Tenant, inspection: Inspection): string {
  if (!inspection.known) return block(styled, 'inactive', [['tenant', tenant.slug], ['reason', because(inspection.reason)]]);
  const { facts } = inspection;
  return block(styled, inspection.reason === null ? 'active' : 'inactive', [
    ['reason', because(inspection.reason)],
    ['kind', `${facts.kind} token${facts.kind === 'access' ? ` (${inspection.format})` : ''}`],
    ['tenant', `${tenant.slug} (${inspection.issuer})`],
    ['client', facts.clientId],
    ['subject', inspection.user === null ? facts.subject : `${facts.subject} (${inspection.user.username})`],
    ['scope', words(facts.scopes)],
    ['audience', words(facts.audience)],
    ['issued', showTime(facts.issuedAtMs)],
    ['expires', facts.expiresAt === null ? 'with its grant' : showTime(facts.expiresAt * 1000)],
    ['token id', facts.id],
    ['grant', facts.grantId],
    ['session', facts.sessionId],
    ['organization', facts.orgId],
    ['fingerprint', `${inspection.fingerprint} (its name in logs and audit)`],
  ]);
}

function renderExplanation(styled: boolean, explanation: Explanation): string {
  return block(styled, explanation.active ? 'active' : 'inactive', [
    ['reason', because(explanation.reason)],
    ['caller', `${explanation.caller}, under policy ${explanation.policy}`],
    ['issued to', explanation.clientId],
  ]);
}

async function revoke(call: Call): Promise<number> {
  const [argument] = call.args;
  const client = call.flags.text('client');
  const user = call.flags.text('user');
  const named = [argument, client, user].filter((value) => value !== undefined);
  if (named.length !== 1) throw new UsageError('name one thing to revoke: TOKEN (or "-"), --client ID or --user NAME');
  const text = argument === undefined ? null : await readToken(call, argument);
  return withData(call, async (work) => {
    const { ctx, out } = work;
    const tenant = await work.tenant();
    if (text !== null) work.take(await revokeToken(ctx, tenant, text));
    else if (client !== undefined) work.take(await revokeClientTokens(ctx, tenant, client));
    else work.take(await revokeUserTokens(ctx, tenant, user ?? ''));
    await out.document({ ok: true });
    await out.print(text === null ? `Revoked every token of ${client === undefined ? 'the user' : 'the client'} ${client ?? user ?? ''} so far.` : 'Revoked.');
  });
}

/** `assay token …` */
export const tokenCommands: readonly CommandRow[] = [
  {
    name: 'issue', summary: 'Issue a token: for a client itself, or for a user of it', tenant: 'default',
    flags: [
      ['--client <ID>', 'client that it is issued to (required)'],
      ['--user <USER>', 'user that it speaks for, by name or id; opens a grant, with a refresh token if the client may have one'],
      ['--org <ID>', 'organization that it speaks of, registered here or not'],
      ['--session <SID>', 'session of that user, or the id of a new one (default: a new one)'],
      ['--scope <SCOPES>', 'scopes, separated by spaces (default: all that the client may have)'],
      ['--audience <AUDIENCE>', 'what it is meant for', 'repeat'],
    ],
    notes: 'Example:\n  assay token issue --client my-spa --user alice --scope "openid profile email offline_access"',
    run: (call) => {
      const { flags } = call;
      const client = flags.text('client');
      if (client === undefined) throw new UsageError('--client is missing: the id of the client that the token is issued to');
      const wish = {
        client, user: flags.text('user') ?? null, org: flags.text('org') ?? null, session: flags.text('session') ?? null,
        scopes: readScope(flags.text('scope')) ?? null, audience: flags.list('audience') ?? [],
      };
      return withData(call, async (work) => {
        const { out } = work;
        const tenant = await work.tenant();
        const response = work.take(await issueToken(work.ctx, tenant, wish));
        for (const warning of await warnOfOrganization(work.ctx, tenant, wish.org)) out.warn(warning);
        await out.document(response);
        await out.print(block(out.styled, `token for ${client}`, [
          ['access_token', response.access_token],
          ['refresh_token', response.refresh_token ?? null],
          ['id_token', response.id_token ?? null],
          ['token_type', response.token_type],
          ['expires in', showSeconds(response.expires_in)],
          ['scope', response.scope ?? '–'],
        ]));
      });
    },
  },
  {
    name: 'list', summary: 'List opaque access tokens that are good; JWTs are kept nowhere', tenant: 'default',
    flags: [
      ['--user <USER>', 'only those of this user, by name or id'], ['--client <ID>', 'only those of this client'], ['--grant <GRANT>', 'only those of this grant'], ['--session <SID>', 'only those of this session'],
    ],
    run: (call) => {
      const { flags } = call;
      const filter = given<GrantFilter>({ user: flags.text('user'), clientId: flags.text('client'), grantId: flags.text('grant'), sessionId: flags.text('session') });
      return withData(call, async (work) => {
        const { ctx, out } = work;
        const tenant = await work.tenant();
        const { items, more } = await firstOf(work, (page) => pageLiveTokens(ctx, tenant, page, filter));
        await out.document({ items: items.map((item) => opaqueTokenDocument(item, tenant)) });
        warnOfMore(work, more);
        await out.print(items.length === 0 ? 'There are no such tokens.' : table(out.styled, ['CLIENT', 'SUBJECT', 'SCOPE', 'ISSUED', 'EXPIRES', 'GRANT'], items.map(({ facts }) => [
          facts.clientId, facts.subject, words(facts.scopes), showTime(facts.issuedAtMs), facts.expiresAt === null ? '–' : showTime(facts.expiresAt * 1000), facts.grantId ?? '–',
        ])));
      });
    },
  },
  {
    name: 'inspect', summary: 'Show everything about a token, whoever may know', args: [token], tenant: 'default', notes,
    run: async (call) => {
      const text = await readToken(call, call.args[0] ?? '');
      return withData(call, async ({ ctx, out, tenant: find }) => {
        const tenant = await find();
        const inspection = await inspectToken(ctx, tenant, text);
        await out.document(inspectionDocument(inspection));
        await out.print(renderInspection(out.styled, tenant, inspection));
      });
    },
  },
  {
    name: 'explain', summary: 'Tell what a caller would be told about a token, and why', args: [token], tenant: 'default', notes,
    flags: [['--as <CLIENT>', 'the caller (required)']],
    run: async (call) => {
      const as = call.flags.text('as');
      if (as === undefined) throw new UsageError('--as is missing: the id of the client that asks');
      const text = await readToken(call, call.args[0] ?? '');
      return withData(call, async (work) => {
        const explanation = work.take(await explainToken(work.ctx, await work.tenant(), text, as));
        await work.out.document(explanationDocument(explanation));
        await work.out.print(renderExplanation(work.out.styled, explanation));
      });
    },
  },
  {
    name: 'revoke', summary: 'Revoke a token (a refresh token with its grant), or all of a client or user', args: [['[TOKEN]', token[1]]], tenant: 'default', notes,
    flags: [['--client <ID>', 'every token of this client so far'], ['--user <USER>', 'every token of this user so far']],
    run: revoke,
  },
];
