import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { importJwk, isForEncryption } from '../keys/import.ts';
import { signingAlgorithms } from '../spec/names.ts';
import type { PublicJwk } from '../spec/metadata.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';

const DAY_MS = 86_400_000;
/** Longer than access tokens of any product live, unless somebody means them to; refresh tokens are not JWTs of ours to read. */
const KEEP_DAYS = 30;
const MOST_KEYS = 32;
const MOST_ISSUER = 512;

/** What became of a set of keys. */
export type KeyImport = {
  /** Keys that were added, and that were there already. */
  readonly added: readonly SigningKeyRow[];
  readonly known: readonly string[];
};

function sameMaterial(row: SigningKeyRow, jwk: PublicJwk): boolean {
  const { kty, n, e, crv, x, y } = JSON.parse(row.publicJwk) as PublicJwk;
  return kty === jwk.kty && n === jwk.n && e === jwk.e && crv === jwk.crv && x === jwk.x && y === jwk.y;
}

function findIssuerProblem(issuer: string): string | null {
  const parsed = issuer.length <= MOST_ISSUER ? URL.parse(issuer) : null;
  return parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.hash !== '' || parsed.search !== '' || /[^\x21-\x7E]/.test(issuer)
    ? 'an issuer is a URL, exactly as the claim `iss` of its tokens' : null;
}

/**
 * Imports public keys of a former issuer: access tokens that it signed are introspected and revoked like the tenant's own,
 * until they expire. They sign nothing, and are published only where the former issuer is the tenant's own by name: else
 * whoever has them could speak for the tenant to whom verifies tokens by itself. Keys for encryption in the set are passed
 * over; one key that cannot be had refuses the whole set. What is there already stays, so it can be repeated.
 * @param issuer as its tokens' `iss` @param jwks a JWK set (RFC 7517 §5), of anybody's making
 * @param options.keepDays until when its tokens may live; the keys go then
 * @throws StoreError
 */
export async function importVerificationKeys(
  ctx: Context, tenant: Tenant, issuer: string, jwks: unknown, options: { readonly keepDays?: number } = {},
): Promise<Managed<KeyImport>> {
  const wrongIssuer = findIssuerProblem(issuer);
  if (wrongIssuer !== null) return refused('invalid_request', wrongIssuer, { member: 'issuer' });
  const keys: unknown = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : null;
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) return refused('invalid_request', `a JWK set is {"keys":[…]} with at most ${MOST_KEYS} keys`, { member: 'jwks' });
  const rows = await ctx.store.listKeys(tenant.id);
  const nowMs = ctx.clock.now();
  const added: SigningKeyRow[] = [];
  const known: string[] = [];
  for (const [index, key] of keys.filter((one: unknown) => !isForEncryption(one)).entries()) {
    const imported = await importJwk(key);
    if (!imported.ok) return refused('invalid_request', `key ${index + 1} of the set ${imported.problem}`, { member: 'jwks' });
    const { jwk } = imported;
    const former = [...rows, ...added].find(({ kid }) => kid === jwk.kid);
    if (former !== undefined) {
      if (former.issuer !== issuer || !sameMaterial(former, jwk)) {
        return refused('already_exists', `the tenant has another key with the id ${JSON.stringify(jwk.kid)}`, { member: 'jwks' });
      }
      if (former.status === 'revoked') return refused('conflict', `the key ${JSON.stringify(jwk.kid)} was revoked here, and stays so`, { member: 'jwks' });
      known.push(jwk.kid);
      continue;
    }
    const algorithm = signingAlgorithms.find((name) => name === jwk.alg);
    if (algorithm === undefined) throw new Error(`no algorithm ${jwk.alg}`);
    added.push({
      tenantId: tenant.id, kid: jwk.kid, algorithm, status: 'retired', publicJwk: JSON.stringify(jwk), sealedPrivate: '',
      createdAtMs: nowMs, activatedAtMs: null, retiredAtMs: nowMs + (options.keepDays ?? KEEP_DAYS) * DAY_MS, issuer,
    });
  }
  for (const row of added) {
    const isNew = await ctx.store.addKey(row, [operatorEvent(ctx, 'key_imported', { tenant: tenant.slug, subject: row.kid, reason: issuer })]);
    if (!isNew) return refused('conflict', 'somebody else imports the same keys at the same time; try again', { member: 'jwks' });
  }
  return done({ added, known });
}
