import { and, eq, lt } from 'drizzle-orm';
import { replies } from './schema-operations.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';

/** Milliseconds for which an answer is kept, and its key taken. */
export const REPLY_KEPT_MS = 86_400_000;

/** Answers to creations, so that who asks twice creates once. */
export function replyPart({ orm, writer }: Connection): Pick<Store, 'claimReply' | 'settleReply' | 'dropReply'> {
  const isReply = (caller: string, keyDigest: string) => and(eq(replies.caller, caller), eq(replies.keyDigest, keyDigest));
  return {
    claimReply: ({ caller, keyDigest, requestDigest, atMs }) =>
      writer.write(() => {
        const own = isReply(caller, keyDigest);
        // The sweeper may be late.
        orm.delete(replies).where(and(own, lt(replies.createdAtMs, atMs - REPLY_KEPT_MS))).run();
        const known = orm.select().from(replies).where(own).get();
        if (known === undefined) {
          orm.insert(replies).values({ caller, keyDigest, requestDigest, status: null, sealedBody: null, createdAtMs: atMs }).run();
          return { kind: 'new' as const };
        }
        const { status, sealedBody } = known;
        return { kind: 'known' as const, requestDigest: known.requestDigest, reply: status === null || sealedBody === null ? null : { status, sealedBody } };
      }),
    settleReply: (caller, keyDigest, { status, sealedBody }) =>
      writer.write(() => orm.update(replies).set({ status, sealedBody }).where(isReply(caller, keyDigest)).run()),
    dropReply: (caller, keyDigest) => writer.write(() => orm.delete(replies).where(isReply(caller, keyDigest)).run()),
  };
}
