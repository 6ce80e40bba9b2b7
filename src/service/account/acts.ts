import { endOneSession, endOtherSessions, revokeAccess, signOut } from './access.ts';
import { isRecent, type AccountOutcome, type Asking, type Section } from './outcome.ts';
import { askForEmail, askToVerify, changeName, deleteAccount, enterEmailCode } from './profile.ts';
import { dropPasskey, dropPassword, dropTotp, enrolTotp, finishTotp, newRecoveryCodes, setPassword, takePasskey } from './security.ts';

/** One act: where its form is, and whether who sends it must have proven themselves within the last minutes (UI-25). */
export type AccountAct = { readonly section: Section; readonly recent: boolean; readonly run: (asking: Asking) => Promise<AccountOutcome> };

/** Acts by the name that their form carries as `act`. */
export const accountActs: ReadonlyMap<string, AccountAct> = new Map<string, AccountAct>([
  ['profile', { section: 'overview', recent: false, run: changeName }],
  ['email', { section: 'overview', recent: true, run: askForEmail }],
  // What it is about was asked for with a recent proof, and the code is another.
  ['email_code', { section: 'overview', recent: false, run: enterEmailCode }],
  ['verify_email', { section: 'overview', recent: false, run: askToVerify }],
  ['sign_out', { section: 'overview', recent: false, run: signOut }],
  ['password', { section: 'security', recent: true, run: setPassword }],
  ['password_remove', { section: 'security', recent: true, run: dropPassword }],
  ['passkey_add', { section: 'security', recent: true, run: takePasskey }],
  ['passkey_remove', { section: 'security', recent: true, run: dropPasskey }],
  ['totp_begin', { section: 'security', recent: true, run: enrolTotp }],
  ['totp_confirm', { section: 'security', recent: true, run: finishTotp }],
  ['totp_remove', { section: 'security', recent: true, run: dropTotp }],
  ['recovery_codes', { section: 'security', recent: true, run: newRecoveryCodes }],
  // Taking access away needs no more than having it: who lost a device is in a hurry.
  ['session_end', { section: 'sessions', recent: false, run: endOneSession }],
  ['sessions_end', { section: 'sessions', recent: false, run: endOtherSessions }],
  ['application_revoke', { section: 'applications', recent: false, run: revokeAccess }],
  ['delete', { section: 'data', recent: true, run: deleteAccount }],
]);

/** Does what a form asks for. @throws StoreError, UnsealError */
export async function actOnAccount(asking: Asking, act: AccountAct): Promise<AccountOutcome> {
  if (act.recent && !isRecent(asking.signedIn.session, asking.ctx.clock.now())) return { kind: 'prove' };
  return act.run(asking);
}
