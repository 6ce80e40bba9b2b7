import { readForeignPassword } from '../../core/foreign-password.ts';
import { findEmailFault, findNameFault, findUserIdFault, usernameKey } from '../../core/identifiers.ts';
import { refusalOf, remarkOn, type ImportedUser, type ImportRemark } from '../../core/imported.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { Password } from '../../core/people.ts';
import type { Context } from '../context.ts';
import { operatorEvent, type Managed } from '../manage-outcome.ts';
import { createUser, setUserEnabled, updateUser, type BesideUser } from '../manage-users.ts';
import { did, refusedBy, type Done } from './done.ts';

/** A user without what nobody can have here; their id too, if it is none. */
function fit(user: ImportedUser, about: string): { readonly user: ImportedUser; readonly remarks: readonly ImportRemark[] } {
  const id = user.id === null ? null : findUserIdFault(user.id);
  const name = user.name === null ? null : findNameFault(user.name);
  const email = user.email === '' ? null : findEmailFault(user.email);
  const password = user.password === null || readForeignPassword(user.password.digest) !== null;
  return {
    user: {
      ...user, id: id === null ? user.id : null, name: name === null ? user.name : null, password: password ? user.password : null,
      ...(email !== null && { email: '', emailVerified: false }),
    },
    remarks: [
      ...(id === null ? [] : [remarkOn(about, `its id cannot be kept (${id}); applications see a new one`)]),
      ...(name === null ? [] : [remarkOn(about, `its name is left out: ${name}`)]),
      ...(email === null ? [] : [remarkOn(about, `its address is left out: ${email}`)]),
      ...(password ? [] : [remarkOn(about, 'its password hash cannot be verified here; the password must be set anew')]),
      ...(user.id === null ? [remarkOn(about, 'the file does not tell its id; applications see a new one')] : []),
    ],
  };
}

/** What is stored of a password that came along. */
function kept(ctx: Context, tenant: Tenant, user: User, password: NonNullable<ImportedUser['password']>): { readonly password: Password } & BesideUser {
  return {
    password: { tenantId: tenant.id, userId: user.id, digest: password.digest, changedAtMs: ctx.clock.now(), mustChange: password.temporary },
    audit: [operatorEvent(ctx, 'password_set', { tenant: tenant.slug, subject: user.id, reason: password.temporary ? 'imported temporary' : 'imported' })],
  };
}

/** Whether somebody who is there is the one of the file, where only the name says so. */
function sameAddress(left: string, right: string): boolean {
  return left.normalize('NFC').toLowerCase() === right.normalize('NFC').toLowerCase();
}

function isSame(user: User, thing: ImportedUser): boolean {
  return user.username === thing.username && user.email === thing.email && user.emailVerified === thing.emailVerified && user.name === thing.name
    && Object.entries(thing.attributes).every(([name, value]) => JSON.stringify(user.attributes[name]) === JSON.stringify(value));
}

async function changeExisting(ctx: Context, tenant: Tenant, existing: User, thing: ImportedUser, about: string, remarks: readonly ImportRemark[]): Promise<Done> {
  const { username, email, emailVerified, name, attributes, password } = thing;
  const steps: (() => Promise<Managed<unknown>>)[] = [];
  if (!isSame(existing, thing)) steps.push(() => updateUser(ctx, tenant, existing.id, { username, email, emailVerified, name, attributeEdits: attributes }));
  // Who was suspended here stays so, whatever another server says.
  if (!thing.enabled && existing.disabledAtMs === null) steps.push(() => setUserEnabled(ctx, tenant, existing.id, false));
  for (const step of steps) {
    const outcome = await step();
    if (!outcome.ok) return refusedBy('user', about, outcome);
  }
  let set = false;
  if (password !== null && (await ctx.store.findPassword(tenant.id, existing.id)) === null) {
    const { notBeforeMs } = await ctx.store.findUser(tenant.id, existing.id) ?? existing;
    const { password: row, audit } = kept(ctx, tenant, existing, password);
    // Somebody who has one by now chose it themselves.
    set = await ctx.store.setPassword(row, null, { audit, outbox: [] }, undefined, { changedAtMs: null, notBeforeMs, sessionId: null });
  }
  return { ...did(steps.length > 0 || set ? 'changed' : 'left', remarks), userId: existing.id };
}

/** Creates a user with the password that came along, in one transaction, or changes one who is there. @throws StoreError */
export async function importUser(ctx: Context, tenant: Tenant, thing: ImportedUser, update: boolean): Promise<Done> {
  const about = `user ${thing.username}`;
  const { user, remarks } = fit(thing, about);
  const byId = user.id === null ? null : await ctx.store.findUser(tenant.id, user.id);
  const byName = user.id === null ? await ctx.store.findUserByName(tenant.id, usernameKey(user.username)) : null;
  if (byName !== null && !sameAddress(byName.email, user.email)) return { outcomes: [], remarks: [refusalOf('user', about, 'somebody else has this username here, with another address')] };
  const existing = byId !== null && byId.deletedAtMs === null ? byId : byName;
  if (existing !== null) return update ? changeExisting(ctx, tenant, existing, user, about, remarks) : { ...did('left'), userId: existing.id };
  const { password } = user;
  const created = await createUser(ctx, tenant, user.id, user, (made) => (password === null ? { audit: [] } : kept(ctx, tenant, made, password)));
  return created.ok ? { ...did('created', remarks), userId: created.value.id } : refusedBy('user', about, created);
}
