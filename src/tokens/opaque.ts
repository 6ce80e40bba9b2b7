import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Random } from '../core/ports.ts';

/** Kinds of opaque token; the prefix tells secret scanners and our own lookup what it is (AT-09). */
const prefixes = { access: 'at_', refresh: 'rt_' } as const;
export type OpaqueKind = keyof typeof prefixes;

const RANDOM_BYTES = 32;
const bodyForm = /^[A-Za-z0-9_-]{43}$/;

/** A new opaque token of 256 random bits: `at_…` or `rt_…` (TOK-13, TRT-22). */
export function makeOpaqueToken(kind: OpaqueKind, random: Random): string {
  return prefixes[kind] + random.text(RANDOM_BYTES);
}

/** What kind of opaque token a text may be, by its form alone; null when it cannot be one of ours. */
export function opaqueKind(token: string): OpaqueKind | null {
  const kind: OpaqueKind | null = token.startsWith(prefixes.access) ? 'access' : token.startsWith(prefixes.refresh) ? 'refresh' : null;
  return kind !== null && bodyForm.test(token.slice(3)) ? kind : null;
}

const CODE_PREFIX = 'ac_';

/** A new authorization code of 256 random bits; no kind of token (INT-81). */
export function makeCode(random: Random): string {
  return CODE_PREFIX + random.text(RANDOM_BYTES);
}

/** Whether a text may be a code of ours, by its form alone. */
export function isCode(text: string): boolean {
  return text.startsWith(CODE_PREFIX) && bodyForm.test(text.slice(CODE_PREFIX.length));
}

/** The key is used for one message only, so the nonce may be fixed. */
const NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;

/** What is sealed under a secret: one text for each purpose. */
type Purpose = 'refresh successor' | 'invitation';

function keyFrom(secret: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `assay ${purpose}`, 32));
}

/** Seals a refresh token's successor under a key that only the spent token's plaintext yields (TRT-24). */
export function sealSuccessor(spent: string, successor: string): string {
  return sealUnder(spent, 'refresh successor', successor);
}

/** Opens a sealed successor. @returns null when it was not sealed for this token */
export function openSuccessor(spent: string, sealed: string): string | null {
  return openUnder(spent, 'refresh successor', sealed);
}

/** Seals a text under a key that only a secret yields. @param secret random, and used for one text of a purpose only */
export function sealUnder(secret: string, purpose: Purpose, text: string): string {
  const cipher = createCipheriv('aes-256-gcm', keyFrom(secret, purpose), NONCE);
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** Opens what `sealUnder` made. @returns null when it was not sealed under this secret, or for another purpose */
export function openUnder(secret: string, purpose: Purpose, sealed: string): string | null {
  try {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', keyFrom(secret, purpose), NONCE);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}
