import { accessResources } from './access.ts';
import { auditResources } from './audit.ts';
import { clientResource } from './clients.ts';
import { grantResource, sessionResource } from './grants.ts';
import { keyResource } from './keys.ts';
import { organizationResource, roleResource } from './organizations.ts';
import type { ConsoleResource } from './resource.ts';
import { protectedResource } from './resources.ts';
import { serverSettingsResource } from './server-settings.ts';
import { tenantSettingsResource } from './tenant-settings.ts';
import { tenantResource } from './tenants.ts';
import { userResource } from './users.ts';
import { webhookResources } from './webhooks.ts';
import { wordingResource } from './wording.ts';

/** Every kind of thing that the console has pages for. resource.ts says how to add one. */
export const consoleResources: readonly ConsoleResource[] = [
  tenantResource,
  clientResource,
  protectedResource,
  userResource,
  organizationResource,
  roleResource,
  grantResource,
  sessionResource,
  keyResource,
  ...webhookResources,
  ...auditResources,
  tenantSettingsResource,
  wordingResource,
  ...accessResources,
  serverSettingsResource,
];
