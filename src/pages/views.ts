/**
 * What each page for people is told: plain facts, already decided. Pages turn them into HTML and nothing else; they
 * read no store, no clock and no request. URLs are paths on the same host unless a comment says otherwise.
 */
import type { MailContent, MailNotice, Problem } from '../core/people-words.ts';

export type { MailContent, MailNotice, Problem };

/** Languages with a message file. */
export const locales = ['en', 'de', 'es', 'fr', 'ja'] as const;
export type Locale = (typeof locales)[number];

/** A tenant's looks and words. */
export type Brand = {
  readonly name: string;
  /** `#rrggbb`; null: the house's own. Pages see to readable contrast whatever it is. */
  readonly color: string | null;
  /** Path of the stored logo; null: none. */
  readonly logo: string | null;
};

/** What every page has around it. */
export type Chrome = {
  readonly brand: Brand;
  readonly locale: Locale;
  /** The tenant's own wording, by message key; goes over the language's. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Where people's pages of this tenant begin: empty, `/t/acme` or `/orgs/acme`. */
  readonly base: string;
  /** Milliseconds; for "5 minutes ago". */
  readonly nowMs: number;
};

/** A form that changes something: where it goes and what proves that it is ours. */
export type FormTarget = { readonly action: string; readonly csrf: string };

/** Whom an application's pages speak of. */
export type ClientView = {
  readonly name: string;
  /** Host of its redirect address, `app.example.com`; for a native application its scheme. */
  readonly host: string;
  /** Not vouched for by an operator: it registered itself. */
  readonly unverified: boolean;
};

/** The part that every step of a sign-in shares. `POST` forms carry `csrf` and a field `step` with the form's name. */
export type StepView = FormTarget & {
  /** For whom the person signs in; null when they came to their account page. */
  readonly client: ClientView | null;
  readonly problem: Problem | null;
  /** Seconds until another attempt makes sense, beside `too_many_attempts`. */
  readonly retryAfterS: number | null;
  /** Whether "Cancel" is offered: it takes them back to the application with an error (form step `cancel`). */
  readonly cancellable: boolean;
};

/**
 * Username and password, and the other ways in. The first form is the password's where there is one.
 * Forms: `step=password` (username, password), `step=email` (username), `step=passkey` (credential, filled by script).
 */
export type SignInView = StepView & {
  /** Prefills the name; from `login_hint` or the failed attempt. */
  readonly username: string;
  readonly password: boolean;
  readonly emailCode: boolean;
  /** Request options for the browser as JSON; null: not offered. */
  readonly passkeyOptions: string | null;
  /** Why there are no passkeys here although the tenant has them: the address is an IP, or another hostname. */
  readonly passkeyNotice: 'ip_address' | 'other_host' | null;
  readonly registerHref: string | null;
  readonly forgotHref: string | null;
  /** Why they are asked although signed in: `reauthenticate` (recent proof wanted), `step_up` (a stronger one), `expired`. */
  readonly reason: 'reauthenticate' | 'step_up' | null;
  /** Where the person is known already and only proves it again: their name, not editable. */
  readonly fixedUser: string | null;
};

/** A code was sent by mail. Forms: `step=code` (code), `step=resend`. */
export type EmailCodeView = StepView & {
  readonly purpose: 'sign_in' | 'register' | 'reset' | 'verify';
  /** Where another code is asked for; null: `step=resend` sends one. */
  readonly againHref: string | null;
  /** Back to the other ways in. */
  readonly signInHref: string;
};

/** The second factor. Forms: `step=totp` (code); a link to the recovery step where there are codes. */
export type TotpView = StepView & { readonly recoveryHref: string | null };

/** Form `step=recovery` (code). */
export type RecoveryView = StepView & { readonly totpHref: string };

/** Which signed-in person it is to be. Forms: `step=continue`, `step=other`. */
export type ChooserView = StepView & { readonly name: string; readonly email: string };

export type ScopeView = {
  readonly scope: string;
  /** Known scopes have words of ours (`scope.openid` …); null: the application's or resource's own name is shown. */
  readonly key: 'openid' | 'profile' | 'email' | 'address' | 'phone' | 'offline_access' | null;
  /** Allowed before already. */
  readonly known: boolean;
};

/** Forms: `step=consent` with `decision=allow|deny`, and `org` where there is a choice; `step=other` to switch user. */
export type ConsentView = StepView & {
  readonly client: ClientView;
  readonly user: { readonly name: string; readonly email: string };
  readonly scopes: readonly ScopeView[];
  /** Resource identifiers (RFC 8707), possibly none. */
  readonly resources: readonly string[];
  /** Organizations to choose from; with one or none there is no choice. */
  readonly orgs: readonly { readonly id: string; readonly name: string; readonly chosen: boolean }[];
  /** How long it lasts without asking again, seconds; null: only this session. */
  readonly lifetimeS: number | null;
};

/** Form `step=register` (email, name, password where there are any). */
export type RegisterView = StepView & {
  readonly email: string;
  readonly name: string;
  /** Of a password; null: there are none here. */
  readonly minLength: number | null;
  readonly signInHref: string;
};

/** Form `step=forgot` (username). */
export type ForgotView = StepView & { readonly username: string; readonly signInHref: string };

/** A new password is due. Form `step=new_password` (password, again). `reason`: after a reset code, or wanted by an operator. */
export type NewPasswordView = StepView & { readonly reason: 'reset' | 'forced'; readonly username: string; readonly minLength: number };

/**
 * Somebody is invited into an organization. Forms: `step=join`; `step=sign_in`; `step=switch`, to sign in as somebody else;
 * `step=register` (name, password where there are any).
 */
export type InvitationView = FormTarget & {
  readonly organization: string;
  /** For whom it is. */
  readonly email: string;
  readonly problem: Problem | null;
  readonly retryAfterS: number | null;
  readonly due:
    | { readonly kind: 'join' | 'wrong'; readonly user: { readonly name: string; readonly email: string } }
    | { readonly kind: 'sign_in' }
    /** `minLength` of a password; null: there are none here. */
    | { readonly kind: 'register'; readonly name: string; readonly minLength: number | null };
};

/** A link from a mail was opened, which signs in or leads to a new password. Form `step=link`. */
export type MagicLinkView = FormTarget & { readonly purpose: 'sign_in' | 'reset'; readonly client: ClientView | null };

/** Forms: `step=logout`. `redirect`: whether they go back to an application afterwards. */
export type LogoutView = FormTarget & { readonly user: { readonly name: string; readonly email: string } | null; readonly client: ClientView | null };
/** @param href where to go next; absolute, registered; null: nowhere */
export type LoggedOutView = { readonly href: string | null; readonly client: ClientView | null };

/** What an error page says; keys of the messages `error.*`. */
export type ErrorReason =
  | 'unknown_client' | 'redirect_mismatch' | 'bad_request' | 'request_expired' | 'request_done' | 'other_browser' | 'signed_in_elsewhere'
  | 'forbidden' | 'not_found' | 'method_not_allowed' | 'too_many_requests' | 'unavailable' | 'server_error' | 'logout_invalid' | 'client_error';

export type ErrorView = { readonly reason: ErrorReason; readonly requestId: string; readonly href: string | null };

/** response_mode=form_post: sends itself. @param action absolute */
export type FormPostView = { readonly action: string; readonly fields: readonly (readonly [name: string, value: string])[] };

/** A device or browser in which the person is signed in. */
export type SessionView = {
  readonly id: string;
  readonly current: boolean;
  /** `Firefox on Linux`; null: unknown. */
  readonly device: string | null;
  readonly ip: string | null;
  readonly startedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly apps: readonly string[];
};

/** An application that may do something in the person's name. */
export type ApplicationView = {
  /** Client id. */
  readonly id: string;
  readonly client: ClientView;
  readonly scopes: readonly ScopeView[];
  readonly resources: readonly string[];
  readonly orgs: readonly string[];
  readonly allowedAtMs: number;
  readonly lastUsedAtMs: number | null;
};

export type PasskeyView = { readonly id: string; readonly name: string; readonly createdAtMs: number; readonly lastUsedAtMs: number | null; readonly synced: boolean };

/** Which part of the account page. */
export const accountSections = ['overview', 'security', 'sessions', 'applications', 'data'] as const;
export type AccountSection = (typeof accountSections)[number];

/** Around every part of the account page. */
export type AccountFrame = {
  readonly section: AccountSection;
  readonly user: { readonly username: string; readonly name: string | null; readonly email: string; readonly emailVerified: boolean };
  readonly csrf: string;
  /** What just happened; a key of the messages `done.*`. */
  readonly done: AccountDone | null;
  readonly problem: Problem | null;
  /** Seconds until another attempt makes sense, beside `too_many_attempts`. */
  readonly retryAfterS: number | null;
  readonly orgs: readonly { readonly name: string; readonly roles: readonly string[] }[];
};
export type AccountDone =
  | 'password_changed' | 'password_removed' | 'passkey_added' | 'passkey_removed' | 'totp_added' | 'totp_removed' | 'codes_made'
  | 'email_sent' | 'email_changed' | 'profile_changed' | 'session_ended' | 'sessions_ended' | 'application_revoked' | 'code_sent' | 'organization_joined';

/**
 * All account forms POST to `{base}/account` with `csrf` and `act`; `act` values stand with each part.
 * `overview`: `act=profile` (name), `act=email` (email), `act=verify_email`, `act=email_code` (code), `act=sign_out`.
 */
export type OverviewView = AccountFrame & { readonly section: 'overview' };

/**
 * `act=password` (current where there is one, password, again, everywhere=yes?), `act=passkey_add` (credential, name), `act=passkey_remove` (id),
 * `act=totp_begin`, `act=totp_confirm` (code), `act=totp_remove`, `act=recovery_codes`.
 */
export type SecurityView = AccountFrame & {
  readonly section: 'security';
  /** Whether the tenant has passwords at all. */
  readonly passwords: boolean;
  readonly hasPassword: boolean;
  /** They have another way in, so the password may go (`act=password_remove`). */
  readonly passwordRemovable: boolean;
  readonly passwordChangedAtMs: number | null;
  readonly minLength: number;
  readonly passkeys: readonly PasskeyView[];
  /** Creation options for the browser as JSON; null: not offered. */
  readonly passkeyOptions: string | null;
  readonly passkeyNotice: 'ip_address' | 'other_host' | null;
  readonly totp: 'off' | 'on' | { readonly enrolment: { readonly secret: string; readonly uri: string; /** Inline SVG of the QR code. */ readonly qr: string } };
  readonly recoveryCodesLeft: number;
  /** Shown once, right after they were made. */
  readonly newRecoveryCodes: readonly string[] | null;
};

/** `act=session_end` (id), `act=sessions_end`. */
export type SessionsView = AccountFrame & { readonly section: 'sessions'; readonly sessions: readonly SessionView[] };

/** `act=application_revoke` (id). */
export type ApplicationsView = AccountFrame & { readonly section: 'applications'; readonly applications: readonly ApplicationView[] };

/** A download link at `{base}/account/data.json`; `act=delete` (username typed to confirm). */
export type DataView = AccountFrame & { readonly section: 'data' };

export type AccountView = OverviewView | SecurityView | SessionsView | ApplicationsView | DataView;

/** Development mailbox: what would have been sent. */
export type MailboxView = {
  readonly mails: readonly { readonly id: string; readonly to: string; readonly subject: string; readonly atMs: number; readonly href: string }[];
  readonly open: { readonly to: string; readonly subject: string; readonly atMs: number; readonly text: string } | null;
};

/** A mail ready to be sent: plain text only, so that nothing in it can be loaded or disguised. */
export type MailText = { readonly subject: string; readonly text: string };
