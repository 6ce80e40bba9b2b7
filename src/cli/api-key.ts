import type { ApiKey } from '../core/admin.ts';
import { apiKeyDocument } from '../service/access-documents.ts';
import { createApiKey, everything, listApiKeys, revokeApiKey } from '../service/manage-access.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import { withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { block, showTime, styleFor, table } from './text.ts';

/** Slug of the one tenant that a key is for, also of one that is gone; null: all. */
async function tenantOf({ ctx }: Work, { tenantId }: ApiKey): Promise<string | null> {
  return tenantId === null ? null : (await ctx.store.findTenant({ id: tenantId }))?.slug ?? tenantId;
}

function stateOf(key: ApiKey, nowMs: number): string {
  if (key.revokedAtMs !== null) return 'revoked';
  return key.expiresAtMs !== null && key.expiresAtMs <= nowMs ? 'expired' : 'good';
}

/** `assay api-key …` */
export const apiKeyCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Make a key for a program that operates this server over HTTP, and show it once',
    flags: [
      ['--name <NAME>', 'name for people (required)'],
      ['--scope <SCOPE>', 'what it may do: admin, admin:read, admin:AREA or admin:AREA:read (required)', 'repeat'],
      ['--only-tenant <SLUG>', 'it operates this tenant and nothing else (default: all, and the server)'],
      ['--ttl <SECONDS>', 'let it expire'],
    ],
    notes: 'Example:\n  assay api-key create --name deployment --scope admin:clients --only-tenant acme --ttl 7776000',
    run: (call) => {
      const { flags } = call;
      const name = flags.text('name');
      const scopes = flags.list('scope')?.flatMap((text) => text.split(' ').filter((word) => word !== ''));
      if (name === undefined) throw new UsageError('--name is missing: what people call the key by');
      if (scopes === undefined) throw new UsageError('--scope is missing: what the key may do, like admin:read');
      const ttl = flags.seconds('ttl') ?? null;
      return withData(call, async (work) => {
        const { ctx, out, take } = work;
        const slug = flags.text('only-tenant');
        const tenant = slug === undefined ? null : take(await requireTenant(ctx, slug));
        const { key, text } = take(await createApiKey(ctx, everything, { name, scopes: [...new Set(scopes)], tenant, ttl }));
        await out.document(apiKeyDocument(key, tenant?.slug ?? null, text));
        await out.print(block(out.styled, `API key ${key.name}`, [
          ['key', text], ['id', key.id], ['may', key.scopes.join(' ')], ['tenant', tenant?.slug ?? 'all, and the server'], ['expires', key.expiresAtMs === null ? 'never' : showTime(key.expiresAtMs)],
        ]));
        const { dim } = styleFor(out.styled);
        await out.print(dim('  The key is shown this once; only its hash is kept.'));
        await out.print(`\nAsk who it is (put it in place of KEY):\n  curl -H "Authorization: Bearer KEY" ${ctx.origin().url}/admin/v1/whoami`);
      });
    },
  },
  {
    name: 'list', summary: 'List API keys; they themselves are never shown',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const keys = await listApiKeys(ctx, everything);
      const tenants = await Promise.all(keys.map((key) => tenantOf(work, key)));
      await out.document({ items: keys.map((key, index) => apiKeyDocument(key, tenants[index] ?? null)) });
      await out.print(keys.length === 0
        ? 'There are no API keys; `assay api-key create` makes one.'
        : table(out.styled, ['ID', 'NAME', 'STATE', 'MAY', 'TENANT', 'LAST USED'], keys.map((key, index) => [
          key.id, key.name, stateOf(key, ctx.clock.now()), key.scopes.join(' '), tenants[index] ?? 'all', showTime(key.lastUsedAtMs),
        ])));
    }),
  },
  {
    name: 'revoke', summary: 'Make an API key worthless, at once and for good', args: [['<ID>', 'its id, as `assay api-key list` shows it']], flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Revoke the API key ${call.args[0] ?? ''}? Programs that use it are refused at once.`);
      return withData(call, async (work) => {
        work.take(await revokeApiKey(work.ctx, everything, work.arg(0)));
        await work.out.document({ ok: true });
        await work.out.print(`Revoked API key ${work.arg(0)}.`);
      });
    },
  },
];
