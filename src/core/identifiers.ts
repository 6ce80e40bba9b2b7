/** Ids, names and secrets that operators choose: what is allowed, and how names compare. */

const MAX_NAME = 256;
const MAX_SUBJECT = 255;
const MAX_EMAIL = 254;
const visibleAscii = /^[\x21-\x7E]+$/;
/** Marks that reorder or hide text, the byte order mark, and separators that break lines (TX-04). */
const deceiving = /[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/u;

/** Whether text is an id by form: visible ASCII, no space, at most 256 characters. */
export function isIdentifier(text: string): boolean {
  return text.length <= MAX_NAME && visibleAscii.test(text);
}

/** What is wrong with a client id that an operator chose; null when nothing is (wire contract §6). */
export function findClientIdFault(id: string): string | null {
  if (!isIdentifier(id)) return 'a client id is 1 to 256 visible ASCII characters without spaces';
  const prefix = ['usr_', 'org_', 'https://'].find((taken) => id.toLowerCase().startsWith(taken));
  return prefix === undefined ? null : `a client id must not begin with ${prefix}: that is how other things are told apart from clients`;
}

/** What is wrong with a user id that an operator chose; null when nothing is (INT-115; OpenID Connect Core §2 on `sub`). */
export function findUserIdFault(id: string): string | null {
  if (id.length > MAX_SUBJECT || !visibleAscii.test(id)) return 'a user id is 1 to 255 visible ASCII characters without spaces';
  return id.toLowerCase().startsWith('cli_') ? 'a user id must not begin with cli_: that is how clients are told apart from people' : null;
}

/** What is wrong with a name for people (client, tenant, user); null when nothing is (TX-04). */
export function findNameFault(name: string): string | null {
  if (!name.isWellFormed() || deceiving.test(name)) return 'it holds control or direction characters';
  if (name.trim() !== name || name === '') return 'it is empty, or begins or ends with a space';
  return name.length > MAX_NAME ? `it is longer than ${MAX_NAME} characters` : null;
}

/** What is wrong with an e-mail address; null when nothing is. Only its mailbox can say whether it is right. */
export function findEmailFault(email: string): string | null {
  return email.length <= MAX_EMAIL && email.isWellFormed() && !deceiving.test(email) && /^[^\s@]+@[^\s@]+$/.test(email)
    ? null
    : 'it does not look like name@example.com';
}

/** Longest name of a role, most permissions of one, and longest of those. */
const MAX_ROLE = 64;
const MAX_PERMISSIONS = 100;
const MAX_PERMISSION = 128;
const permissionForm = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** What is wrong with a role's name; null when nothing is. */
export function findRoleNameFault(name: string): string | null {
  return name.length <= MAX_ROLE && visibleAscii.test(name) ? null : `a role's name is 1 to ${MAX_ROLE} visible ASCII characters without spaces`;
}

/** What is wrong with what a role permits; null when nothing is. Permissions are words as scopes are (RFC 6749 §3.3). */
export function findPermissionFault(permissions: readonly string[]): string | null {
  if (permissions.length > MAX_PERMISSIONS) return `a role has at most ${MAX_PERMISSIONS} permissions`;
  const wrong = permissions.find((word) => word.length > MAX_PERMISSION || !permissionForm.test(word));
  return wrong === undefined ? null : `a permission is 1 to ${MAX_PERMISSION} visible ASCII characters without spaces, " and \\, not ${JSON.stringify(wrong)}`;
}

/** How usernames compare: composed, without letter case; letters that only look alike stay different (TX-02). */
export function usernameKey(username: string): string {
  return username.normalize('NFC').toLowerCase().normalize('NFC');
}

/** Shortest and longest secret that an operator may bring along. */
const MIN_SECRET = 16;
const MAX_SECRET = 256;
/** From here on a secret is taken to be generated, and a fast hash is enough (CA-17). */
const GENERATED_SECRET = 32;

/** What is wrong with a supplied secret; null when nothing is. */
export function findSecretFault(secret: string): string | null {
  return secret.length >= MIN_SECRET && secret.length <= MAX_SECRET && visibleAscii.test(secret)
    ? null
    : `a secret is ${MIN_SECRET} to ${MAX_SECRET} visible ASCII characters without spaces`;
}

/** Whether a supplied secret may have been chosen by a person, and needs a slow hash. */
export function isChosenSecret(secret: string): boolean {
  return secret.length < GENERATED_SECRET;
}

/** A version 4 UUID (RFC 9562 §5.4). @param random 16 random bytes, base64url */
export function uuidFrom(random: string): string {
  const bytes = Array.from(atob(random.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
  const hex = bytes.map((byte, index) => {
    const value = index === 6 ? (byte & 0x0F) | 0x40 : index === 8 ? (byte & 0x3F) | 0x80 : byte;
    return value.toString(16).padStart(2, '0');
  }).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
