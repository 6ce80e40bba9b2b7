import { findNameFault } from '../../core/identifiers.ts';
import { issuerOf, stripDefaultPort, type Origin } from '../../core/issuer.ts';
import type { RequestOrigin } from '../../core/audit-event.ts';
import type { Tenant, User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import type { Passkey, Proof } from '../../core/people.ts';
import { challengeOf } from '../../credentials/codes.ts';
import {
  CEREMONY_MS, creationOptions, proveAssertion, proveAttestation, readAssertion, requestOptions, userHandleOf, wentBack, type RelyingParty,
} from '../../credentials/passkeys.ts';
import { digestOf, sameDigest } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { withNotice } from './mails.ts';
import { acted, failed, isLive, noteFailure, personEvent, type Act, type Failed, type Person, type Proven } from './outcome.ts';
import { isLastWay } from './ways.ts';

const ID_BYTES = 32;
/** A challenge with so much of its time left is offered again, so that reloading a page makes no rows (RL-09). */
const FRESH_MS = CEREMONY_MS / 2;
/** Challenges per hour of one interaction or session, and per minute of one network: they are rows that strangers make (RL-09). */
const MOST_PER_HOUR = 20;
const MOST_PER_MINUTE = 60;

/** Where a tenant's passkeys are good. */
export type PasskeyPlace = { readonly ok: true } & RelyingParty;
/** Why there are none here. */
export type NoPasskeyPlace = { readonly ok: false; readonly notice: 'ip_address' | 'other_host' };

/**
 * A tenant's passkeys belong to the host of its issuer, whatever host a request names (UI-24; WebAuthn §5.1.3).
 * @param requestHost `Host` of the request; null: not known
 */
export function passkeyPlace(tenant: Tenant, origin: Origin, requestHost: string | null): PasskeyPlace | NoPasskeyPlace {
  const issuer = new URL(issuerOf(tenant, origin));
  if (/^[0-9.]+$|^\[/.test(issuer.hostname)) return { ok: false, notice: 'ip_address' };
  if (requestHost !== null && stripDefaultPort(requestHost.toLowerCase(), origin.scheme) !== issuer.host) return { ok: false, notice: 'other_host' };
  return { ok: true, rpId: issuer.hostname, origin: issuer.origin };
}

type Ceremony = 'passkey_sign_in' | 'passkey_add';

/** Counts a challenge; false: there were too many. */
function countChallenge(ctx: Context, boundTo: string, from: RequestOrigin | null): boolean {
  const { newcomers, settings, attempts: { challenges } } = ctx;
  const network = from === null ? null : `challenge:${networkOf(from.ip)}`;
  const full = challenges.blockedForMs(boundTo, MOST_PER_HOUR) !== null || (network !== null && newcomers.blockedForMs(network, MOST_PER_MINUTE) !== null);
  if (settings.rateLimits && full) return false;
  challenges.count(boundTo);
  if (network !== null) newcomers.count(network);
  return true;
}

/** The challenge of this browser's pending ceremony; a new one where there is none with enough time left. */
async function challengeFor(ctx: Context, tenant: Tenant, kind: Ceremony, boundTo: string, userId: string | null, from: RequestOrigin | null): Promise<string> {
  const nowMs = ctx.clock.now();
  const pending = await ctx.store.findProof(tenant.id, boundTo, kind);
  if (isPending(pending, nowMs) && pending.userId === userId && pending.expiresAtMs - nowMs > FRESH_MS) return challengeOf(ctx.codeKey, pending.id);
  const id = ctx.random.text(ID_BYTES);
  const challenge = challengeOf(ctx.codeKey, id);
  // One that nothing remembers is answered in vain.
  if (!countChallenge(ctx, boundTo, from)) return challenge;
  await ctx.store.createProof({
    id, tenantId: tenant.id, kind, userId, boundTo, codeDigest: digestOf(challenge), linkDigest: null, sealedData: null,
    createdAtMs: nowMs, expiresAtMs: nowMs + CEREMONY_MS, failures: 0, usedAtMs: null,
  }, { audit: [] });
  return challenge;
}

function isPending(proof: Proof | null, nowMs: number): proof is Proof {
  return proof !== null && proof.usedAtMs === null && proof.expiresAtMs > nowMs;
}

/** The challenge that an answer must be to; null: none is pending. */
async function pendingChallenge(ctx: Context, tenant: Tenant, kind: Ceremony, boundTo: string): Promise<{ readonly proof: Proof; readonly challenge: string } | null> {
  const proof = await ctx.store.findProof(tenant.id, boundTo, kind);
  if (!isPending(proof, ctx.clock.now())) return null;
  const challenge = challengeOf(ctx.codeKey, proof.id);
  // Not so where the key of codes is not the one that it was made under.
  return sameDigest(proof.codeDigest, digestOf(challenge)) ? { proof, challenge } : null;
}

/**
 * Options for signing in with a passkey, JSON for the browser. The person must be verified by their device, so that a passkey
 * alone is as good as two factors.
 * @param boundTo digest of the interaction or session @param from who asks; null: not known @throws StoreError
 */
export async function passkeySignInOptions(ctx: Context, tenant: Tenant, place: RelyingParty, boundTo: string, from: RequestOrigin | null = null): Promise<string> {
  return requestOptions(place, await challengeFor(ctx, tenant, 'passkey_sign_in', boundTo, null, from));
}

/** Proves a passkey (WebAuthn §7.2; UI-22, UI-23). @param credentialJson the browser's answer @throws StoreError */
export async function checkPasskey(ctx: Context, person: Person, place: RelyingParty, boundTo: string, credentialJson: string): Promise<Proven> {
  const { tenant } = person;
  const refuse = (userId: string | null, reason: string): Failed => {
    noteFailure(ctx, person, userId, reason);
    return failed('passkey_failed');
  };
  const assertion = readAssertion(credentialJson);
  const pending = await pendingChallenge(ctx, tenant, 'passkey_sign_in', boundTo);
  if (assertion === null || pending === null) return refuse(null, assertion === null ? 'passkey_malformed' : 'passkey_challenge');
  const nowMs = ctx.clock.now();
  // A challenge is good for one answer of a passkey that is known, right or wrong.
  const giveUp = async (userId: string | null, reason: string): Promise<Failed> => {
    await ctx.store.spendProof(pending.proof.id, nowMs);
    return refuse(userId, reason);
  };
  const passkey = tenant.people.passkeys ? await ctx.store.findPasskey(tenant.id, assertion.id) : null;
  // Nothing was held against the challenge: it stays, and no new row is made for the next answer (RL-09).
  if (passkey === null) return refuse(null, 'passkey_unknown');
  const proven = await proveAssertion(assertion, place, pending.challenge, passkey);
  if (proven === null) return giveUp(passkey.userId, 'passkey_wrong');
  if (assertion.userHandle !== userHandleOf(tenant.id, passkey.userId)) return giveUp(passkey.userId, 'passkey_other_user');
  const user = await ctx.store.findUser(tenant.id, passkey.userId);
  if (!isLive(user)) return giveUp(passkey.userId, 'user_disabled');
  if (wentBack(passkey.counter, proven.counter)) {
    ctx.audit.add(personEvent(ctx, person, 'passkey_counter_went_back', user.id, { outcome: 'denied' }));
    return giveUp(user.id, 'passkey_counter');
  }
  const used = await ctx.store.usePasskey({
    tenantId: tenant.id, id: passkey.id, formerCounter: passkey.counter, counter: proven.counter, atMs: nowMs, proofId: pending.proof.id,
  });
  if (!used) return refuse(user.id, 'passkey_challenge');
  return { ok: true, user, amr: [passkey.synced ? 'swk' : 'hwk', ...(proven.userVerified ? ['user' as const] : [])], passwordChangedAtMs: null };
}

/** Options for making a passkey, JSON for the browser. @throws StoreError */
export async function passkeyCreationOptions(ctx: Context, tenant: Tenant, place: RelyingParty, boundTo: string, user: User): Promise<string> {
  return creationOptions(place, await challengeFor(ctx, tenant, 'passkey_add', boundTo, user.id, null), {
    rpName: tenant.name, handle: userHandleOf(tenant.id, user.id), name: user.username, displayName: user.name ?? user.username,
    known: await ctx.store.listPasskeys(tenant.id, user.id),
  });
}

/** Adds a passkey (WebAuthn §7.1). @param name what its owner calls it; empty: the device @throws StoreError */
export async function addPasskey(ctx: Context, person: Person, place: RelyingParty, boundTo: string, user: User, credentialJson: string, name: string): Promise<Act> {
  const { tenant } = person;
  const called = name.trim().normalize('NFC') || (person.device ?? 'Passkey');
  if (findNameFault(called) !== null) return failed('name_invalid');
  const pending = await pendingChallenge(ctx, tenant, 'passkey_add', boundTo);
  if (pending === null || pending.proof.userId !== user.id) return failed('passkey_failed');
  const made = await proveAttestation(credentialJson, place, pending.challenge);
  if (made === null) {
    await ctx.store.spendProof(pending.proof.id, ctx.clock.now());
    return failed('passkey_failed');
  }
  const passkey: Passkey = { ...made, tenantId: tenant.id, userId: user.id, name: called, createdAtMs: ctx.clock.now(), lastUsedAtMs: null };
  const added = await ctx.store.addPasskey(passkey, pending.proof.id, withNotice(ctx, person, user, 'passkey_added', [personEvent(ctx, person, 'passkey_added', user.id)]));
  return added ? acted : failed('passkey_failed');
}

/** Takes a passkey away from somebody who has another way in; one that is gone already is no trouble. @throws StoreError */
export async function removePasskey(ctx: Context, person: Person, user: User, id: string): Promise<Act> {
  const passkey = await ctx.store.findPasskey(user.tenantId, id);
  if (passkey === null || passkey.userId !== user.id) return acted;
  if (await isLastWay(ctx, person.tenant, user, 'passkey')) return failed('last_way');
  await ctx.store.removePasskey(user.tenantId, user.id, id, withNotice(ctx, person, user, 'passkey_removed', [personEvent(ctx, person, 'passkey_removed', user.id)]));
  return acted;
}
