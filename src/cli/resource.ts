import { tokenFormats, type Resource, type Tenant } from '../core/model.ts';
import { createResource, deleteResource, updateResource, type ResourceChange } from '../service/manage-resources.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given } from './flags.ts';
import { readScope } from './names.ts';
import { resourceDocument } from '../service/documents.ts';
import { block, showTime, table, words } from './text.ts';

async function show({ out }: Work, tenant: Tenant, resource: Resource): Promise<void> {
  await out.document(resourceDocument(resource, tenant));
  await out.print(block(out.styled, `resource ${resource.uri}`, [
    ['tenant', tenant.slug], ['scope', resource.scopes.length === 0 ? 'any' : words(resource.scopes)], ['owner', resource.ownerClientId ?? 'none'],
    ['token format', resource.tokenFormat], ['created', showTime(resource.createdAtMs)],
  ]));
}

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
        const tenant = await work.tenant();
        const resource = work.take(await createResource(work.ctx, tenant, wish));
        await show(work, tenant, resource);
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
    name: 'update', summary: 'Change a resource; what is not named stays', args: [['<URI>', 'its identifier']], tenant: 'default',
    flags: [
      ['--scope <SCOPES>', 'scopes that mean something there, separated by spaces; "" for any'],
      ['--owner <CLIENT>', 'client that may introspect tokens meant for it; "" for none'],
      ['--token-format <FORMAT>', `format of access tokens meant for it: ${tokenFormats.join(', ')}; "" for the usual one`],
    ],
    run: (call) => {
      const { flags } = call;
      const change = given<ResourceChange>({ scopes: readScope(flags.text('scope')), owner: flags.clearable('owner'), tokenFormat: flags.oneOfOrNull('token-format', tokenFormats) });
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await updateResource(work.ctx, tenant, work.arg(0), change)));
      });
    },
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
