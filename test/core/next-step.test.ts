/** What a pending request needs next: sessions × prompts × consents (OpenID Connect Core §3.1.2.3, §3.1.2.4). */
import { describe, expect, test } from 'bun:test';
import type { AuthorizationRequest } from '../../src/core/authorization-request.ts';
import type { Client } from '../../src/core/model.ts';
import { consentKey, decideAccountStep, decideNextStep, isLiveSession, isProvenClient, type NextStep, type StepFacts } from '../../src/core/next-step.ts';
import { defaultPeopleSettings, noProgress, type BrowserSession, type Consent, type Interaction, type Progress } from '../../src/core/people.ts';
import { aClient, aTenant, aUser, T0 } from '../storage/samples.ts';

const WEB = 'https://app.example/cb';
const MINUTE = 60_000;

function aRequest(changes: Partial<AuthorizationRequest> = {}): AuthorizationRequest {
  return {
    redirectUri: WEB, responseMode: 'query', state: 's', clientId: 'cli_1', redirectUriGiven: true, scopes: ['openid', 'a'], resources: [], challenge: 'c', nonce: null, prompt: [], maxAge: null,
    loginHint: null, hintedSubject: null, acrValues: [], uiLocales: [], ...changes,
  };
}

/** Signed in an hour before `T0`. */
function aBrowserSession(changes: Partial<BrowserSession> = {}): BrowserSession {
  return {
    id: 'ses_1', tenantId: 'ten_1', userId: 'usr_1', createdAtMs: T0 - 60 * MINUTE, endedAtMs: null, secretDigest: 'd', authTimeMs: T0 - 60 * MINUTE, amr: ['pwd'], acr: '1fa', lastSeenAtMs: T0 - MINUTE,
    expiresAtMs: T0 + 60 * MINUTE, userAgent: null, ip: null, ...changes,
  };
}

function aConsent(changes: Partial<Consent> = {}): Consent {
  return { tenantId: 'ten_1', userId: 'usr_1', clientId: 'cli_1', resourceKey: '', orgId: '', scopes: ['openid', 'a'], createdAtMs: T0 - MINUTE, updatedAtMs: T0 - MINUTE, ...changes };
}

type Given = {
  readonly request?: Partial<AuthorizationRequest>;
  readonly client?: Partial<Client>;
  /** null: nobody is signed in. */
  readonly session?: Partial<BrowserSession> | null;
  readonly progress?: Partial<Progress>;
  readonly facts?: Partial<Pick<StepFacts, 'consents' | 'orgIds' | 'reachableAcr' | 'nowMs'>>;
};

/** A request of the operator's own application, begun at `T0`, unless told otherwise: nothing but signing in stands in its way. */
function decide({ request = {}, client = {}, session = {}, progress = {}, facts = {} }: Given): NextStep {
  return decideNextStep({
    interaction: { createdAtMs: T0, progress: { ...noProgress, ...progress } }, request: aRequest(request), client: aClient({ firstParty: true, ...client }),
    signedIn: session === null ? null : { session: aBrowserSession(session), user: aUser() }, consents: [], orgIds: [], reachableAcr: '1fa', nowMs: T0 + 1000, ...facts,
  });
}

const done: NextStep = { step: 'issue', orgId: null, remember: false };
const signIn = (reason: 'reauthenticate' | 'step_up' | null = null): NextStep => ({ step: 'sign_in', reason });
const fails = (error: string): NextStep => ({ step: 'error', error, description: expect.any(String) } as never);
const none = { prompt: ['none'] } as const;
/** Proven since the request began. */
const fresh = { authTimeMs: T0 + 500 };

type Row = readonly [name: string, given: Given, step: NextStep];

describe('signing in', () => {
  const pending = (due: 'second_factor' | 'new_password' | 'reset', atMs = T0): Partial<Progress> => ({ pending: { userId: 'usr_1', amr: ['pwd'], atMs, due, standing: { sinceMs: T0, passwordChangedAtMs: null } } });
  const rows: readonly Row[] = [
    ['AZ-29 nobody is signed in', { session: null }, signIn()],
    ['AZ-29 … and prompt=none', { session: null, request: none }, fails('login_required')],
    ['AZ-29 somebody is', {}, done],
    ['AZ-29 … and prompt=none', { request: none }, done],
    ['AZ-31 prompt=login', { request: { prompt: ['login'] } }, signIn('reauthenticate')],
    ['AZ-31 … until they proved it since the request', { request: { prompt: ['login'] }, session: fresh }, done],
    ['AZ-31 … a moment before is not since', { request: { prompt: ['login'] }, session: { authTimeMs: T0 - 1 } }, signIn('reauthenticate')],
    ['AZ-31 … having chosen or consented does not stand in for it', { request: { prompt: ['login'] }, progress: { chosen: true, consented: { orgId: null } } }, signIn('reauthenticate')],
    ['AZ-33 max_age longer ago than the sign-in', { request: { maxAge: 3602 } }, done],
    ['AZ-33 max_age at the very second', { request: { maxAge: 3601 } }, signIn('reauthenticate')],
    ['AZ-33 max_age shorter', { request: { maxAge: 60 } }, signIn('reauthenticate')],
    ['AZ-33 max_age=0 is prompt=login', { request: { maxAge: 0 }, session: { authTimeMs: T0 - 1 } }, signIn('reauthenticate')],
    ['AZ-33 … and is met by a proof since the request', { request: { maxAge: 0 }, session: fresh, facts: { nowMs: T0 + 10 * MINUTE } }, done],
    ['AZ-33 too old, and prompt=none', { request: { ...none, maxAge: 60 } }, fails('login_required')],
    ['AZ-34 a class that the session has', { request: { acrValues: ['mfa'] }, session: { acr: 'mfa' } }, done],
    ['AZ-34 a weaker class than it has', { request: { acrValues: ['1fa'] }, session: { acr: 'phr' } }, done],
    ['AZ-34 a stronger one that the person has the means for', { request: { acrValues: ['mfa'] }, facts: { reachableAcr: 'mfa' } }, signIn('step_up')],
    ['AZ-34 … or any stronger of several', { request: { acrValues: ['phr', 'mfa'] }, facts: { reachableAcr: 'mfa' } }, signIn('step_up')],
    ['AZ-34 … which they have not: best effort', { request: { acrValues: ['phr'] }, facts: { reachableAcr: 'mfa' } }, done],
    ['AZ-34 one of several is met', { request: { acrValues: ['phr', '1fa'] }, facts: { reachableAcr: 'phr' } }, done],
    ['AZ-34 classes of others', { request: { acrValues: ['urn:mace:incommon:iap:silver'] }, facts: { reachableAcr: 'phr' } }, done],
    ['AZ-34 asked once: who did not reach it goes on', { request: { acrValues: ['mfa'] }, facts: { reachableAcr: 'mfa' }, session: fresh }, done],
    ['AZ-34 prompt=none: best effort', { request: { ...none, acrValues: ['mfa'] }, facts: { reachableAcr: 'mfa' } }, done],
    ['AZ-36 the hinted person', { request: { hintedSubject: 'usr_1' } }, done],
    ['AZ-36 another than the hinted', { request: { hintedSubject: 'usr_2' } }, signIn()],
    ['AZ-36 … and prompt=none', { request: { ...none, hintedSubject: 'usr_2' } }, fails('login_required')],
    ['AZ-36 … who signed in for this request', { request: { hintedSubject: 'usr_2' }, session: fresh }, fails('login_required')],
    ['AZ-32 select_account', { request: { prompt: ['select_account'] } }, { step: 'choose' }],
    ['AZ-32 … chosen', { request: { prompt: ['select_account'] }, progress: { chosen: true, sessionId: 'ses_1' } }, done],
    ['AZ-32 … somebody else is to sign in', { request: { prompt: ['select_account'] }, progress: { anotherSinceMs: T0 } }, signIn()],
    ['AZ-32 … and did', { request: { prompt: ['select_account'] }, session: fresh }, done],
    ['AZ-32 … also if the signed-in person proved it for this request before', { request: { prompt: ['select_account'] }, session: { authTimeMs: T0 + 400 }, progress: { anotherSinceMs: T0 + 500 } }, signIn()],
    ['AZ-32 … and another did, since', { request: { prompt: ['select_account'] }, session: fresh, progress: { anotherSinceMs: T0 + 500 } }, done],
    ['AZ-32 with login: first the proof', { request: { prompt: ['select_account', 'login'] } }, signIn('reauthenticate')],
    ['AZ-31 the second factor is due, whoever is signed in', { progress: pending('second_factor') }, { step: 'second_factor' }],
    ['AZ-31 … a new password', { session: null, progress: pending('new_password') }, { step: 'new_password' }],
    ['AZ-31 … a forgotten one', { session: null, progress: pending('reset') }, { step: 'reset' }],
    ['AZ-31 a first factor waits ten minutes', { session: null, progress: pending('second_factor', T0 + 1000 - 10 * MINUTE) }, signIn()],
    ['UI-21 another session than the request went on with', { progress: { sessionId: 'ses_0' } }, { step: 'void' }],
    ['UI-21 … also by consent', { progress: { sessionId: 'ses_0', consented: { orgId: null } } }, { step: 'void' }],
    ['UI-21 … which ended: they sign in', { session: null, progress: { sessionId: 'ses_1' } }, signIn()],
  ];
  test.each(rows.map((row) => [...row] as const))('%s', (_name, given, step) => {
    expect(decide(given)).toEqual(step);
  });
});

describe('consent', () => {
  const asks = (missing: readonly string[], orgId: string | null = null): NextStep => ({ step: 'consent', missing, orgId });
  const issues = (orgId: string | null, remember = false): NextStep => ({ step: 'issue', orgId, remember });
  const third = { firstParty: false } as const;
  const native = { firstParty: false, public: true } as const;
  const LOOP = { redirectUri: 'http://127.0.0.1:4000/cb' } as const;
  const rows: readonly Row[] = [
    ['UI-20 the operator\'s own is not asked for', {}, issues(null)],
    ['AZ-32 … but with prompt=consent', { request: { prompt: ['consent'] } }, asks(['openid', 'a'])],
    ['UI-20 never allowed', { client: third }, asks(['openid', 'a'])],
    ['AZ-29 … and prompt=none', { client: third, request: none }, fails('consent_required')],
    ['UI-20 allowed before', { client: third, facts: { consents: [aConsent()] } }, issues(null)],
    ['AZ-29 … and prompt=none', { client: third, request: none, facts: { consents: [aConsent()] } }, issues(null)],
    ['UI-20 allowed more before', { client: third, facts: { consents: [aConsent({ scopes: ['b', 'a', 'openid'] })] } }, issues(null)],
    ['UI-20 less: asks for more only', { client: third, facts: { consents: [aConsent({ scopes: ['openid'] })] } }, asks(['a'])],
    ['AZ-29 … and prompt=none', { client: third, request: none, facts: { consents: [aConsent({ scopes: ['openid'] })] } }, fails('consent_required')],
    ['UI-20 for another resource', { client: third, facts: { consents: [aConsent({ resourceKey: 'https://api.example.com' })] } }, asks(['openid', 'a'])],
    ['UI-20 for the same resources in another order', { client: third, request: { resources: ['https://b.example', 'https://a.example'] }, facts: { consents: [aConsent({ resourceKey: 'https://a.example https://b.example' })] } }, issues(null)],
    ['UI-20 for one of two resources', { client: third, request: { resources: ['https://a.example', 'https://b.example'] }, facts: { consents: [aConsent({ resourceKey: 'https://a.example' })] } }, asks(['openid', 'a'])],
    ['AZ-32 allowed before, and prompt=consent', { client: third, request: { prompt: ['consent'] }, facts: { consents: [aConsent()] } }, asks([])],
    ['UI-20 allowed here', { client: third, progress: { consented: { orgId: null } } }, issues(null, true)],
    ['AZ-32 … with prompt=consent', { client: third, request: { prompt: ['consent'] }, progress: { consented: { orgId: null } } }, issues(null, true)],
    ['AZ-42 public, to an https address: remembered', { client: native, facts: { consents: [aConsent()] } }, issues(null)],
    ['AZ-42 public, to loopback: shown each time', { client: native, request: LOOP, facts: { consents: [aConsent()] } }, asks([])],
    ['AZ-42 public, to a private scheme: shown each time', { client: native, request: { redirectUri: 'com.example.app:/cb' }, facts: { consents: [aConsent()] } }, asks([])],
    ['AZ-42 … and prompt=none', { client: native, request: { ...LOOP, ...none }, facts: { consents: [aConsent()] } }, fails('consent_required')],
    ['AZ-42 confidential, to loopback: remembered', { client: third, request: LOOP, facts: { consents: [aConsent()] } }, issues(null)],
    ['AZ-42 that registered itself: shown each time', { client: { ...third, selfRegistered: true }, facts: { consents: [aConsent()] } }, asks([])],
    ['UI-20 no scope at all', { client: third, request: { scopes: [] } }, asks([])],
    ['UI-20 one organization: of itself', { facts: { orgIds: ['org_1'] } }, issues('org_1')],
    ['UI-20 several: they choose, also for the operator\'s own', { facts: { orgIds: ['org_1', 'org_2'] } }, asks(['openid', 'a'])],
    ['AZ-29 … and prompt=none', { request: none, facts: { orgIds: ['org_1', 'org_2'] } }, fails('interaction_required')],
    ['AZ-29 … of a third party', { client: third, request: none, facts: { orgIds: ['org_1', 'org_2'] } }, fails('consent_required')],
    ['UI-20 … chosen before', { client: third, facts: { orgIds: ['org_1', 'org_2'], consents: [aConsent({ orgId: 'org_2' })] } }, issues('org_2')],
    ['UI-20 … the last choice counts', { client: third, facts: { orgIds: ['org_1', 'org_2'], consents: [aConsent({ orgId: 'org_1', updatedAtMs: T0 - 1 }), aConsent({ orgId: 'org_2' })] } }, issues('org_1')],
    ['UI-20 … an organization that they left', { client: third, facts: { orgIds: ['org_1', 'org_3'], consents: [aConsent({ orgId: 'org_2' })] } }, asks(['openid', 'a'])],
    ['UI-20 … allowed before they had any', { client: third, facts: { orgIds: ['org_1', 'org_2'], consents: [aConsent()] } }, asks(['openid', 'a'])],
    ['UI-20 one, allowed before they had any', { client: third, facts: { orgIds: ['org_1'], consents: [aConsent()] } }, asks(['openid', 'a'], 'org_1')],
    ['UI-20 one, allowed for it', { client: third, facts: { orgIds: ['org_1'], consents: [aConsent({ orgId: 'org_1' })] } }, issues('org_1')],
    ['UI-20 chosen here, and left meanwhile', { facts: { orgIds: ['org_1', 'org_3'] }, progress: { consented: { orgId: 'org_2' } } }, asks(['openid', 'a'])],
    ['UI-20 chosen here', { facts: { orgIds: ['org_1', 'org_2'] }, progress: { consented: { orgId: 'org_2' } } }, issues('org_2', true)],
  ];
  test.each(rows.map((row) => [...row] as const))('%s', (_name, given, step) => {
    expect(decide(given)).toEqual(step);
  });

  test('UI-20 a consent\'s key does not depend on the order of resources', () => {
    expect([consentKey([]), consentKey(['b', 'a'])]).toEqual(['', 'a b']);
  });

  test.each([
    [false, WEB, false, true], [true, WEB, false, true], [true, 'HTTPS://app.example', false, true], [true, 'http://127.0.0.1/cb', false, false], [true, 'com.example.app:/cb', false, false], [false, 'http://127.0.0.1/cb', false, true],
    [false, WEB, true, false], [true, WEB, true, false],
  ])('AZ-42 public %p, %p, registered itself %p → proven %p', (kind, uri, selfRegistered, proven) => {
    expect(isProvenClient(aClient({ public: kind, selfRegistered }), uri)).toBe(proven);
  });
});

describe('a session', () => {
  const IDLE = defaultPeopleSettings.sessionIdleTtl * 1000;
  const rows: readonly (readonly [name: string, live: boolean, session?: Partial<BrowserSession>, user?: Parameters<typeof aUser>[0] | null, tenant?: Parameters<typeof aTenant>[0]])[] = [
    ['UI-07 alive', true],
    ['UI-07 at its absolute end', false, { expiresAtMs: T0 }],
    ['UI-07 a moment before', true, { expiresAtMs: T0 + 1 }],
    ['UI-07 idle for as long as may be', false, { lastSeenAtMs: T0 - IDLE }],
    ['UI-07 … a moment less', true, { lastSeenAtMs: T0 - IDLE + 1 }],
    ['UI-07 ended', false, { endedAtMs: T0 - 1 }],
    ['UI-04, MTN-05 of another tenant', false, { tenantId: 'ten_2' }],
    ['INT-85 its user is disabled', false, {}, { disabledAtMs: T0 - 1 }],
    ['INT-85 … deleted', false, {}, { deletedAtMs: T0 - 1 }],
    ['INT-85 … gone', false, {}, null],
    ['INT-85 … was disabled since', false, {}, { notBeforeMs: T0 - 30 * MINUTE }],
    ['INT-85 … was disabled before', true, {}, { notBeforeMs: T0 - 90 * MINUTE }],
    ['INT-85 its tenant was disabled since', false, {}, {}, { notBeforeMs: T0 - 1 }],
  ];
  test.each(rows.map(([name, live, session = {}, user = {}, tenant = {}]) => [name, live, session, user, tenant] as const))('%s → %p', (_name, live, session, user, tenant) => {
    expect(isLiveSession(aBrowserSession(session), aTenant(tenant), user === null ? null : aUser(user), T0)).toBe(live);
  });
});

describe('on the way to the account page', () => {
  const interaction = (progress: Partial<Progress> = {}, freshSinceMs: number | null = null): Interaction => ({
    digest: 'd', tenantId: 'ten_1', browserDigest: 'b', request: null, section: 'security', freshSinceMs, progress: { ...noProgress, ...progress }, createdAtMs: T0, expiresAtMs: T0 + 30 * MINUTE, finishedAtMs: null,
  });
  const somebody = (change: Partial<BrowserSession> = {}): StepFacts['signedIn'] => ({ session: aBrowserSession(change), user: aUser() });
  const rows: readonly (readonly [name: string, interaction: Interaction, signedIn: StepFacts['signedIn'], step: ReturnType<typeof decideAccountStep>])[] = [
    ['UI-17 nobody is signed in', interaction(), null, { step: 'sign_in', reason: null }],
    ['UI-17 somebody is', interaction(), somebody(), { step: 'account' }],
    ['UI-21 another than it began with', interaction({ sessionId: 'ses_0' }), somebody(), { step: 'void' }],
    ['UI-25 a fresh proof is asked for', interaction({}, T0), somebody(), { step: 'sign_in', reason: 'reauthenticate' }],
    ['UI-25 … and given', interaction({}, T0), somebody(fresh), { step: 'account' }],
    ['AZ-31 a second factor is due', interaction({ pending: { userId: 'usr_1', amr: ['pwd'], atMs: T0, due: 'second_factor', standing: { sinceMs: T0, passwordChangedAtMs: null } } }), null, { step: 'second_factor' }],
  ];
  test.each(rows.map((row) => [...row] as const))('%s', (_name, asked, signedIn, step) => {
    expect(decideAccountStep(asked, signedIn, T0 + 1000)).toEqual(step);
  });
});
