import { tokenFormats } from '../core/model.ts';
import { createResource, deleteResource } from '../service/manage-resources.ts';
import { suggestion, tenantOf, withData } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { readScope } from './names.ts';
import { resourceDocument } from './present.ts';
import { block, showTime, table, words } from './text.ts';

/** `assay resource …` */
export const resourceCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Register a protected resource (an API), and who answers for it', tenant: 'default',
    flags: [
      ['--uri <URI>', 'its identifier, the value of aud (required)'],
      ['--scope <SCOPES>', 'scopes that mean something there, separated by spaces (default: any)'],
      ['--owner <CLIENT>', 'client that may introspect tokens meant for it'],
      ['--token-format <FORMAT>', `format of access tokens meant for it: ${tokenFormats.join(', ')}`],
    ],
    notes: 'Example:\n  assay resource create --uri https://api.example.com/orders --scope "orders:read orders:write" --owner svc-orders',
    run: (call) => {
      const { flags } = call;
      const uri = flags.text('uri');
      if (uri === undefined) throw new UsageError('--uri is missing: the identifier of the resource, like https://api.example.com/orders');
      const wish = { uri, scopes: readScope(flags.text('scope')) ?? [], owner: flags.text('owner') ?? null, tokenFormat: flags.oneOf('token-format', tokenFormats) ?? null };
      return withData(call, async (work) => {
        const { ctx, out } = work;
        const tenant = await work.tenant();
        const resource = work.take(await createResource(ctx, tenant, wish));
        await out.document(resourceDocument(resource, tenant));
        await out.print(block(out.styled, `resource ${resource.uri}`, [
          ['tenant', tenant.slug], ['scope', resource.scopes.length === 0 ? 'any' : words(resource.scopes)], ['owner', resource.ownerClientId ?? 'none'],
          ['token format', resource.tokenFormat], ['created', showTime(resource.createdAtMs)],
        ]));
      });
    },
  },
  {
    name: 'list', summary: 'List a tenant\'s resources', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const tenant = await work.tenant();
      const resources = await ctx.store.listResources(tenant.id);
      await out.document({ items: resources.map((resource) => resourceDocument(resource, tenant)) });
      await out.print(resources.length === 0
        ? `The tenant ${tenant.slug} has no resources yet; ${suggestion('resource create', tenant)} makes one.`
        : table(out.styled, ['URI', 'OWNER', 'SCOPE'], resources.map((resource) => [
          resource.uri, resource.ownerClientId ?? '–', resource.scopes.length === 0 ? 'any' : words(resource.scopes),
        ])));
    }),
  },
  {
    name: 'delete', summary: 'Remove a resource; its owner learns nothing more through it', args: [['<URI>', 'its identifier']], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the resource ${call.args[0] ?? ''} of tenant ${tenantOf(call)}?`);
      return withData(call, async (work) => {
        const { ctx, out, arg } = work;
        work.take(await deleteResource(ctx, await work.tenant(), arg(0)));
        await out.document({ ok: true });
        await out.print(`Deleted resource ${arg(0)}.`);
      });
    },
  },
];
