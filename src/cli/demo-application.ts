import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import type { DemoSite } from '../http/server-context.ts';
import type { Context } from '../service/context.ts';
import { everything, putAdministrator } from '../service/manage-access.ts';
import { createUserWithPassword, setUserPassword } from '../service/manage-credentials.ts';
import { createOrganization, putMember, requireOrganization } from '../service/manage-organizations.ts';
import { createRole, updateRole } from '../service/manage-roles.ts';
import { updateTenant } from '../service/manage-tenants.ts';
import { requireUser, setUserEnabled } from '../service/manage-users.ts';
import { ensure, makeDemoClient, quiet } from './demo-client.ts';
import { valueOf } from './failure.ts';

/** What the page at `/demo` works with. */
export const demoSite: DemoSite = {
  client: 'demo-spa', gateway: 'demo-gateway', username: 'demo',
  scopes: ['openid', 'profile', 'email', 'offline_access', 'orders:read'],
};

/** What is told once, in the terminal. */
export type DemoApplication = { readonly username: string; readonly password: string; readonly adminPassword: string; readonly gatewaySecret: string };

/** Who may open the console. */
export const DEMO_ADMINISTRATOR = 'admin';

const ORG = 'org_demo';
const ROLE = 'orders-clerk';
const PASSWORD_MIN_LENGTH = 12;
/** 32 characters that are hard to mistake for each other: five bits each. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 3;
const GROUP_LENGTH = 4;

/** `demo-xxxx-xxxx-xxxx`: short enough to type. */
function makePassword(): string {
  const group = (): string => Array.from(crypto.getRandomValues(new Uint8Array(GROUP_LENGTH)), (byte) => letters.charAt(byte % letters.length)).join('');
  return ['demo', ...Array.from({ length: GROUPS }, group)].join('-');
}

/** The person, with a new password, whatever became of one of an earlier start. */
async function makePerson(ctx: Context, tenant: Tenant, { username, name }: { readonly username: string; readonly name: string }): Promise<string> {
  const password = { text: makePassword(), temporary: false };
  const former = await requireUser(ctx, tenant, username);
  if (former.ok) {
    if (former.value.disabledAtMs !== null) valueOf(await setUserEnabled(ctx, tenant, former.value.id, true), quiet);
    valueOf(await setUserPassword(ctx, tenant, former.value.id, password), quiet);
  } else {
    valueOf(await createUserWithPassword(ctx, tenant, null, { username, email: `${username}@example.com`, emailVerified: true, name }, password), quiet);
  }
  return password.text;
}

/**
 * Furnishes the tenant `default`: a person with a place in an organization, the page's public client, and the gateway
 * that asks about its tokens. Password and secret are new at each start.
 */
export async function makeDemoApplication(ctx: Context): Promise<DemoApplication> {
  const everywhere = ['id_token', 'access_token', 'introspection', 'userinfo'] as const;
  const tenant = valueOf(await updateTenant(ctx, DEFAULT_TENANT, {
    name: 'Assay demo',
    people: {
      registration: true, passwords: true, passwordMinLength: PASSWORD_MIN_LENGTH,
      claims: [{ claim: 'roles', source: 'roles', targets: everywhere }, { claim: 'permissions', source: 'permissions', targets: ['access_token', 'introspection'] }],
    },
  }), quiet);
  const page = `${ctx.origin().url}/demo`;
  await makeDemoClient(ctx, tenant, {
    id: demoSite.client, public: true,
    change: { name: 'Demo application', grants: ['authorization_code', 'refresh_token'], scopes: demoSite.scopes, redirectUris: [page], postLogoutRedirectUris: [page] },
  });
  const { secret } = await makeDemoClient(ctx, tenant, { id: demoSite.gateway, public: false, change: { name: 'Demo gateway', introspect: 'tenant' } });
  const password = await makePerson(ctx, tenant, { username: demoSite.username, name: 'Dana Demo' });
  const adminPassword = await makePerson(ctx, tenant, { username: DEMO_ADMINISTRATOR, name: 'Ada Admin' });
  valueOf(await putAdministrator(ctx, everything, DEMO_ADMINISTRATOR, { scopes: ['admin'], tenant: null }), quiet);
  await ensure(await createRole(ctx, tenant, ROLE, ['orders:read', 'orders:ship']), () => updateRole(ctx, tenant, ROLE, ['orders:read', 'orders:ship']));
  await ensure(await createOrganization(ctx, tenant, ORG, 'Example Outfitters'), () => requireOrganization(ctx, tenant, ORG));
  valueOf(await putMember(ctx, tenant, ORG, demoSite.username, [ROLE]), quiet);
  return { username: demoSite.username, password, adminPassword, gatewaySecret: secret };
}
