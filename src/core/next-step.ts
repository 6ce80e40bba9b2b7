import type { AuthorizationErrorCode } from '../spec/errors.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import type { Client, Tenant, User } from './model.ts';
import { acrNames, type BrowserSession, type Consent, type Interaction, type Progress } from './people.ts';
import { isSessionOver } from './session.ts';
import { isCutOff } from './standing.ts';

/** Milliseconds for which a proof of identity counts as recent where something sensitive is changed (UI-25). */
export const RECENT_MS = 300_000;

/** Whether a browser's session lets its person in now: it and everything that it stands on (UI-07). */
export function isLiveSession(session: BrowserSession, tenant: Tenant, user: User | null, nowMs: number): user is User {
  if (session.tenantId !== tenant.id || session.endedAtMs !== null) return false;
  if (isSessionOver(session, tenant, nowMs)) return false;
  if (user === null || user.disabledAtMs !== null || user.deletedAtMs !== null) return false;
  return !isCutOff(session.createdAtMs, user) && !isCutOff(session.createdAtMs, tenant);
}

/** Who is signed in in this browser, proven. */
export type SignedIn = { readonly session: BrowserSession; readonly user: User };

/** Everything that decides what a pending request needs next. */
export type StepFacts = {
  readonly interaction: Pick<Interaction, 'createdAtMs'> & { readonly progress: Progress };
  readonly request: AuthorizationRequest;
  readonly client: Client;
  readonly signedIn: SignedIn | null;
  /** The person's, for this client. */
  readonly consents: readonly Consent[];
  /** Organizations that the person belongs to. */
  readonly orgIds: readonly string[];
  /** The strongest class that the person has the means for. */
  readonly reachableAcr: BrowserSession['acr'];
  readonly nowMs: number;
};

/** What comes next for a pending request. */
export type NextStep =
  | { readonly step: 'sign_in'; readonly reason: 'reauthenticate' | 'step_up' | null }
  | { readonly step: 'second_factor' | 'new_password' | 'reset' | 'choose' }
  /** `missing`: scopes that were not allowed before. */
  | { readonly step: 'consent'; readonly missing: readonly string[]; readonly orgId: string | null }
  /** Another person signed in in this browser meanwhile: the request is void (UI-21). */
  | { readonly step: 'void' }
  /** Signed in to their account page. */
  | { readonly step: 'account' }
  | { readonly step: 'issue'; readonly orgId: string | null; readonly remember: boolean }
  | { readonly step: 'error'; readonly error: AuthorizationErrorCode; readonly description: string };

const fail = (error: AuthorizationErrorCode, description: string): NextStep => ({ step: 'error', error, description });

/** Resource part of a consent's key. */
export function consentKey(resources: readonly string[]): string {
  return resources.toSorted().join(' ');
}

/**
 * Decides what a pending request needs (OpenID Connect Core §3.1.2.3–§3.1.2.4). Pure: asked again after every act, so no
 * reload, Back button or second tab skips a step (AZ-31, AZ-48).
 */
export function decideNextStep(facts: StepFacts): NextStep {
  const { interaction, request, signedIn } = facts;
  const { progress } = interaction;
  const silent = request.prompt.includes('none');
  if (isPending(progress, facts.nowMs)) return { step: progress.pending.due };
  if (signedIn === null) return silent ? fail('login_required', 'nobody is signed in') : { step: 'sign_in', reason: null };
  if (progress.sessionId !== null && progress.sessionId !== signedIn.session.id) return { step: 'void' };
  if (progress.anotherSinceMs !== null && signedIn.session.authTimeMs < progress.anotherSinceMs) return { step: 'sign_in', reason: null };
  const again = whyAgain(facts, signedIn.session);
  if (again !== null) {
    if (again === 'other_person' && provenHere(facts, signedIn.session)) return fail('login_required', 'another person is signed in');
    if (silent && again !== 'step_up') return fail('login_required', 'the person must sign in again');
    if (!silent) return { step: 'sign_in', reason: again === 'other_person' ? null : again };
  }
  if (request.prompt.includes('select_account') && !progress.chosen && !provenHere(facts, signedIn.session)) return { step: 'choose' };
  return decideConsent(facts, silent);
}

/** How long a first factor waits for what is due after it, milliseconds. */
const PENDING_MS = 600_000;

function isPending(progress: Progress, nowMs: number): progress is Progress & { readonly pending: NonNullable<Progress['pending']> } {
  return progress.pending !== null && nowMs - progress.pending.atMs < PENDING_MS;
}

/** The same for somebody who came to their account page, without an application. */
export function decideAccountStep(interaction: Interaction, signedIn: SignedIn | null, nowMs: number): Exclude<NextStep, { step: 'issue' | 'consent' | 'error' }> {
  const { progress, freshSinceMs } = interaction;
  if (isPending(progress, nowMs)) return { step: progress.pending.due };
  if (signedIn === null) return { step: 'sign_in', reason: null };
  if (progress.sessionId !== null && progress.sessionId !== signedIn.session.id) return { step: 'void' };
  if (progress.anotherSinceMs !== null && signedIn.session.authTimeMs < progress.anotherSinceMs) return { step: 'sign_in', reason: null };
  const stale = freshSinceMs !== null && signedIn.session.authTimeMs < freshSinceMs;
  return stale ? { step: 'sign_in', reason: 'reauthenticate' } : { step: 'account' };
}

/** Whether the person proved who they are since this request began. */
function provenHere({ interaction }: StepFacts, session: BrowserSession): boolean {
  return session.authTimeMs >= interaction.createdAtMs;
}

function whyAgain(facts: StepFacts, session: BrowserSession): 'reauthenticate' | 'step_up' | 'other_person' | null {
  const { request, nowMs } = facts;
  if (request.hintedSubject !== null && request.hintedSubject !== session.userId) return 'other_person';
  if (provenHere(facts, session)) return null;
  if (request.prompt.includes('login')) return 'reauthenticate';
  // max_age=0 asks for a proof since the request (AZ-33).
  if (request.maxAge !== null && nowMs - session.authTimeMs >= request.maxAge * 1000) return 'reauthenticate';
  const wanted = request.acrValues.map((value) => acrNames.findIndex((name) => name === value)).filter((rank) => rank !== -1);
  const has = acrNames.indexOf(session.acr);
  const reachable = acrNames.indexOf(facts.reachableAcr);
  return wanted.length > 0 && wanted.every((rank) => rank > has) && wanted.some((rank) => rank <= reachable) ? 'step_up' : null;
}

/**
 * Whether a client is known to be who it says: it has a secret, or its answers go to an https address, which only its
 * owner has. Others may be somebody else's program on the same device, and are never allowed in silence (AZ-42).
 */
export function isProvenClient(client: Client, redirectUri: string): boolean {
  return !client.selfRegistered && (!client.public || /^https:/i.test(redirectUri));
}

function decideConsent(facts: StepFacts, silent: boolean): NextStep {
  const { client, request, consents, orgIds } = facts;
  // What was allowed for an organization that the person left meanwhile was not allowed.
  const { progress: { consented: allowedHere } } = facts.interaction;
  const consented = allowedHere !== null && (allowedHere.orgId === null || orgIds.includes(allowedHere.orgId)) ? allowedHere : null;
  const key = consentKey(request.resources);
  const usable = consents
    .filter((consent) => consent.resourceKey === key && (consent.orgId === '' || orgIds.includes(consent.orgId)))
    .toSorted((one, other) => other.updatedAtMs - one.updatedAtMs);
  const [only, ...others] = orgIds;
  const former = usable.find((consent) => (orgIds.length > 1 ? consent.orgId !== '' : consent.orgId === (only ?? '')));
  const orgId = others.length === 0 ? (only ?? null) : former === undefined ? null : former.orgId;
  if (consented !== null) return { step: 'issue', orgId: consented.orgId, remember: true };

  const missing = request.scopes.filter((scope) => former?.scopes.includes(scope) !== true);
  const mustChoose = orgIds.length > 1 && orgId === null;
  const excused = client.firstParty && !request.prompt.includes('consent');
  const allowed = former !== undefined && missing.length === 0 && isProvenClient(client, request.redirectUri) && !request.prompt.includes('consent');
  if (!mustChoose && (excused || allowed)) return { step: 'issue', orgId, remember: false };
  if (silent) return mustChoose && excused ? fail('interaction_required', 'an organization must be chosen') : fail('consent_required', 'the person must allow this');
  return { step: 'consent', missing, orgId };
}
