import { introspectionPolicies, shapeNames, tokenFormats, type Client, type Tenant } from '../core/model.ts';
import type { ClientChange } from '../core/client-settings.ts';
import {
  createClient, deleteClient, requireClient, rotateSecret, setClientEnabled, updateClient, type CreatedClient,
} from '../service/manage-clients.ts';
import type { SecretWish } from '../service/manage-secrets.ts';
import { authMethods } from '../spec/names.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, readInput, yesFlag } from './confirm.ts';
import { introspectionCurl } from './curl.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { given, type Flags } from './flags.ts';
import { grantWords, readGrants, readScope } from './names.ts';
import { clientDocument } from '../service/documents.ts';
import { block, showSeconds, showTime, styleFor, table, words } from './text.ts';

const id = ['<CLIENT>', 'the client\'s id'] as const;

const changes: readonly FlagRow[] = [
  ['--name <NAME>', 'name for people'],
  ['--grant <GRANT>', `grant that it may use: ${grantWords.slice(0, -1).join(', ')} or ${grantWords.at(-1) ?? ''}`, 'repeat'],
  ['--scope <SCOPES>', 'scopes that it may ask for, separated by spaces'],
  ['--audience <AUDIENCE>', 'aud of its tokens when no resource is asked for', 'repeat'],
  ['--redirect-uri <URI>', 'where people are sent back to', 'repeat'],
  ['--post-logout-redirect-uri <URI>', 'where people may be sent after signing out', 'repeat'],
  ['--backchannel-logout-uri <URI>', 'where it hears that a session ended: https, or http on loopback while the server is there too'],
  ['--first-party', 'it is your own: its people are not asked for consent'],
  ['--no-first-party', 'its people are asked for consent (default)'],
  ['--pkce <required|optional>', 'whether its authorization requests must carry a code challenge; optional for confidential clients only (default: required)'],
  ['--auth-method <METHOD>', `the one way to present its secret: ${authMethods.slice(0, 2).join(', ')} (default: either)`],
  ['--token-format <FORMAT>', `format of its access tokens: ${tokenFormats.join(', ')}`],
  ['--introspect <POLICY>', `whose tokens it may learn about, over the tenant's policy: ${introspectionPolicies.join(', ')}`],
  ['--shape <SHAPE>', `form of the answers that it gets: ${shapeNames.join(', ')}`],
  ['--org <ID>', 'organization that it acts for, registered here or not'],
  ['--refresh-rotation <on|off>', 'whether each refresh gives a new refresh token (default: on)'],
  ['--access-token-ttl <SECONDS>', 'lifetime of its access tokens, over the tenant\'s'],
  ['--refresh-token-ttl <SECONDS>', 'lifetime of its refresh tokens, over the tenant\'s'],
];

const secretFlags: readonly FlagRow[] = [
  ['--secret-stdin', 'read the secret from standard input instead of generating one (16 to 256 characters)'],
  ['--secret-ttl <SECONDS>', 'let the secret expire'],
];

function readChange(flags: Flags): ClientChange {
  const rotation = flags.oneOfOrNull('refresh-rotation', ['on', 'off']);
  const pkce = flags.oneOfOrNull('pkce', ['required', 'optional']);
  return given<ClientChange>({
    name: flags.text('name'),
    grants: readGrants(flags.list('grant')),
    scopes: readScope(flags.text('scope')),
    audience: flags.list('audience'),
    redirectUris: flags.list('redirect-uri'),
    postLogoutRedirectUris: flags.list('post-logout-redirect-uri'),
    backchannelLogoutUri: flags.clearable('backchannel-logout-uri'),
    firstParty: flags.switched('first-party'),
    requirePkce: pkce === undefined ? undefined : pkce !== 'optional',
    authMethod: flags.oneOfOrNull('auth-method', authMethods),
    tokenFormat: flags.oneOfOrNull('token-format', tokenFormats),
    introspect: flags.oneOfOrNull('introspect', introspectionPolicies),
    shape: flags.oneOfOrNull('shape', shapeNames),
    orgId: flags.clearable('org'),
    refreshRotation: rotation === undefined ? undefined : rotation !== 'off',
    accessTokenTtl: flags.secondsOrNull('access-token-ttl'),
    refreshTokenTtl: flags.secondsOrNull('refresh-token-ttl'),
  });
}

async function readSecret(flags: Flags): Promise<SecretWish> {
  const ttl = flags.seconds('secret-ttl') ?? null;
  return { supplied: flags.on('secret-stdin') ? await readInput('the client\'s secret') : null, ttl };
}

function describe(client: Client, tenant: Tenant, nowMs: number): string {
  const secrets = client.secrets.filter((secret) => secret.expiresAtMs === null || secret.expiresAtMs > nowMs);
  const until = secrets.map((secret) => (secret.expiresAtMs === null ? 'never expires' : `expires ${showTime(secret.expiresAtMs)}`));
  return [
    client.public ? 'public, no secret' : `confidential, ${client.authMethod ?? 'basic or post'}`,
    ...(client.public ? [] : [until.length === 0 ? 'no secret that still counts' : `${until.length === 1 ? 'secret ' : `${until.length} secrets: `}${until.join(', ')}`]),
    `tenant ${tenant.slug}`,
  ].join('; ');
}

async function show({ ctx, out }: Work, tenant: Tenant, client: Client, secret?: string): Promise<void> {
  await out.document(clientDocument(client, tenant, secret));
  const ttl = (seconds: number | null): string | null => (seconds === null ? null : showSeconds(seconds));
  await out.print(block(out.styled, `client ${client.id}${client.disabledAtMs === null ? '' : ' (disabled)'}`, [
    ['client_id', client.id],
    ['client_secret', secret ?? null],
    ['name', client.name === client.id ? null : client.name],
    ['kind', describe(client, tenant, ctx.clock.now())],
    ['grants', words(client.grants)],
    ['scope', words(client.scopes)],
    ['audience', client.audience.length === 0 ? null : words(client.audience)],
    ['redirect URIs', client.redirectUris.length === 0 ? null : words(client.redirectUris)],
    ['after sign-out', client.postLogoutRedirectUris.length === 0 ? null : words(client.postLogoutRedirectUris)],
    ['hears of sign-outs', client.backchannelLogoutUri],
    ['consent', client.firstParty ? 'not asked for: first party' : null],
    ['PKCE', client.requirePkce ? null : 'optional'],
    ['token format', client.tokenFormat],
    ['may introspect', client.introspect],
    ['answer shape', client.shape],
    ['organization', client.orgId],
    ['refresh rotation', client.refreshRotation ? null : 'off'],
    ['access tokens', ttl(client.accessTokenTtl)],
    ['refresh tokens', ttl(client.refreshTokenTtl)],
    ['created', showTime(client.createdAtMs)],
  ]));
}

async function showCreated(work: Work, tenant: Tenant, { client, secret }: CreatedClient): Promise<void> {
  // Who supplied a secret has it; it is not said back.
  const text = secret?.generated === true ? secret.text : undefined;
  await show(work, tenant, client, text);
  const { dim } = styleFor(work.out.styled);
  if (text !== undefined) await work.out.print(dim('  The secret is shown this once; only its hash is kept.'));
  if (client.public) return;
  const curl = introspectionCurl(tenant, work.ctx.origin(), client, text ?? 'SECRET', 'TOKEN');
  await work.out.print(`\nAsk about a token (put it in place of ${text === undefined ? 'TOKEN, and the secret in place of SECRET' : 'TOKEN'}):\n  ${curl}`);
}

const switchClient = (enabled: boolean): CommandRow['run'] => (call) => withData(call, async (work) => {
  const tenant = await work.tenant();
  await show(work, tenant, work.take(await setClientEnabled(work.ctx, tenant, work.arg(0), enabled)));
});

const examples = 'Examples:\n  assay client create --id svc-orders --scope "api:read api:write"\n  assay client create --id my-spa --public --redirect-uri https://app.example.com/callback\n'
  + '  assay client create --id old-client --secret-stdin < secret.txt';

/** `assay client …` */
export const clientCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Register a client, and show its secret once', tenant: 'default',
    flags: [['--id <ID>', 'its id (default: generated)'], ['--public', 'it cannot keep a secret: a browser or mobile application'], ...changes, ...secretFlags],
    notes: `Without --grant it gets client_credentials; with --public, authorization_code and refresh_token.\n\n${examples}`,
    run: async (call) => {
      const { flags } = call;
      const wish = { id: flags.text('id') ?? null, public: flags.on('public'), change: readChange(flags), secret: await readSecret(flags) };
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await showCreated(work, tenant, work.take(await createClient(work.ctx, tenant, wish)));
      });
    },
  },
  {
    name: 'list', summary: 'List a tenant\'s clients', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const tenant = await work.tenant();
      const clients = await ctx.store.listClients(tenant.id);
      await out.document({ items: clients.map((client) => clientDocument(client, tenant)) });
      await out.print(clients.length === 0
        ? `The tenant ${tenant.slug} has no clients yet; ${suggestion('client create', tenant)} makes one.`
        : table(out.styled, ['CLIENT', 'NAME', 'KIND', 'STATE', 'SCOPE'], clients.map((client) => [
          client.id, client.name === client.id ? '–' : client.name, client.public ? 'public' : 'confidential',
          client.disabledAtMs === null ? 'enabled' : 'disabled', words(client.scopes),
        ])));
    }),
  },
  {
    name: 'show', summary: 'Show a client; its secrets are never shown', args: [id], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      await show(work, tenant, work.take(await requireClient(work.ctx, tenant, work.arg(0))));
    }),
  },
  {
    name: 'update', summary: 'Change a client; what is not named stays', args: [id], tenant: 'default',
    flags: [...changes, ['--public', 'it cannot keep a secret: its secrets end'], ['--no-public', 'it can keep a secret; rotate-secret gives it one']],
    notes: 'A repeated flag replaces the whole list. An empty value ("") takes a setting back to the tenant\'s.',
    run: (call) => {
      const change = { ...readChange(call.flags), ...given({ public: call.flags.switched('public') }) };
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await updateClient(work.ctx, tenant, work.arg(0), change)));
      });
    },
  },
  {
    name: 'rotate-secret', summary: 'Give a client a new secret while the old one still works for a while', args: [id], tenant: 'default',
    flags: [['--overlap <SECONDS>', 'how long older secrets keep working; 0 ends them at once (default: 86400)'], ...secretFlags],
    run: async (call) => {
      const overlap = call.flags.seconds('overlap', 0) ?? 86_400;
      const wish = await readSecret(call.flags);
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await showCreated(work, tenant, work.take(await rotateSecret(work.ctx, tenant, work.arg(0), wish, overlap)));
      });
    },
  },
  { name: 'disable', summary: 'Suspend a client; its tokens are dead for good', args: [id], tenant: 'default', run: switchClient(false) },
  { name: 'enable', summary: 'Let a suspended client work again; its old tokens stay dead', args: [id], tenant: 'default', run: switchClient(true) },
  {
    name: 'delete', summary: 'Delete a client and its secrets', args: [id], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the client ${call.args[0] ?? ''} of tenant ${tenantOf(call)}? All its tokens die at once.`);
      return withData(call, async (work) => {
        const { ctx, out, arg } = work;
        work.take(await deleteClient(ctx, await work.tenant(), arg(0)));
        await out.document({ ok: true });
        await out.print(`Deleted client ${arg(0)}.`);
      });
    },
  },
];
