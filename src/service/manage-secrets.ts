import { liveSecrets } from '../core/client-auth.ts';
import { findSecretFault, isChosenSecret } from '../core/identifiers.ts';
import type { Client, ClientSecret } from '../core/model.ts';
import { isLifetime, MAX_LIFETIME_S } from '../core/tenant-settings.ts';
import { digestOf, sameDigest } from '../tokens/digest.ts';
import type { Context } from './context.ts';
import { done, refused, type Managed } from './manage-outcome.ts';

const SECRET_BYTES = 32;
const ID_BYTES = 12;

/** What an operator wants of a secret. */
export type SecretWish = {
  /** Brought along from elsewhere; null: generated. */
  readonly supplied: string | null;
  /** Seconds until it expires; null: never. */
  readonly ttl: number | null;
};

/** A secret in the clear, to be shown once, and its row, which holds only a digest. */
export type NewSecret = { readonly text: string; readonly generated: boolean; readonly row: ClientSecret };

/** Whether a text is one of the secrets that a client can use now. */
export async function knowsSecret(ctx: Pick<Context, 'clock' | 'passwords'>, client: Client, text: string): Promise<boolean> {
  const digest = digestOf(text);
  for (const secret of liveSecrets(client, ctx.clock.now())) {
    if (secret.kind === 'sha256' ? sameDigest(secret.digest, digest) : await ctx.passwords.verify(text, secret.digest) === true) return true;
  }
  return false;
}

/** Makes a secret, or takes a supplied one: short ones may be chosen by people and get a slow hash (CA-17, CR-04). */
export async function makeSecret(ctx: Pick<Context, 'random' | 'clock' | 'passwords'>, wish: SecretWish): Promise<Managed<NewSecret>> {
  const fault = wish.supplied === null ? null : findSecretFault(wish.supplied);
  if (fault !== null) return refused('invalid_request', fault, { member: 'supplied' });
  if (wish.ttl !== null && !isLifetime(wish.ttl)) return refused('invalid_request', `a secret's lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`, { member: 'ttl' });
  const text = wish.supplied ?? `cs_${ctx.random.text(SECRET_BYTES)}`;
  const slow = wish.supplied !== null && isChosenSecret(text);
  const nowMs = ctx.clock.now();
  return done({
    text,
    generated: wish.supplied === null,
    row: {
      id: `sec_${ctx.random.text(ID_BYTES)}`,
      digest: slow ? await ctx.passwords.hash(text) : digestOf(text),
      kind: slow ? 'argon2id' : 'sha256',
      createdAtMs: nowMs,
      expiresAtMs: wish.ttl === null ? null : nowMs + wish.ttl * 1000,
    },
  });
}
