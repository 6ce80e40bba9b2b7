import { hash } from 'node:crypto';
import type { Random } from '../core/ports.ts';

const PREFIX = 'assay_';
const ID_BYTES = 9;
const SECRET_BYTES = 32;
const CHECKSUM = 6;
/** `assay_ID_SECRET_CHECKSUM`; parts have fixed lengths, for they may hold `_` themselves. */
const keyForm = /^(assay_[A-Za-z0-9_-]{12})_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{6}$/;

/** An API key in the clear, and what it is called: its own beginning. */
export type ApiKeyText = { readonly id: string; readonly text: string };

function checksumOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, CHECKSUM);
}

/** A new key of 256 random bits. Its form is for programs that look for leaked secrets: a prefix, and a checksum that rules mistakes out. */
export function makeApiKey(random: Random): ApiKeyText {
  const id = PREFIX + random.text(ID_BYTES);
  const body = `${id}_${random.text(SECRET_BYTES)}`;
  return { id, text: `${body}_${checksumOf(body)}` };
}

/** The id in a text that has the form of a key, its checksum included; null where it is none. */
export function apiKeyId(text: string): string | null {
  const id = keyForm.exec(text)?.[1];
  if (id === undefined) return null;
  const end = text.length - CHECKSUM - 1;
  return checksumOf(text.slice(0, end)) === text.slice(end + 1) ? id : null;
}
