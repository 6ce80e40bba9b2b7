import type { Tenant, User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import type { Proof, ProofKind } from '../../core/people.ts';
import type { Aftermath } from '../../core/people-store.ts';
import type { MailContent } from '../../core/people-words.ts';
import { CODE_BYTES, codeDigest, digitsFrom, readDigits } from '../../credentials/codes.ts';
import { sealedFor } from '../../core/sealed.ts';
import { seal, unseal } from '../../keys/seal.ts';
import { digestOf, sameDigest } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { blockedNetwork } from './guesses.ts';
import { spendMail } from './mail-budget.ts';
import { accountLink, withMail } from './mails.ts';
import { acted, failed, isLive, noteFailure, type Act, type Failed, type Person } from './outcome.ts';

const MINUTES = 10;
const LIFETIME_MS = MINUTES * 60_000;
/** Wrong codes after which a proof is spent. */
const MOST_FAILURES = 5;
/** Stands where an address would; no mail goes there (RFC 2606 §2). */
const NOBODY = 'nobody@invalid';
const ID_BYTES = 16;
const TOKEN_BYTES = 32;

/** Proofs that are met by a code from a mail. */
export type CodeKind = Exclude<ProofKind, 'passkey_sign_in' | 'passkey_add'>;

/** What is to be proved by mail. */
export type CodeWish = {
  readonly kind: CodeKind;
  /** Digest of the interaction or session. */
  readonly boundTo: string;
  /** null: nobody has the name that was typed, or nobody yet. */
  readonly user: User | null;
  /** Where to send it; null: the user's own address, if it was verified. */
  readonly email: string | null;
  /** Kept sealed until it is met. */
  readonly data: object | null;
  /** The page's URL for a link's token; null: a code only. */
  readonly link: ((token: string) => string) | null;
  /** Name of the application that somebody signs in to. */
  readonly client: string | null;
  /** As it was typed, where one was: a name that nobody has is counted as one that somebody has. */
  readonly name?: string;
};

/** A proof that was met. `data`: what was kept with it. */
export type MetProof = { readonly ok: true; readonly proof: Proof; readonly data: unknown };

/**
 * Sends a code. Where nobody is to get one, a proof is made that nothing meets, and the answer is the same (UI-12).
 * @throws StoreError
 */
export async function sendCode(ctx: Context, person: Person, wish: CodeWish): Promise<Act> {
  const { user } = wish;
  const own = user !== null && isLive(user) && user.emailVerified && user.email !== '' ? user.email : null;
  return sendProof(ctx, person, { ...wish, to: wish.email ?? own, instead: null });
}

/**
 * Like `sendCode`, in its own words. @param wish `to`: null: nobody. `instead`: a mail without a code, to somebody for whom
 * the proof cannot be met
 * @throws StoreError
 */
export async function sendProof(ctx: Context, person: Person, wish: Omit<CodeWish, 'email'> & { readonly to: string | null; readonly instead: MailContent | null }): Promise<Act> {
  const { tenant } = person;
  const nowMs = ctx.clock.now();
  const budget = await spendMail(ctx, person, wish);
  // Nor is there a row: they are as many as a network may ask for (RL-04), and the last one of a request stays.
  if (budget === 'network_full' || budget === 'request_full') return acted;
  // Whose budget is full gets a row all the same: wrong codes start over, as they do for a name that nobody has.
  const limited = budget === 'person_full';

  const id = ctx.random.text(ID_BYTES);
  const code = digitsFrom(ctx.random.text(CODE_BYTES));
  const token = ctx.random.text(TOKEN_BYTES);
  const nothing = ctx.random.text(TOKEN_BYTES);
  const content = wish.instead ?? contentOf(ctx, tenant, wish, code, token);
  const meetable = wish.to !== null && wish.instead === null && !limited;
  const data = JSON.stringify(wish.data);
  const proof: Proof = {
    id, tenantId: tenant.id, kind: wish.kind, userId: meetable ? wish.user?.id ?? null : null, boundTo: wish.boundTo,
    codeDigest: codeDigest(ctx.codeKey, id, meetable ? code : nothing),
    linkDigest: meetable && wish.link !== null ? digestOf(token) : null,
    sealedData: sealKept(ctx, id, wish.to ?? NOBODY, meetable ? data : JSON.stringify('-'.repeat(data.length - 2))),
    createdAtMs: nowMs, expiresAtMs: nowMs + LIFETIME_MS, failures: 0, usedAtMs: null,
  };
  const mail = withMail(ctx, person, wish.user?.id ?? null, wish.to ?? NOBODY, content, []);
  // Where nobody is to get a mail, one is written that is done already: it takes alike.
  await ctx.store.createProof(proof, wish.to === null || limited ? unsent(mail, nowMs) : mail);
  return acted;
}

/** The same work for the storage, and nothing that leaves. */
function unsent({ outbox = [] }: Aftermath, nowMs: number): Aftermath {
  return { audit: [], outbox: outbox.map((item) => ({ ...item, target: NOBODY, doneAtMs: nowMs, outcome: 'given_up' })) };
}

function contentOf(ctx: Context, tenant: Tenant, wish: Pick<CodeWish, 'kind' | 'link' | 'client'>, code: string, token: string): MailContent {
  const link = wish.link?.(token) ?? accountLink(ctx, tenant);
  switch (wish.kind) {
    case 'sign_in':
      return { kind: 'sign_in_code', code, link, minutes: MINUTES, client: wish.client };
    case 'register':
      return { kind: 'register_code', code, minutes: MINUTES };
    case 'reset':
      return { kind: 'reset_code', code, link, minutes: MINUTES };
    case 'verify_email':
    case 'change_email':
      return { kind: 'verify_email', code, minutes: MINUTES };
  }
}

/** What a proof keeps: where it was sent to, and what it is for. */
type Kept = { readonly to: string; readonly data: unknown };

/** @param to address @param json of the data */
function sealKept(ctx: Context, id: string, to: string, json: string): string {
  return seal(ctx.master, sealedFor.proof(id), `{"to":${JSON.stringify(digestOf(to))},"data":${json}}`);
}

/** @throws UnsealError */
function openKept(ctx: Context, { id, sealedData }: Proof): Kept | null {
  const kept: unknown = sealedData === null ? null : JSON.parse(unseal(ctx.master, sealedFor.proof(id), sealedData));
  if (typeof kept !== 'object' || kept === null || !('to' in kept) || !('data' in kept)) return null;
  return typeof kept.to === 'string' ? { to: kept.to, data: kept.data } : null;
}

/** Whether a tenant still offers what a code is for. */
function isOffered({ people }: Tenant, kind: ProofKind): boolean {
  switch (kind) {
    case 'sign_in':
      return people.emailCodes;
    case 'register':
      return people.registration;
    case 'reset':
      return people.passwords;
    default:
      return true;
  }
}

function isMeetable(proof: Proof | null, nowMs: number): proof is Proof {
  return proof !== null && proof.usedAtMs === null && proof.expiresAtMs > nowMs;
}

/**
 * Holds a typed code against the newest that was sent for this browser; the fifth wrong one ends it, and wrong ones count
 * for their network as wrong passwords do (RL-01). A proof of kind `sign_in` is spent by this; others are spent by the
 * change that they are for.
 * @throws StoreError, UnsealError
 */
export async function checkCode(ctx: Context, person: Person, boundTo: string, kind: CodeKind, code: string): Promise<MetProof | Failed> {
  const key = `code ${kind} ${boundTo}`;
  // Guesses sent together count as if each before this one were wrong.
  const underWay = ctx.attempts.enter(key);
  try {
    const proof = await ctx.store.findProof(person.tenant.id, boundTo, kind);
    const nowMs = ctx.clock.now();
    if (!isMeetable(proof, nowMs)) return failed('code_expired');
    const digits = readDigits(code, 'mail');
    if (digits === null) return failed('wrong_code');
    if (proof.failures + underWay > MOST_FAILURES) return failed('too_many_attempts', 1);
    const network = networkOf(person.from.ip);
    const blocked = blockedNetwork(ctx, network);
    if (blocked !== null) {
      noteFailure(ctx, person, proof.userId, 'throttled');
      return blocked;
    }
    if (sameDigest(proof.codeDigest, codeDigest(ctx.codeKey, proof.id, digits))) return await meet(ctx, person.tenant, proof);
    ctx.attempts.networks.count(network);
    noteFailure(ctx, person, proof.userId, 'wrong_code');
    const failures = await ctx.store.countProofFailure(proof.id, MOST_FAILURES, nowMs);
    return failed(failures >= MOST_FAILURES ? 'code_expired' : 'wrong_code');
  } finally {
    ctx.attempts.leave(key);
  }
}

/** Finds what a link from a mail is for, without spending it; null: nothing any more. @throws StoreError */
export async function openLink(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, linkToken: string): Promise<Proof | null> {
  const proof = await ctx.store.findProofByLink(tenant.id, digestOf(linkToken));
  return isMeetable(proof, ctx.clock.now()) ? proof : null;
}

/** Like `checkCode`, by the link of the same mail, in the browser that asked for it. @throws StoreError, UnsealError */
export async function checkLink(ctx: Context, person: Person, boundTo: string, linkToken: string): Promise<MetProof | Failed> {
  const proof = await openLink(ctx, person.tenant, linkToken);
  return proof === null || proof.boundTo !== boundTo ? failed('code_expired') : meet(ctx, person.tenant, proof);
}

async function meet(ctx: Context, tenant: Tenant, proof: Proof): Promise<MetProof | Failed> {
  const kept = openKept(ctx, proof);
  if (kept === null || !isOffered(tenant, proof.kind)) return failed('code_expired');
  if (proof.userId !== null) {
    const user = await ctx.store.findUser(proof.tenantId, proof.userId);
    if (!isLive(user)) return failed('code_expired');
    // Whoever reads the former mailbox is not, for that, the person.
    const isOwn = proof.kind === 'sign_in' || proof.kind === 'reset';
    if (isOwn && !(user.emailVerified && sameDigest(kept.to, digestOf(user.email)))) return failed('code_expired');
  }
  if (proof.kind === 'sign_in' && !(await ctx.store.spendProof(proof.id, ctx.clock.now()))) return failed('code_expired');
  return { ok: true, proof, data: kept.data };
}

/** The proof of a kind that is under way for this browser and user; null: none. @throws StoreError */
export async function findPendingProof(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, boundTo: string, kind: CodeKind, userId: string): Promise<Proof | null> {
  const proof = await ctx.store.findProof(tenant.id, boundTo, kind);
  return isMeetable(proof, ctx.clock.now()) && proof.userId === userId ? proof : null;
}
