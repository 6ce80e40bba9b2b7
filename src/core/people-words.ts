/** Words that services say to people through pages and mails. Each has a message in every language. */

/** What went wrong in the form that is shown again; a key of the messages `problem.*`. */
export type Problem =
  | 'wrong_credentials' | 'wrong_code' | 'code_expired' | 'too_many_attempts' | 'busy'
  | 'password_short' | 'password_long' | 'password_common' | 'password_mismatch' | 'password_same' | 'wrong_password'
  | 'email_invalid' | 'email_unchanged' | 'name_invalid' | 'passkey_failed' | 'passkey_cancelled' | 'choose_one' | 'last_way' | 'name_mismatch';

/** What a mail is about; each has a subject and a text in every language, `mail.*` in the messages. */
export type MailContent =
  | { readonly kind: 'sign_in_code'; readonly code: string; readonly link: string; readonly minutes: number; readonly client: string | null }
  | { readonly kind: 'register_code'; readonly code: string; readonly minutes: number }
  | { readonly kind: 'register_exists'; readonly link: string }
  | { readonly kind: 'verify_email'; readonly code: string; readonly minutes: number }
  | { readonly kind: 'reset_code'; readonly code: string; readonly link: string; readonly minutes: number }
  | { readonly kind: 'invitation'; readonly link: string; readonly organization: string; readonly days: number }
  | { readonly kind: 'notice'; readonly notice: MailNotice; readonly link: string; readonly device: string | null; readonly ip: string | null };

/** Something sensitive changed; the person hears of it. */
export type MailNotice =
  | 'password_changed' | 'password_reset' | 'password_removed' | 'passkey_added' | 'passkey_removed' | 'totp_added' | 'totp_removed' | 'recovery_codes_made' | 'recovery_code_used'
  | 'email_changed' | 'account_deleted';

/** Composes a mail in a language and a tenant's own wording; given to services, which know no pages. */
export type ComposeMail = (
  content: MailContent,
  to: { readonly locale: string | null; readonly brandName: string; readonly messages: Readonly<Record<string, Readonly<Record<string, string>>>> },
) => { readonly subject: string; readonly text: string };
