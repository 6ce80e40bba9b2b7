import { webhookExamples } from './webhooks.ts';
import type { AdminExample } from '../admin.ts';
import { auditExamples } from './audit.ts';
import { coreExamples } from './core.ts';
import { keyExamples } from './keys.ts';
import { metricsExamples } from './metrics.ts';
import { peopleExamples } from './people.ts';

/** A call of every operation of the admin API; how to write one is said in ../admin.ts. */
export const adminExamples: readonly AdminExample[] = [
  ...coreExamples,
  ...keyExamples,
  ...metricsExamples,
  ...peopleExamples,
  ...auditExamples,
  ...webhookExamples,
];
