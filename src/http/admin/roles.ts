import { t } from 'elysia';
import type { Role } from '../../core/people.ts';
import { roleDocument } from '../../service/documents.ts';
import { createRole, deleteRole, requireRole, updateRole } from '../../service/manage-roles.ts';
import { done } from '../../service/manage-outcome.ts';
import { operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { time } from './schemas.ts';

const permissions = t.Array(t.String({ minLength: 1, maxLength: 128 }), { maxItems: 100, description: 'Words, like `orders:write`.', example: ['orders:read', 'orders:write'] });
const role = t.String({ minLength: 1, maxLength: 64, description: 'Its name.', example: 'billing' });
const roleAnswer = t.Object({ role, tenant: t.String(), permissions, created_at: time('When it was made.') }, { $id: 'Role' });

const documentOf = ({ tenant }: Pick<AdminCall<unknown, unknown>, 'tenant'>) => (one: Role): object => roleDocument(one, tenant);

const one = '/tenants/:tenant/roles/:role';
const read = { area: 'roles', access: 'read' } as const;
const write = { area: 'roles', access: 'write' } as const;

/** What members of organizations may do, by role. */
export const roleOperations: readonly AdminOperation[] = [
  operation({
    ...read, method: 'GET', path: '/tenants/:tenant/roles', id: 'listRoles', summary: 'List a tenant\'s roles', text: 'By name.', answer: t.Object({ items: t.Array(roleAnswer) }, { $id: 'RoleList' }),
    run: async (call) => done({ items: (await call.ctx.store.listRoles(call.tenant.id)).map(documentOf(call)) }),
  }),
  operation({
    ...write, method: 'POST', path: '/tenants/:tenant/roles', id: 'createRole', creates: true, locatedBy: 'role', summary: 'Create a role', body: t.Object({ role, permissions: t.Optional(permissions) }, { $id: 'NewRole' }), answer: roleAnswer,
    run: async (call) => told(await createRole(call.ctx, call.tenant, call.body.role, call.body.permissions ?? []), documentOf(call)),
  }),
  operation({
    ...read, method: 'GET', path: one, id: 'getRole', etag: true, summary: 'Read a role', answer: roleAnswer,
    run: async (call) => told(await requireRole(call.ctx, call.tenant, call.param('role')), documentOf(call)),
  }),
  operation({
    ...write, method: 'PUT', path: one, id: 'updateRole', etag: true, summary: 'Replace what a role permits', text: 'For everybody who has it, at once.', body: t.Object({ permissions }, { $id: 'RolePermissions' }), answer: roleAnswer,
    run: async (call) => told(await updateRole(call.ctx, call.tenant, call.param('role'), call.body.permissions, call.guard(documentOf(call))), documentOf(call)),
  }),
  operation({
    ...write, method: 'DELETE', path: one, id: 'deleteRole', etag: true, summary: 'Delete a role', text: 'Whoever has it loses it.', answer: null,
    run: async (call) => deleteRole(call.ctx, call.tenant, call.param('role'), call.guard(documentOf(call))),
  }),
];
