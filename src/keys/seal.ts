import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { SEALED_FORM } from '../core/sealed.ts';

/** A 256-bit key that seals secrets at rest (JK-07, CR-06). It never leaves the process and is never in the database. */
export type MasterKey = {
  readonly bytes: Buffer;
  /** Short name of the key, kept with what it sealed, so that a wrong key is told apart from damage. */
  readonly id: string;
  /** Finds another key that sealed and is known still, while this one replaces it or is replaced by it (JK-08). */
  readonly other?: (id: string) => MasterKey | undefined;
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Thrown when something cannot be unsealed: a wrong master key, or a blob that was changed. Holds no secret. */
export class UnsealError extends Error {
  readonly kind: 'wrong_key' | 'damaged';
  constructor(kind: 'wrong_key' | 'damaged') {
    super(kind === 'wrong_key'
      ? 'this data was sealed under another master key: start with the master.key that belongs to it (ASSAY_MASTER_KEY_FILE, or where else it comes from)'
      : 'sealed data is damaged');
    this.name = 'UnsealError';
    this.kind = kind;
  }
}

/** Wraps 32 bytes as a master key. @throws RangeError on any other length */
export function masterKey(bytes: Buffer): MasterKey {
  if (bytes.length !== 32) throw new RangeError('a master key is 32 bytes');
  return { bytes, id: createHash('sha256').update('assay master key id').update(bytes).digest('base64url').slice(0, 8) };
}

/** 32 fresh random bytes. */
export function generateMasterKey(): MasterKey {
  return masterKey(randomBytes(32));
}

/**
 * Seals text with AES-256-GCM under a fresh nonce.
 * @param context what the text belongs to (tenant, kid …): the same must be given to unseal it
 * @returns `v1.<key id>.<base64url of nonce, ciphertext, tag>`
 */
export function seal(key: Pick<MasterKey, 'bytes' | 'id'>, context: string, plaintext: string): string {
  const { id, bytes } = key;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${SEALED_FORM}.${id}.${sealed.toString('base64url')}`;
}

/** Opens what `seal` made, whichever of the known keys sealed it. @throws UnsealError */
export function unseal(key: MasterKey, context: string, sealed: string): string {
  const [version, keyId, body] = sealed.split('.');
  if (version !== SEALED_FORM || keyId === undefined || body === undefined) throw new UnsealError('damaged');
  const opener = keyId === key.id ? key : key.other?.(keyId);
  if (opener === undefined) throw new UnsealError('wrong_key');
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new UnsealError('damaged');
  try {
    const decipher = createDecipheriv('aes-256-gcm', opener.bytes, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new UnsealError('damaged');
  }
}

/** The id of the master key that sealed a text; null: it is not sealed. */
export function sealerOf(sealed: string): string | null {
  const [version, keyId, body] = sealed.split('.');
  return version === SEALED_FORM && keyId !== undefined && body !== undefined ? keyId : null;
}
