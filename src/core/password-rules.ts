import { usernameKey } from './identifiers.ts';

/** Bytes of UTF-8 that a password may have (UI-14). */
export const MAX_PASSWORD_BYTES = 1024;

export type PasswordFault = 'password_short' | 'password_long' | 'password_common';

/** What a password must keep to. */
export type PasswordRules = {
  /** Characters (code points), not bytes. */
  readonly minLength: number;
  /** A password that is somebody's own name is the first that is guessed. */
  readonly username: string;
  readonly email: string;
};

/**
 * The one form in which passwords are hashed and compared: composed (NFC), and nothing else; no trimming, no case folding
 * (UI-16). Keyboards differ in how they send `é`; people do not.
 */
export function normalizePassword(text: string): string {
  return text.normalize('NFC');
}

/** Whether text could be anybody's password: the length of UTF-8, counted without encoding what is longer anyway. */
export function fitsPassword(text: string): boolean {
  if (text.length > MAX_PASSWORD_BYTES) return false;
  let bytes = 0;
  for (const character of normalizePassword(text)) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x8_00 ? 2 : point < 0x1_00_00 ? 3 : 4;
  }
  return bytes <= MAX_PASSWORD_BYTES;
}

/**
 * What is wrong with a new password; null when nothing is (UI-14, UI-15). No rules about which characters.
 * @param isCommon whether a normalised text is one of those that are tried first
 */
export function findPasswordFault(text: string, rules: PasswordRules, isCommon: (normalized: string) => boolean): PasswordFault | null {
  if (!fitsPassword(text)) return 'password_long';
  const normalized = normalizePassword(text);
  if (normalized === '' || Array.from(normalized).length < rules.minLength) return 'password_short';
  const folded = usernameKey(normalized);
  const own = [rules.username, rules.email, rules.email.split('@')[0] ?? ''].filter((name) => name !== '').map(usernameKey);
  return own.includes(folded) || isCommon(normalized) ? 'password_common' : null;
}
