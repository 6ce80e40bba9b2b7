import type { Tenant, User } from '../../core/model.ts';
import type { Context } from '../context.ts';

/** How somebody can sign in, by what they have and what their tenant allows. */
export type Ways = {
  readonly password: boolean;
  /** How many. */
  readonly passkeys: number;
  /** A code to an address that was verified. */
  readonly emailCode: boolean;
};

/** @throws StoreError */
export async function waysToSignIn(ctx: Pick<Context, 'store'>, tenant: Tenant, user: User): Promise<Ways> {
  const { people } = tenant;
  return {
    password: people.passwords && await ctx.store.findPassword(tenant.id, user.id) !== null,
    passkeys: people.passkeys ? (await ctx.store.listPasskeys(tenant.id, user.id)).length : 0,
    emailCode: people.emailCodes && user.emailVerified && user.email !== '',
  };
}

/** Whether somebody would have no way in without this one: then it stays. @throws StoreError */
export async function isLastWay(ctx: Pick<Context, 'store'>, tenant: Tenant, user: User, way: 'password' | 'passkey'): Promise<boolean> {
  const ways = await waysToSignIn(ctx, tenant, user);
  const left = way === 'password' ? { ...ways, password: false } : { ...ways, passkeys: ways.passkeys - 1 };
  return !left.password && left.passkeys < 1 && !left.emailCode;
}
