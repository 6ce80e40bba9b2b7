import { isDeepStrictEqual } from 'node:util';
import { clientPart } from './clients.ts';
import { keyPart } from './keys.ts';
import { organizationPart } from './organizations.ts';
import { resourcePart } from './owners.ts';
import { tenantPart } from './tenants.ts';
import { webhookPart } from './webhooks.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { AfterCommit, Writer } from './writer.ts';
import type { SettingWrite } from '../../core/operations-store.ts';
import type { Store } from '../../core/store.ts';

/** Thrown to undo what was done so far: something came to another end than it had to. */
class CameToElse extends Error {}

type OrganizationParts = Parameters<typeof organizationPart>;

/** Several changes as one. What it needs is made at its first use: few processes ever do. */
export function togetherPart(connection: Connection, append: AppendAudit, isLive: OrganizationParts[2], endings: OrganizationParts[3]): Pick<Store, 'together'> {
  const { writer } = connection;
  /** The transaction that runs now. */
  let running: { readonly after: AfterCommit; value: unknown } | null = null;
  let inside: Pick<Store, SettingWrite> | null = null;

  /** A writer that does its work within the running transaction. */
  const within: Writer['write'] = (operation) => {
    if (running === null) throw new Error('no transaction is running');
    const value = operation(running.after);
    running.value = value;
    return Promise.resolve(value);
  };

  function partsInside(): Pick<Store, SettingWrite> {
    const same: Connection = { ...connection, writer: { ...writer, write: within } };
    return {
      ...tenantPart(same, append), ...clientPart(same, append), ...resourcePart(same, append), ...keyPart(same, append),
      ...organizationPart(same, append, isLive, endings), ...webhookPart(same, append),
    };
  }

  return {
    together: async (calls, audit) => {
      inside ??= partsInside();
      const parts = inside;
      try {
        await writer.write((after) => {
          running = { after, value: undefined };
          try {
            for (const { write, given, outcome } of calls) {
              // Name and arguments come from one and the same member of a union, which a call through the name forgets.
              void Reflect.apply(parts[write], parts, given);
              if (!isDeepStrictEqual(running.value, outcome)) throw new CameToElse();
            }
            append(audit);
          } finally {
            running = null;
          }
        });
        return 'updated';
      } catch (error) {
        if (error instanceof CameToElse) return 'outdated';
        throw error;
      }
    },
  };
}
