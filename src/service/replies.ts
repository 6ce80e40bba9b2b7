import { sealedFor } from '../core/sealed.ts';
import { seal, unseal, UnsealError } from '../keys/seal.ts';
import { digestOf } from '../tokens/digest.ts';
import type { Context } from './context.ts';

/** One creation that may be asked for twice: who asks, their key for it, and all that was asked. */
export type ReplyKey = { readonly caller: string; readonly key: string; readonly request: string };

/** An answer that is kept. */
export type Reply = { readonly status: number; readonly body: string };

/** `mismatch`: the key was taken for another request. `unfinished`: for this one, which is under way or was cut short. */
export type ReplyClaim = { readonly kind: 'new' } | { readonly kind: 'mismatch' } | { readonly kind: 'unfinished' } | { readonly kind: 'answered'; readonly reply: Reply };

/** Takes a key for one request, before it is done. @throws StoreError */
export async function claimReply(ctx: Pick<Context, 'store' | 'clock' | 'master'>, { caller, key, request }: ReplyKey): Promise<ReplyClaim> {
  const [keyDigest, requestDigest] = [digestOf(key), digestOf(request)];
  const claim = await ctx.store.claimReply({ caller, keyDigest, requestDigest, atMs: ctx.clock.now() });
  if (claim.kind === 'new') return claim;
  if (claim.requestDigest !== requestDigest) return { kind: 'mismatch' };
  if (claim.reply === null) return { kind: 'unfinished' };
  try {
    return { kind: 'answered', reply: { status: claim.reply.status, body: unseal(ctx.master, sealedFor.reply(caller, keyDigest), claim.reply.sealedBody) } };
  } catch (error) {
    // Sealed under a former master key: it was done, and what was said cannot be said again.
    if (error instanceof UnsealError) return { kind: 'unfinished' };
    throw error;
  }
}

/** Keeps the answer for a day, sealed. @throws StoreError */
export async function keepReply(ctx: Pick<Context, 'store' | 'master'>, { caller, key }: ReplyKey, { status, body }: Reply): Promise<void> {
  const keyDigest = digestOf(key);
  await ctx.store.settleReply(caller, keyDigest, { status, sealedBody: seal(ctx.master, sealedFor.reply(caller, keyDigest), body) });
}

/** Nothing was done: the key may be used again. @throws StoreError */
export async function dropReply(ctx: Pick<Context, 'store'>, { caller, key }: ReplyKey): Promise<void> {
  await ctx.store.dropReply(caller, digestOf(key));
}
