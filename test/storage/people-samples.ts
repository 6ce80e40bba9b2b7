/** Rows of signing in for storage tests: as in samples.ts, complete, and different only in what a test names. */
import { noProgress } from '../../src/core/people.ts';
import type {
  AuthorizationCode, BrowserSession, Consent, Interaction, OutboxItem, Passkey, Password, Proof, Totp,
} from '../../src/core/people.ts';
import type { Aftermath } from '../../src/core/people-store.ts';
import type { Grant } from '../../src/core/model.ts';
import type { Store } from '../../src/core/store.ts';
import { aClient, aGrant, anEvent, aTenant, aUser, digestOf, furnish, HOUR_MS, SOON_S, T0 } from './samples.ts';
import { listAudit } from '../helpers/trail.ts';

export const MINUTE_MS = 60_000;
const LATER_MS = T0 + 1_000 * HOUR_MS;

/** A browser's session; its secret is named `secret`. */
export function aBrowserSession(secret = 'secret_1', changes: Partial<BrowserSession> = {}): BrowserSession {
  return {
    id: 'ses_b', tenantId: 'ten_1', userId: 'usr_1', createdAtMs: T0, endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: T0,
    amr: ['pwd'], acr: '1fa', lastSeenAtMs: T0, expiresAtMs: T0 + 24 * HOUR_MS, userAgent: 'Browser/1', ip: '192.0.2.1', ...changes,
  };
}

/** An interaction whose id is named `name`. */
export function anInteraction(name = 'int_1', changes: Partial<Interaction> = {}): Interaction {
  return {
    digest: digestOf(name), tenantId: 'ten_1', browserDigest: digestOf('browser'), section: null, freshSinceMs: null, progress: noProgress,
    request: {
      clientId: 'cli_1', redirectUri: 'https://app.example.com/cb', responseMode: 'query', state: 's"1', redirectUriGiven: true,
      scopes: ['openid'], resources: [], challenge: 'challenge', nonce: null, prompt: ['login'], maxAge: null, loginHint: null,
      hintedSubject: null, acrValues: [], uiLocales: ['de'],
    },
    createdAtMs: T0, expiresAtMs: T0 + HOUR_MS, finishedAtMs: null, ...changes,
  };
}

/** A code named `name`. */
export function aCode(name = 'code_1', changes: Partial<AuthorizationCode> = {}): AuthorizationCode {
  return {
    digest: digestOf(name), tenantId: 'ten_1', clientId: 'cli_1', userId: 'usr_1', sessionId: 'ses_b',
    sessionEndsAtMs: T0 + 24 * HOUR_MS, orgId: null, redirectUri: null, challenge: 'challenge', nonce: 'n', scopes: ['openid'], resources: ['https://api.example.com/'], offline: true, authTime: T0 / 1000,
    acr: 'mfa', amr: ['pwd', 'otp'], issuedAtMs: T0, expiresAtMs: T0 + MINUTE_MS, usedAtMs: null, failures: 0, grantId: null, ...changes,
  };
}

export function aConsent(changes: Partial<Consent> = {}): Consent {
  return {
    tenantId: 'ten_1', userId: 'usr_1', clientId: 'cli_1', resourceKey: '', orgId: '', scopes: ['openid'], createdAtMs: T0, updatedAtMs: T0,
    ...changes,
  };
}

export function aPassword(changes: Partial<Password> = {}): Password {
  return { tenantId: 'ten_1', userId: 'usr_1', digest: '$argon2id$1', changedAtMs: T0, mustChange: false, ...changes };
}

export function aPasskey(changes: Partial<Passkey> = {}): Passkey {
  return {
    tenantId: 'ten_1', userId: 'usr_1', id: 'pk_1', publicKey: 'cose', counter: 0, transports: ['internal', 'hybrid'], synced: true,
    name: 'Phone', createdAtMs: T0, lastUsedAtMs: null, ...changes,
  };
}

export function aTotp(changes: Partial<Totp> = {}): Totp {
  return { tenantId: 'ten_1', userId: 'usr_1', sealedSecret: 'v1.totp', createdAtMs: T0, confirmedAtMs: null, lastStep: 0, ...changes };
}

export function aProof(id = 'prf_1', changes: Partial<Proof> = {}): Proof {
  return {
    id, tenantId: 'ten_1', kind: 'reset', userId: 'usr_1', boundTo: digestOf('int_1'), codeDigest: digestOf(`code ${id}`),
    linkDigest: digestOf(`link ${id}`), sealedData: 'v1.data', createdAtMs: T0, expiresAtMs: T0 + 10 * MINUTE_MS, failures: 0, usedAtMs: null,
    ...changes,
  };
}

export function aMail(id = 'out_1', changes: Partial<OutboxItem> = {}): OutboxItem {
  return {
    id, tenantId: 'ten_1', kind: 'mail', target: 'jane@example.com', payload: 'v1.mail', createdAtMs: T0, nextAttemptAtMs: T0, attempts: 0,
    doneAtMs: null, outcome: null, ...changes,
  };
}

/** An event and a mail that go along with a change. */
export function anAftermath(id = 'out_1'): Aftermath {
  return { audit: [anEvent({ type: 'profile_changed', reason: id })], outbox: [aMail(id)] };
}

/** All that is due in the outbox, the oldest first. */
export async function dueOf(store: Store, nowMs: number): Promise<readonly OutboxItem[]> {
  const { items } = await store.listDueLogouts(nowMs, { after: null, clients: 999, each: 999 });
  return [...(await store.listDueMails(nowMs, 999)), ...items].toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
}

/** Ids of what went along with changes: of the events, and of the mails. */
export async function aftermathsOf(store: Store): Promise<{ readonly events: readonly string[]; readonly mails: readonly string[] }> {
  const events = await listAudit(store, { type: 'profile_changed', limit: 999 });
  const items = await dueOf(store, LATER_MS);
  return { events: events.map(({ reason }) => reason ?? '').toSorted(), mails: items.filter(({ kind }) => kind === 'mail').map(({ id }) => id).toSorted() };
}

/** Whom the outbox tells of which session's end, sorted. */
export async function logoutsOf(store: Store): Promise<readonly string[]> {
  const items = await dueOf(store, LATER_MS);
  return items.filter(({ kind }) => kind === 'logout').map(({ tenantId, target, payload }) => `${tenantId} ${target} ${payload}`).toSorted();
}

/** What `logoutsOf` tells of one message. */
export const logoutOf = (client: string, sid = 'ses_b', sub = 'usr_1') => `ten_1 ${client} ${JSON.stringify({ sub, sid })}`;

/** Opens a grant in a session that exists. */
export async function open(store: Store, id: string, changes: Partial<Grant> = {}): Promise<void> {
  const grant = aGrant({ id, sessionId: 'ses_b', ...changes });
  expectOpened(await store.openGrant({ session: null, grant, refresh: null, access: { opaque: null, expiresAt: SOON_S } }, []));
}

function expectOpened(outcome: string): void {
  if (outcome !== 'opened') throw new Error(`the sample grant was not opened: ${outcome}`);
}

/** Which of these grants are revoked. */
export async function revokedOf(store: Store, ids: readonly string[]): Promise<readonly string[]> {
  const revoked = await Promise.all(ids.map(async (id) => (await store.readTokenRecord('ten_1', null, id)).grantRevoked));
  return ids.filter((_, index) => revoked[index]);
}

/**
 * `furnish`, a browser's session `ses_b` of the same user, clients `cli_back` and `cli_gone` with back-channel addresses (the
 * latter deleted), another user `usr_2`, and a tenant `ten_2` with a user and clients of the same ids.
 */
export async function furnishPeople(store: Store): Promise<void> {
  await furnish(store);
  await store.createTenant(aTenant({ id: 'ten_2', slug: 'other' }), [], []);
  await store.createClient(aClient({ tenantId: 'ten_2' }), []);
  for (const tenantId of ['ten_1', 'ten_2']) {
    await store.createClient(aClient({ tenantId, id: 'cli_back', backchannelLogoutUri: 'https://back.example.com/logout' }), []);
  }
  const gone = aClient({ id: 'cli_gone', backchannelLogoutUri: 'https://gone.example.com/logout' });
  await store.createClient(gone, []);
  await store.updateClient(gone, { ...gone, deletedAtMs: T0 }, []);
  await store.createUser(aUser({ id: 'usr_2', username: 'Joe', email: 'joe@example.com' }), 'joe', []);
  await store.createUser(aUser({ tenantId: 'ten_2' }), 'jane', []);
  await store.openBrowserSession({ session: aBrowserSession(), replaces: null, progress: null }, { audit: [] });
}

/** How many of 50 that race succeed. */
export async function winners(attempt: (number: number) => Promise<unknown>, success: unknown = true): Promise<number> {
  const outcomes = await Promise.all(Array.from({ length: 50 }, (_, number) => attempt(number)));
  return outcomes.filter((outcome) => outcome === success).length;
}
