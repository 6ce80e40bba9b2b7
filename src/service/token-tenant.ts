import { issuerOf } from '../core/issuer.ts';
import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { opaqueKind } from '../tokens/opaque.ts';
import type { Context } from './context.ts';

/** Our secrets hold 256 random bits or more, so as many characters; no id that can be searched for does. */
const secretForm = /[A-Za-z0-9_-]{43}/;
/** Longer than any id or name. */
const LONGEST_NAME = 512;

/** Whether somebody pasted a token, or another secret: then it must not become part of an address. */
export function looksLikeToken(text: string): boolean {
  return secretForm.test(text) || text.length > LONGEST_NAME;
}

/** What a JWT says of its issuer; nothing of it is proven. */
function claimedIssuer(token: string): string | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const iss: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'iss') : null;
    return typeof iss === 'string' ? iss : null;
  } catch {
    return null;
  }
}

/**
 * Whose token an operator may hold in their hands: of an opaque one the tenant that it was stored for, of a JWT the one whose
 * issuer it names. Proves nothing. null: nobody's here. @throws StoreError
 */
export async function findTokenTenant(ctx: Pick<Context, 'store' | 'tokens' | 'origin'>, token: string): Promise<Tenant | null> {
  if (opaqueKind(token) === null) {
    const issuer = claimedIssuer(token);
    return issuer === null ? null : (await ctx.store.listTenants()).find((tenant) => issuerOf(tenant, ctx.origin()) === issuer) ?? null;
  }
  const home = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  if (home === null) return null;
  const reading = await ctx.tokens.read(home, issuerOf(home, ctx.origin()), token);
  return reading.known ? ctx.store.findTenant({ id: reading.facts.tenantId }) : null;
}
