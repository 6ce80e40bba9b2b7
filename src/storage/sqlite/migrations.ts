import start from '../../../drizzle/0000_start.sql' with { type: 'text' };
import auditAppendOnly from '../../../drizzle/0001_audit_append_only.sql' with { type: 'text' };
import retiredKeys from '../../../drizzle/0002_retired_keys.sql' with { type: 'text' };
import people from '../../../drizzle/0003_people.sql' with { type: 'text' };
import outboxByClient from '../../../drizzle/0004_outbox_by_client.sql' with { type: 'text' };
import sessionEnds from '../../../drizzle/0005_session_ends.sql' with { type: 'text' };
import operations from '../../../drizzle/0006_operations.sql' with { type: 'text' };
import auditChain from '../../../drizzle/0007_audit_chain.sql' with { type: 'text' };
import lists from '../../../drizzle/0008_lists.sql' with { type: 'text' };

/** One step of the schema, as drizzle-kit wrote it. */
export type Migration = { readonly tag: string; readonly sql: string };

/**
 * All steps, oldest first, embedded in the executable. A database's schema version (`user_version`) is how many of them
 * it has seen. test/storage/migrations.test.ts holds this list to drizzle/meta/_journal.json.
 */
export const migrations: readonly Migration[] = [
  { tag: '0000_start', sql: start },
  { tag: '0001_audit_append_only', sql: auditAppendOnly },
  { tag: '0002_retired_keys', sql: retiredKeys },
  { tag: '0003_people', sql: people },
  { tag: '0004_outbox_by_client', sql: outboxByClient },
  { tag: '0005_session_ends', sql: sessionEnds },
  { tag: '0006_operations', sql: operations },
  { tag: '0007_audit_chain', sql: auditChain },
  { tag: '0008_lists', sql: lists },
];
