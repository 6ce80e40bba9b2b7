import { usernameKey } from '../../core/identifiers.ts';
import { importedKinds, isUnreadable, refusalOf, type Imported, type ImportedMembership, type ImportedThing } from '../../core/imported.ts';
import type { Tenant } from '../../core/model.ts';
import type { Context } from '../context.ts';
import { done, operatorEvent, refused, type Managed } from '../manage-outcome.ts';
import { makeRehearsal } from './rehearsal.ts';
import { importOutcomes, makeTally, type ImportReport, type Tally } from './tally.ts';
import { importThing } from './things.ts';

/** What is to be imported, and how. */
export type ImportWish = {
  /** The name of the product that it comes from, for the audit trail. */
  readonly product: string;
  readonly things: Imported;
  /** False: only says what would be done. */
  readonly apply: boolean;
  /** Changes what is there already, too; else it is left as it is. */
  readonly update: boolean;
  /** Told how many things were looked at so far. */
  readonly told?: (things: number) => void;
};

/** Things per piece: what is done of a piece is on disk before the next one begins. */
const PIECE = 250;

/** What two things of a file share if they are the same. */
function keyOf(thing: ImportedThing): string {
  switch (thing.kind) {
    case 'role':
      return thing.name;
    case 'organization':
    case 'client':
      return thing.id;
    case 'user':
      return thing.id ?? thing.username.toLowerCase();
    case 'membership':
      return thing.user;
    case 'tenant':
    case 'keys':
      return '';
  }
}

/** Things in groups without two of the same: they are done at once, and a second one finds the first. */
function inWaves(things: readonly ImportedThing[]): readonly (readonly ImportedThing[])[] {
  const waves: ImportedThing[][] = [];
  const seen = new Map<string, number>();
  for (const thing of things) {
    const at = seen.get(keyOf(thing)) ?? 0;
    seen.set(keyOf(thing), at + 1);
    (waves[at] ??= []).push(thing);
  }
  return waves;
}

/** `users`: who those of the file are here, by their names and, where they got another, their ids. */
type Run = { readonly ctx: Context; readonly tenant: Tenant; readonly update: boolean; readonly tally: Tally; readonly users: Map<string, string> };

/**
 * Who a membership is of. By a name only somebody of this file, who was taken: a namesake who was here before must not get
 * what is another's. null: nobody.
 */
function ownerOf({ users }: Run, { by, user }: ImportedMembership): string | null {
  return by === 'id' ? users.get(`id ${user}`) ?? user : users.get(`name ${usernameKey(user)}`) ?? null;
}

async function doOne(run: Run, thing: ImportedThing): Promise<void> {
  const { ctx, tenant, update, tally, users } = run;
  const owner = thing.kind === 'membership' ? ownerOf(run, thing) : '';
  if (owner === null) {
    tally.remark(refusalOf('membership', nameOf(thing), 'it names a user whom this file does not have, or who was refused; export users and organizations into the same file'));
    return;
  }
  const { outcomes, remarks, userId } = await importThing(ctx, tenant, thing, owner, update);
  for (const outcome of outcomes) tally.count(thing.kind, outcome);
  for (const remark of remarks) tally.remark(remark);
  if (thing.kind !== 'user' || userId === undefined) return;
  users.set(`name ${usernameKey(thing.username)}`, userId);
  if (thing.id !== null && thing.id !== userId) users.set(`id ${thing.id}`, userId);
}

function nameOf(thing: ImportedThing): string {
  return thing.kind === 'membership' ? `user ${thing.user} in ${thing.orgId}` : thing.kind;
}

async function doPiece(run: Run, piece: readonly ImportedThing[]): Promise<void> {
  for (const kind of importedKinds) {
    for (const wave of inWaves(piece.filter((thing) => thing.kind === kind))) await Promise.all(wave.map((thing) => doOne(run, thing)));
  }
}

async function doAll(run: Run, wish: ImportWish): Promise<void> {
  let piece: ImportedThing[] = [];
  let looked = 0;
  const flush = async (): Promise<void> => {
    await doPiece(run, piece);
    looked += piece.length;
    piece = [];
    wish.told?.(looked);
  };
  for await (const thing of wish.things) {
    if (thing.kind === 'remark') run.tally.remark(thing);
    else piece.push(thing);
    if (piece.length >= PIECE) await flush();
  }
  await flush();
}

/**
 * Imports what another server exported, or says what an import would do: by the very same acts, on a store that writes
 * nothing. It is done in pieces, each of them durable, and a user in one transaction with their password; done again it goes
 * on where it was cut short, as what is there is left alone. @throws StoreError
 */
export async function importThings(ctx: Context, tenant: Tenant, wish: ImportWish): Promise<Managed<ImportReport>> {
  const tally = makeTally();
  const run: Run = { ctx: wish.apply ? ctx : { ...ctx, store: makeRehearsal(ctx.store) }, tenant, update: wish.update, tally, users: new Map() };
  let complete = false;
  try {
    await doAll(run, wish);
    complete = true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const before = tally.total('created') + tally.total('changed');
    return refused('invalid_request', !wish.apply || before === 0 ? error.message : `${error.message}; ${before} things that stood before it are imported`);
  } finally {
    if (wish.apply) {
      const counts = importOutcomes.map((outcome) => `${outcome}_${tally.total(outcome)}`).join(' ');
      await ctx.store.recordAudit([operatorEvent(ctx, 'import_finished', {
        tenant: tenant.slug, reason: `${wish.product} ${counts}`, outcome: complete ? 'success' : 'failure', count: Math.max(1, tally.total('created')),
      })]);
    }
  }
  return done(tally.report());
}
