import { administratorPart, apiKeyPart } from './access.ts';
import { activityPart } from './activity.ts';
import { auditPart, prepareAudit } from './audit.ts';
import { backlogPart } from './backlog.ts';
import { browserSessionPart, prepareVisit } from './browser-sessions.ts';
import { clientPart } from './clients.ts';
import { codePart } from './codes.ts';
import { connect, type Connection } from './connection.ts';
import { prepareEndings } from './endings.ts';
import { passkeyPart, secondFactorPart } from './factors.ts';
import { grantPart } from './grants.ts';
import { invitationPart } from './invitations.ts';
import { interactionPart, prepareInteractionSteps } from './interactions.ts';
import { keyPart } from './keys.ts';
import { listPart } from './lists.ts';
import { peopleListPart } from './lists-people.ts';
import { tokenListPart } from './lists-tokens.ts';
import { migrations } from './migrations.ts';
import { prepareOpenings } from './openings.ts';
import { organizationPart } from './organizations.ts';
import { outboxPart, prepareAftermath, prepareEnqueue } from './outbox.ts';
import { metaPart, resourcePart } from './owners.ts';
import { passwordPart, prepareIsLiveUser } from './passwords.ts';
import { prepareOverdue } from './overdue.ts';
import { prepareProofSteps, proofPart } from './proofs.ts';
import { replyPart } from './replies.ts';
import { statisticsPart } from './statistics.ts';
import { sealedPart } from './sealed.ts';
import { prepareSweep } from './sweep.ts';
import { tenantPart } from './tenants.ts';
import { prepareOpaqueInsert, tokenPart } from './tokens.ts';
import { togetherPart } from './together.ts';
import { userPart } from './users.ts';
import { webhookPart } from './webhooks.ts';
import type { Committed } from './writer.ts';
import type { TellProgress } from '../../core/backup.ts';
import type { Store } from '../../core/store.ts';

/** Milliseconds that a change waits for another process that writes, before it is refused as busy (OP-01). */
const BUSY_MS = 5_000;

/** A store in one SQLite file, and what only that kind can tell. */
export type SqliteStore = Store & {
  /** Transactions that this process committed so far: many changes share one. */
  commits(): number;
  /** Texts of all statements on protocol paths. */
  readonly statements: readonly string[];
};

/**
 * Opens the database file, making it (0600) and bringing its schema up to date as needed. Its directory must exist.
 * Any number of processes may have it open at once (OP-05). Reads answer at once, from memory where they can, and
 * exactly; only reads that begin in a `setImmediate` callback may lag behind another process for one turn of the loop.
 * @param options.busyMs milliseconds to wait for another process that writes; 5,000 unless a test says otherwise
 * @param options.committed hears of every commit
 * @param options.migrating hears how far a migration is; nothing else runs meanwhile
 * Throws an Error for people when the file cannot be opened, read or written, is another program's, or is newer.
 */
export function openSqliteStore(options: { readonly path: string; readonly busyMs?: number; readonly committed?: Committed; readonly migrating?: TellProgress }): SqliteStore {
  return assembleStore(connect(options.path, options.busyMs ?? BUSY_MS, migrations, options.committed, options.migrating));
}

/** The store over a connection, for tests that disturb the connection. */
export function assembleStore(connection: Connection): SqliteStore {
  const { writer, memory, prepare } = connection;
  const append = prepareAudit(connection);
  const enqueue = prepareEnqueue(connection);
  const aftermath = prepareAftermath(append, enqueue);
  const insertOpaque = prepareOpaqueInsert(connection);
  const openings = prepareOpenings(connection, insertOpaque);
  const endings = prepareEndings(connection, enqueue);
  const noteVisit = prepareVisit(connection);
  const interactions = prepareInteractionSteps(connection);
  const proofs = prepareProofSteps(connection);
  const isLive = prepareIsLiveUser(connection);
  const statistics = statisticsPart(connection);
  const probe = prepare<never, []>(`
    INSERT INTO meta (key, value) VALUES ('probe', '1')
    ON CONFLICT (key) DO UPDATE SET value = CASE value WHEN '1' THEN '2' ELSE '1' END`);
  return {
    ...metaPart(connection, append),
    ...tenantPart(connection, append),
    ...clientPart(connection, append),
    ...resourcePart(connection, append),
    ...userPart(connection, aftermath, endings, proofs),
    ...keyPart(connection, append),
    ...sealedPart(connection, append),
    ...grantPart(connection, append, openings, endings, noteVisit),
    ...browserSessionPart(connection, aftermath, endings, interactions, noteVisit),
    ...interactionPart(connection, append, interactions),
    ...codePart(connection, append, openings, endings, interactions),
    ...passwordPart(connection, aftermath, proofs, isLive, endings),
    ...passkeyPart(connection, aftermath, proofs, isLive),
    ...secondFactorPart(connection, aftermath, isLive),
    ...proofPart(connection, aftermath),
    ...organizationPart(connection, append, isLive, endings),
    ...outboxPart(connection, aftermath),
    ...tokenPart(connection, append, insertOpaque),
    ...apiKeyPart(connection, append),
    ...administratorPart(connection, append, isLive),
    ...replyPart(connection),
    ...listPart(connection),
    ...peopleListPart(connection),
    ...tokenListPart(connection),
    ...invitationPart(connection, aftermath, isLive),
    ...webhookPart(connection, append),
    ...togetherPart(connection, append, isLive, endings),
    ...auditPart(connection, append),
    ...activityPart(connection),
    ...backlogPart(connection),
    ...statistics.part,
    writes: writer.figures,
    epoch: memory.epoch,
    revision: memory.revision,
    probe: () => writer.write(() => void probe.run()),
    sweep: prepareSweep(connection, prepareOverdue(connection, append, endings)),
    close: () => {
      statistics.stop();
      return connection.close();
    },
    commits: writer.commits,
    statements: connection.statements,
  };
}
