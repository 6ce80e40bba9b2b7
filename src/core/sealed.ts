/**
 * Everything that is kept sealed under the master key, by kind: what each is sealed for (its context, without which it does
 * not open), made of the ids of what it belongs to. Whoever seals something names it here; the storage's table of places
 * (storage/sqlite/sealed.ts) and with it the change of the master key then know of it (JK-08).
 */
export const sealedFor = {
  /** A private key, PEM: nobody can move it to another tenant or name (JK-07). */
  signingKey: (tenantId: string, kid: string): string => `signing-key:${tenantId}:${kid}`,
  /** The key of fingerprints and of typed codes; there is one. */
  fingerprintKey: (): string => 'fingerprint-key',
  /** Secret of an authenticator application. */
  totp: (tenantId: string, userId: string): string => `totp ${tenantId} ${userId}`,
  /** What a proof by mail keeps until it is met. */
  proof: (id: string): string => `proof ${id}`,
  /** A mail in the outbox. */
  mail: (tenantId: string, id: string): string => `mail ${tenantId} ${id}`,
  /** A secret that signs messages to a webhook. */
  webhookSecret: (webhookId: string): string => `webhook ${webhookId}`,
  /** An answer that is kept for who asks twice; it may hold a secret that is shown once. */
  reply: (caller: string, keyDigest: string): string => `reply ${caller} ${keyDigest}`,
} as const;

/** One kind of sealed thing. */
export type SealedKind = keyof typeof sealedFor;

/** How sealed text begins: the form (AES-256-GCM), then the master key's id, eight characters of base64url (CR-12). */
export const SEALED_FORM = 'v1';

/**
 * Ids of the master keys in use, as the data's `master_key_id` names them: the first seals, all of them open. Several while
 * one replaces another (JK-08).
 */
export function readKeyIds(value: string | null): readonly string[] {
  return value === null ? [] : value.split(' ').filter((id) => id !== '');
}

/** The inverse of `readKeyIds`. */
export function writeKeyIds(ids: readonly string[]): string {
  return [...new Set(ids)].join(' ');
}
