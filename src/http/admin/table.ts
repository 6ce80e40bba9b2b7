import { auditOperations } from './audit.ts';
import { keyOperations } from './keys.ts';
import { metricsOperations } from './metrics.ts';
import { eventOperations } from './events.ts';
import { accessOperations } from './access.ts';
import { clientOperations } from './clients.ts';
import type { AdminOperation } from './operation.ts';
import { organizationOperations } from './organizations.ts';
import { resourceOperations } from './resources.ts';
import { roleOperations } from './roles.ts';
import { sessionOperations } from './sessions.ts';
import { settingsOperations } from './settings.ts';
import { tenantOperations } from './tenants.ts';
import { tokenOperations } from './tokens.ts';
import { userOperations } from './users.ts';
import { webhookOperations } from './webhooks.ts';

/** Every operation of the admin API. A new one is one row in the table of its area. */
export const adminOperations: readonly AdminOperation[] = [
  ...tenantOperations,
  ...clientOperations,
  ...resourceOperations,
  ...userOperations,
  ...organizationOperations,
  ...roleOperations,
  ...sessionOperations,
  ...tokenOperations,
  ...accessOperations,
  ...settingsOperations,
  ...auditOperations,
  ...keyOperations,
  ...metricsOperations,
  ...webhookOperations,
  ...eventOperations,
];
