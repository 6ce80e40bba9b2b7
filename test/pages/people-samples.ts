/** Every page for people, in ordinary and in awkward states. */
import { renderAccount } from '../../src/pages/account.tsx';
import { renderEmailCode, renderRecovery, renderTotp } from '../../src/pages/codes.tsx';
import { renderConsent } from '../../src/pages/consent.tsx';
import { renderError, renderFormPost, renderLoggedOut, renderLogout, renderMagicLink } from '../../src/pages/endings.tsx';
import { renderForgot, renderNewPassword, renderRegister } from '../../src/pages/enrol.tsx';
import { renderInvitation } from '../../src/pages/invitation.tsx';
import { renderMailbox } from '../../src/pages/mailbox.tsx';
import { renderChooser, renderSignIn } from '../../src/pages/sign-in.tsx';
import type { AccountFrame, Chrome, ClientView, ConsentView, SecurityView, SignInView, StepView } from '../../src/pages/views.ts';

const nowMs = Date.UTC(2026, 10, 20, 18, 43);
const minute = 60_000;
const day = 24 * 60 * minute;

/** The surroundings of a tenant called Acme. */
export const acme: Chrome = { brand: { name: 'Acme', color: null, logo: null }, locale: 'en', overrides: {}, base: '/t/acme', nowMs };

/** Text that would do harm if a page took it for markup. */
export const nasty = '<script>alert("x")</script>\'&{name}';
/** A word that no line can hold. */
const endless = `Donaudampfschifffahrtsgesellschaft${'kapitän'.repeat(12)}`;

type Words = {
  readonly app: string; readonly host: string; readonly person: string; readonly email: string; readonly scope: string; readonly resource: string;
  readonly org: string; readonly device: string; readonly field: string; readonly subject: string;
};
const plain: Words = {
  app: 'Orders Dashboard', host: 'orders.example.com', person: 'Ada Lovelace', email: 'ada@example.com', scope: 'orders:read', resource: 'https://api.example.com/orders',
  org: 'Analytical Engines Ltd', device: 'Firefox on Linux', field: 'xyz', subject: 'Your sign-in code for Acme',
};
const fill = (word: string): Words => ({ app: word, host: word, person: word, email: word, scope: word, resource: word, org: word, device: word, field: word, subject: word });

/** A page in a state: its name and how to render it. */
export type Sample = { readonly name: string; readonly render: (chrome: Chrome) => string };

/** Every state of every page with ordinary words. */
export const samples = (): readonly Sample[] => statesOf(plain);
/** Every state with harmful words in every field. */
export const nastySamples = (): readonly Sample[] => statesOf(fill(nasty));
/** Every state with words too long for every line. */
export const endlessSamples = (): readonly Sample[] => statesOf(fill(endless));

function statesOf(words: Words): readonly Sample[] {
  const client: ClientView = { name: words.app, host: words.host, unverified: false };
  const stranger: ClientView = { ...client, unverified: true };
  const step: StepView = { action: '/t/acme/interaction/abc', csrf: `csrf-${words.field}`, client, problem: null, retryAfterS: null, cancellable: true };
  const user = { name: words.person, email: words.email };
  return [...signInStates(words, step, stranger), ...stepStates(words, step, user), ...consentStates(words, step, stranger), ...endingStates(words, step, client, user), ...accountStates(words, client)];
}

function signInStates(words: Words, step: StepView, stranger: ClientView): readonly Sample[] {
  const signIn: SignInView = {
    ...step, username: '', password: true, emailCode: true, passkeyOptions: '{"challenge":"AAAA"}', passkeyNotice: null,
    registerHref: '/t/acme/register', forgotHref: '/t/acme/forgot', reason: null, fixedUser: null,
  };
  const states: readonly (readonly [string, SignInView])[] = [
    ['sign-in', signIn],
    ['sign-in-wrong', { ...signIn, username: words.email, problem: 'wrong_credentials' }],
    ['sign-in-throttled', { ...signIn, username: words.email, problem: 'too_many_attempts', retryAfterS: 90 }],
    ['sign-in-unverified', { ...signIn, client: stranger }],
    ['sign-in-account', { ...signIn, client: null, cancellable: false, passkeyOptions: null, passkeyNotice: 'ip_address', emailCode: false }],
    ['sign-in-email', { ...signIn, password: false, passkeyOptions: null, forgotHref: null }],
    ['sign-in-passkey', { ...signIn, password: false, emailCode: false, forgotHref: null, passkeyNotice: 'other_host' }],
    ['sign-in-again', { ...signIn, reason: 'reauthenticate', fixedUser: words.email, registerHref: null }],
    ['sign-in-step-up', { ...signIn, reason: 'step_up', fixedUser: words.email, registerHref: null, password: false, emailCode: true }],
  ];
  return states.map(([name, view]) => ({ name, render: (chrome) => renderSignIn(chrome, view) }));
}

function stepStates(words: Words, step: StepView, user: { readonly name: string; readonly email: string }): readonly Sample[] {
  return [
    ...(['sign_in', 'register', 'reset', 'verify'] as const).map((purpose): Sample => ({ name: `email-code-${purpose}`, render: (chrome) => renderEmailCode(chrome, { ...step, purpose, againHref: purpose === 'sign_in' ? null : '/t/acme/again', signInHref: '/t/acme/sign-in' }) })),
    { name: 'email-code-wrong', render: (chrome) => renderEmailCode(chrome, { ...step, purpose: 'sign_in', againHref: null, signInHref: '/t/acme/sign-in', problem: 'wrong_code' }) },
    { name: 'totp', render: (chrome) => renderTotp(chrome, { ...step, recoveryHref: '/t/acme/recovery' }) },
    { name: 'recovery', render: (chrome) => renderRecovery(chrome, { ...step, totpHref: '/t/acme/totp', problem: 'wrong_code' }) },
    { name: 'chooser', render: (chrome) => renderChooser(chrome, { ...step, ...user }) },
    { name: 'register', render: (chrome) => renderRegister(chrome, { ...step, email: '', name: '', minLength: 15, signInHref: '/t/acme/sign-in' }) },
    { name: 'register-common', render: (chrome) => renderRegister(chrome, { ...step, email: words.email, name: words.person, minLength: 15, signInHref: '/t/acme/sign-in', problem: 'password_common' }) },
    { name: 'forgot', render: (chrome) => renderForgot(chrome, { ...step, username: words.email, signInHref: '/t/acme/sign-in' }) },
    { name: 'new-password', render: (chrome) => renderNewPassword(chrome, { ...step, reason: 'reset', username: words.email, minLength: 15 }) },
    { name: 'new-password-forced', render: (chrome) => renderNewPassword(chrome, { ...step, reason: 'forced', username: words.email, minLength: 15, problem: 'password_mismatch' }) },
  ];
}

function consentStates(words: Words, step: StepView, stranger: ClientView): readonly Sample[] {
  const consent: ConsentView = {
    ...step,
    client: step.client ?? stranger,
    user: { name: words.person, email: words.email },
    scopes: [{ scope: 'openid', key: 'openid', known: true }, { scope: 'profile', key: 'profile', known: false }, { scope: 'email', key: 'email', known: false }],
    resources: [], orgs: [], lifetimeS: 30 * 86_400,
  };
  const own = [words.scope, `${words.scope}.write`, `${words.scope}.delete`].map((scope) => ({ scope, key: null, known: false }));
  const many: ConsentView = {
    ...consent,
    client: stranger,
    scopes: [...consent.scopes, { scope: 'offline_access', key: 'offline_access', known: false }, ...own],
    resources: [words.resource, `${words.resource}/archive`],
    orgs: [{ id: 'org_1', name: words.org, chosen: true }, { id: 'org_2', name: `${words.org} 2`, chosen: false }],
    lifetimeS: null,
  };
  const five = [...consent.scopes, { scope: 'offline_access', key: 'offline_access', known: false }, { scope: words.scope, key: null, known: false }] as const;
  return [
    { name: 'consent-five', render: (chrome) => renderConsent(chrome, { ...consent, scopes: five }) },
    { name: 'consent', render: (chrome) => renderConsent(chrome, consent) },
    { name: 'consent-many', render: (chrome) => renderConsent(chrome, many) },
    { name: 'consent-choose', render: (chrome) => renderConsent(chrome, { ...many, scopes: [], problem: 'choose_one' }) },
  ];
}

function endingStates(words: Words, step: StepView, client: ClientView, user: { readonly name: string; readonly email: string }): readonly Sample[] {
  const mails = [1, 2].map((id) => ({ id: `m${id}`, to: words.email, subject: words.subject, atMs: nowMs - id * minute, href: `/mailbox/m${id}` }));
  const open = { to: words.email, subject: words.subject, atMs: nowMs, text: `Hello,\n\n123456\n\nhttps://id.example.com/t/acme/link?code=abc\n\n${words.field}\n` };
  const invitation = { action: step.action, csrf: step.csrf, organization: words.org, email: words.email, problem: null, retryAfterS: null };
  return [
    ...(['join', 'wrong'] as const).map((kind): Sample => ({ name: `invitation-${kind}`, render: (chrome) => renderInvitation(chrome, { ...invitation, due: { kind, user } }) })),
    { name: 'invitation-sign-in', render: (chrome) => renderInvitation(chrome, { ...invitation, due: { kind: 'sign_in' } }) },
    { name: 'invitation-register', render: (chrome) => renderInvitation(chrome, { ...invitation, due: { kind: 'register', name: '', minLength: 15 } }) },
    { name: 'invitation-register-common', render: (chrome) => renderInvitation(chrome, { ...invitation, problem: 'password_common', due: { kind: 'register', name: words.person, minLength: 15 } }) },
    { name: 'invitation-register-bare', render: (chrome) => renderInvitation(chrome, { ...invitation, due: { kind: 'register', name: '', minLength: null } }) },
    { name: 'invitation-gone', render: (chrome) => renderInvitation(chrome, null) },
    { name: 'magic-link', render: (chrome) => renderMagicLink(chrome, { action: step.action, csrf: step.csrf, purpose: 'sign_in', client }) },
    { name: 'magic-link-reset', render: (chrome) => renderMagicLink(chrome, { action: step.action, csrf: step.csrf, purpose: 'reset', client }) },
    { name: 'magic-link-elsewhere', render: (chrome) => renderMagicLink(chrome, null) },
    { name: 'logout', render: (chrome) => renderLogout(chrome, { action: step.action, csrf: step.csrf, user, client }) },
    { name: 'logout-plain', render: (chrome) => renderLogout(chrome, { action: step.action, csrf: step.csrf, user: null, client: null }) },
    { name: 'logged-out', render: (chrome) => renderLoggedOut(chrome, { href: 'https://orders.example.com/bye', client }) },
    { name: 'logged-out-plain', render: (chrome) => renderLoggedOut(chrome, { href: null, client: null }) },
    { name: 'error', render: (chrome) => renderError(chrome, { reason: 'redirect_mismatch', requestId: '0199f3c2-7a51-7e0b-9c55-2f6f0a7f1c11', href: null }) },
    { name: 'error-brand', render: (chrome) => renderError(chrome, { reason: 'unknown_client', requestId: words.field, href: '/t/acme/account' }) },
    { name: 'error-done', render: (chrome) => renderError(chrome, { reason: 'request_done', requestId: words.field, href: null }) },
    { name: 'form-post', render: (chrome) => renderFormPost(chrome, { action: 'https://orders.example.com/callback', fields: [['code', words.field], ['state', words.field]] }) },
    { name: 'mailbox', render: (chrome) => renderMailbox(chrome, { mails, open }) },
    { name: 'mailbox-empty', render: (chrome) => renderMailbox(chrome, { mails: [], open: null }) },
  ];
}

function accountStates(words: Words, client: ClientView): readonly Sample[] {
  const frame: Omit<AccountFrame, 'section'> = {
    user: { username: words.email, name: words.person, email: words.email, emailVerified: true },
    csrf: `csrf-${words.field}`, done: null, problem: null, retryAfterS: null, orgs: [{ name: words.org, roles: ['admin', words.field] }, { name: `${words.org} 2`, roles: [] }],
  };
  const security: SecurityView = {
    ...frame, section: 'security', passwords: true, passwordRemovable: true, hasPassword: true, passwordChangedAtMs: nowMs - 40 * day, minLength: 15, passkeyOptions: '{"challenge":"AAAA"}', passkeyNotice: null,
    passkeys: [
      { id: 'pk_1', name: words.device, createdAtMs: nowMs - 9 * day, lastUsedAtMs: nowMs - 5 * minute, synced: true },
      { id: 'pk_2', name: `${words.device} 2`, createdAtMs: nowMs - 400 * day, lastUsedAtMs: null, synced: false },
    ],
    totp: 'on', recoveryCodesLeft: 8, newRecoveryCodes: null,
  };
  const qr = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 5 5"><path d="M0 0h2v2H0zM3 0h2v2H3zM0 3h2v2H0zM3 3h1v1H3zM4 4h1v1H4z"/></svg>';
  const newCodes = Array.from({ length: 10 }, (_, index) => `k7f${index}-9m2q-x4t${index}`);
  const sessions = [
    { id: 's1', current: true, device: words.device, ip: '203.0.113.7', startedAtMs: nowMs - 3 * minute, lastSeenAtMs: nowMs, apps: [words.app] },
    { id: 's2', current: false, device: null, ip: '2001:db8:85a3::8a2e:370:7334', startedAtMs: nowMs - 12 * day, lastSeenAtMs: nowMs - day, apps: [words.app, `${words.app} 2`] },
  ];
  const applications = [
    { id: 'app_1', client, scopes: [{ scope: 'profile', key: 'profile', known: true }, { scope: words.scope, key: null, known: true }] as const, resources: [words.resource], orgs: [words.org], allowedAtMs: nowMs - 3 * day, lastUsedAtMs: nowMs - 2 * minute },
    { id: 'app_2', client: { ...client, unverified: true }, scopes: [], resources: [], orgs: [], allowedAtMs: nowMs - 90 * day, lastUsedAtMs: null },
  ];
  return [
    { name: 'account', render: (chrome) => renderAccount(chrome, { ...frame, section: 'overview', done: 'profile_changed' }) },
    { name: 'account-pending', render: (chrome) => renderAccount(chrome, { ...frame, section: 'overview', problem: 'wrong_code', user: { ...frame.user, name: null, emailVerified: false }, orgs: [] }) },
    { name: 'account-security', render: (chrome) => renderAccount(chrome, security) },
    { name: 'account-security-bare', render: (chrome) => renderAccount(chrome, { ...security, hasPassword: false, passwordChangedAtMs: null, passkeys: [], passkeyOptions: null, passkeyNotice: 'other_host', totp: 'off', recoveryCodesLeft: 0 }) },
    { name: 'account-security-totp', render: (chrome) => renderAccount(chrome, { ...security, problem: 'wrong_password', totp: { enrolment: { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Acme:ada?secret=JBSWY3DPEHPK3PXP', qr } } }) },
    { name: 'account-security-codes', render: (chrome) => renderAccount(chrome, { ...security, done: 'codes_made', newRecoveryCodes: newCodes, recoveryCodesLeft: 2 }) },
    { name: 'account-sessions', render: (chrome) => renderAccount(chrome, { ...frame, section: 'sessions', sessions }) },
    { name: 'account-applications', render: (chrome) => renderAccount(chrome, { ...frame, section: 'applications', applications }) },
    { name: 'account-applications-none', render: (chrome) => renderAccount(chrome, { ...frame, section: 'applications', applications: [] }) },
    { name: 'account-data', render: (chrome) => renderAccount(chrome, { ...frame, section: 'data' }) },
  ];
}
