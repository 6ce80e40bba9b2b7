import { t } from 'elysia';
import type { Administrator, ApiKey } from '../../core/admin.ts';
import type { Tenant } from '../../core/model.ts';
import { DEFAULT_TENANT, MAX_LIFETIME_S } from '../../core/tenant-settings.ts';
import { adminLinkDocument, administratorDocument, apiKeyDocument } from '../../service/access-documents.ts';
import type { Context } from '../../service/context.ts';
import { createApiKey, listApiKeys, putAdministrator, removeAdministrator, revokeApiKey } from '../../service/manage-access.ts';
import { inviteAdministrator } from '../../service/manage-administrators.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { requireTenant } from '../../service/manage-tenants.ts';
import { operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { operatorScope, scopeWords, time, timeOrNull } from './schemas.ts';

type Call = AdminCall<unknown, unknown>;

const bound = t.Union([t.String({ maxLength: 63 }), t.Null()], { description: 'Slug of the one tenant that it is for; null: all, and the server itself.' });

const keyMembers = {
  id: t.String({ description: 'Beginning of the key itself.', example: 'assay_example00000' }), name: t.String(), tenant: bound, scope: t.String(), created_by: t.String({ description: 'As the audit trail calls them.' }),
  created_at: time('When it was made.'), expires_at: timeOrNull('null: never.'), last_used_at: timeOrNull('To the minute.'), revoked_at: timeOrNull('null: it was not.'),
};
const keyAnswer = t.Object(keyMembers, { $id: 'ApiKey' });
const newKeyAnswer = t.Object({ ...keyMembers, key: t.String({ description: 'The key itself: shown this once.', example: 'assay_example_not_a_real_key' }) }, { $id: 'ApiKeyWithSecret' });
const newKey = t.Object({
  name: t.String({ minLength: 1, maxLength: 256, description: 'Name for people.', example: 'deployment' }), scope: operatorScope, tenant: t.Optional(bound),
  ttl: t.Optional(t.Integer({ minimum: 1, maximum: MAX_LIFETIME_S, description: 'Seconds until it expires; left out: never.' })),
}, { $id: 'NewApiKey' });

const administratorAnswer = t.Object({
  user_id: t.String(), username: t.Union([t.String(), t.Null()]), enabled: t.Boolean({ description: 'Whether they can sign in.' }), tenant: bound, scope: t.String(), created_at: time('Since when.'),
}, { $id: 'Administrator' });
const administratorBody = t.Object({ scope: operatorScope, tenant: t.Optional(bound) }, { $id: 'AdministratorRights' });

const invitationAnswer = t.Object({
  setup_url: t.String({ description: 'The link: shown this once, and whoever has it becomes an administrator.' }), expires_at: time('Until when it is good.'), scope: t.String(), tenant: bound,
}, { $id: 'AdministratorInvitation' });

const callerAnswer = t.Object({
  kind: t.Union([t.Literal('api_key'), t.Literal('user'), t.Literal('client')]), id: t.String(), actor: t.String({ description: 'As the audit trail calls it.' }), scope: t.String(), tenant: bound,
}, { $id: 'Caller' });

/** Slug of a tenant, whatever became of it. */
async function slugOf({ store }: Pick<Context, 'store'>, tenantId: string | null): Promise<string | null> {
  return tenantId === null ? null : (await store.findTenant({ id: tenantId }))?.slug ?? null;
}

async function keyDocument(call: Call, key: ApiKey, shown?: string): Promise<object> {
  return apiKeyDocument(key, await slugOf(call.ctx, key.tenantId), shown);
}

async function administratorFacts({ ctx }: Pick<Call, 'ctx'>, administrator: Administrator): Promise<object> {
  const home = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const user = home === null ? null : await ctx.store.findUser(home.id, administrator.userId);
  return administratorDocument(administrator, user, await slugOf(ctx, administrator.tenantId));
}

/** The tenant that a body binds somebody to; of others than the caller's nothing is told. @throws StoreError */
async function boundTo({ ctx, caller }: Call, slug: string | null): Promise<Managed<Tenant | null>> {
  if (slug === null) return done(null);
  const found = await requireTenant(ctx, slug);
  return found.ok && (caller.tenantId === null || caller.tenantId === found.value.id) ? found : refused('invalid_request', 'there is no such tenant, or none that you may know of', { member: 'tenant' });
}

/** API keys and administrators. */
export const accessOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/api-keys', id: 'listApiKeys', area: 'access', access: 'read', summary: 'List API keys', text: 'The newest first, revoked and expired ones included. Callers of one tenant see those of that tenant.',
    answer: t.Object({ items: t.Array(keyAnswer) }, { $id: 'ApiKeyList' }),
    run: async (call) => done({ items: await Promise.all((await listApiKeys(call.ctx, call.caller)).map((key) => keyDocument(call, key))) }),
  }),
  operation({
    method: 'POST', path: '/api-keys', id: 'createApiKey', area: 'access', access: 'write', creates: true, summary: 'Create an API key',
    text: 'It is shown this once. It permits no more than its maker may; callers of one tenant make keys for that tenant.', body: newKey, answer: newKeyAnswer,
    run: async (call) => {
      const { name, scope, tenant: slug, ttl } = call.body;
      const tenant = await boundTo(call, slug === undefined ? await slugOf(call.ctx, call.caller.tenantId) : slug);
      if (!tenant.ok) return tenant;
      return told(await createApiKey(call.ctx, call.caller, { name, scopes: scopeWords(scope), tenant: tenant.value, ttl: ttl ?? null }), ({ key, text }) => keyDocument(call, key, text));
    },
  }),
  operation({
    method: 'DELETE', path: '/api-keys/:key', id: 'revokeApiKey', area: 'access', access: 'write', summary: 'Revoke an API key', text: 'At once and for good.', answer: null,
    run: async (call) => told(await revokeApiKey(call.ctx, call.caller, call.param('key')), () => null),
  }),
  operation({
    method: 'GET', path: '/administrators', id: 'listAdministrators', area: 'access', access: 'read', serverOnly: true, summary: 'List administrators', text: 'Users of the tenant `default` who may operate this server.',
    answer: t.Object({ items: t.Array(administratorAnswer) }, { $id: 'AdministratorList' }),
    run: async (call) => done({ items: await Promise.all((await call.ctx.store.listAdministrators()).map((one) => administratorFacts(call, one))) }),
  }),
  operation({
    method: 'PUT', path: '/administrators/:user', id: 'putAdministrator', area: 'access', access: 'write', serverOnly: true, etag: true, summary: 'Make a user an administrator, or change what they may',
    text: 'Nobody gives more than they have. The last one who may do everything stays.', body: administratorBody, answer: administratorAnswer,
    run: async (call) => {
      const tenant = await boundTo(call, call.body.tenant ?? null);
      if (!tenant.ok) return tenant;
      const wish = { scopes: scopeWords(call.body.scope), tenant: tenant.value };
      const document = (one: Administrator): Promise<object> => administratorFacts(call, one);
      return told(await putAdministrator(call.ctx, call.caller, call.param('user'), wish, call.guard(document)), document);
    },
  }),
  operation({
    method: 'DELETE', path: '/administrators/:user', id: 'removeAdministrator', area: 'access', access: 'write', serverOnly: true, etag: true, summary: 'Take from a user what they may operate',
    text: 'They stay a user. The last one who may do everything stays.', answer: null,
    run: async (call) => removeAdministrator(call.ctx, call.caller, call.param('user'), call.guard((one: Administrator) => administratorFacts(call, one))),
  }),
  operation({
    method: 'POST', path: '/administrator-invitations', id: 'inviteAdministrator', area: 'access', access: 'write', serverOnly: true, creates: true, locatedBy: null, summary: 'Make a link by which somebody becomes an administrator',
    text: 'Whoever opens it within a day chooses a name and a password; it is good once. A link that was made before and not used is void then. Nobody gives more than they have.', body: administratorBody, answer: invitationAnswer,
    run: async (call) => {
      const tenant = await boundTo(call, call.body.tenant ?? null);
      if (!tenant.ok) return tenant;
      const wish = { scopes: scopeWords(call.body.scope), tenant: tenant.value };
      return told(await inviteAdministrator(call.ctx, call.caller, wish), (link) => adminLinkDocument(link, wish.scopes, wish.tenant?.slug ?? null));
    },
  }),
  operation({
    method: 'GET', path: '/whoami', id: 'whoami', area: null, access: 'read', summary: 'Tell who calls', text: 'What the credential of this request is, and what it permits.', answer: callerAnswer,
    run: async ({ ctx, caller }) => done({ kind: caller.kind, id: caller.id, actor: caller.actor, scope: caller.scopes.join(' '), tenant: await slugOf(ctx, caller.tenantId) }),
  }),
];
