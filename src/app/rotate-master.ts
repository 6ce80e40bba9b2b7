import { Database } from 'bun:sqlite';
import { chmodSync, existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyIds, writeKeyIds } from '../core/sealed.ts';
import { generateMasterKey, type MasterKey } from '../keys/seal.ts';
import { done, operatorEvent, refused, type Managed } from '../service/manage-outcome.ts';
import { resealEverything } from '../service/reseal.ts';
import { loadMasterKeys, replaceMasterKeys } from './files.ts';
import type { Application } from './open.ts';

/**
 * A change that was sealed under the former key before the change of keys was told reaches the database within so long,
 * milliseconds: longer than a change waits for others that write (storage/sqlite/open.ts).
 */
const SETTLE_MS = 6_000;
/** By then every server has asked its command for the new key: it looks twice a second, and the command has ten seconds. */
const NOTICE_MS = 12_000;
const LOCK = 'rotate-master.lock';

/** What a change of the master key came to. */
export type MasterKeyRotation = {
  readonly id: string;
  readonly formerIds: readonly string[];
  /** Things that were sealed anew by this run. */
  readonly resealed: number;
  /** This run went on with one that was cut short. */
  readonly resumed: boolean;
};

/** How to go about it; times in milliseconds, for tests. */
export type RotationOptions = {
  /** File that has the new key, or gets it; null: beside the present one. */
  readonly toFile: string | null;
  readonly settleMs?: number;
  readonly noticeMs?: number;
};

/**
 * Replaces the master key while servers run (JK-08). The new key stands above the former one until nothing is sealed under
 * the former; which of them seals is written in the data, where all servers read it. Each step leaves a state that servers
 * start and work with, and from which this can be run again:
 *   1. the source lists the new key and the former one;
 *   2. the data names the new key (where the source is a command, first as the second of two, so that every server has it
 *      before anything is sealed under it);
 *   3. everything is sealed anew, and looked through again when nobody can be about to write something older;
 *   4. the data names the new key alone; 5. the file lists it alone.
 * @throws FileTrouble, ResealError, StoreError
 */
export async function rotateMasterKey(application: Application, data: string, options: RotationOptions): Promise<Managed<MasterKeyRotation>> {
  const lock = new Database(join(data, LOCK), { create: true });
  try {
    chmodSync(join(data, LOCK), 0o600);
    lock.run('PRAGMA busy_timeout = 0');
    try {
      lock.run('BEGIN EXCLUSIVE');
    } catch {
      return refused('conflict', 'the master key is being replaced by another process; wait for it to end');
    }
    return await replaceKey(application, options);
  } finally {
    lock.close();
  }
}

function samePath(left: string, right: string): boolean {
  return left === right || (existsSync(left) && existsSync(right) && realpathSync(left) === realpathSync(right));
}

/** The keys that the work is done with, the new one first; the source lists them from here on. */
async function chooseKeys({ masterKeys: { source } }: Application, named: readonly string[], toFile: string | null): Promise<Managed<readonly MasterKey[]>> {
  const listed = await source.load();
  if (source.path === null) {
    if (toFile !== null) return refused('conflict', 'the master key does not come from a file, so there is none to put another into', { member: 'toFile' });
    return listed.length > 1 || named.length > 1 ? done(listed)
      : refused('conflict', `the ${source.kind} gives one key, and it is in use: let it give the new one first and the present one after it, and run this again`);
  }
  if (toFile !== null && samePath(toFile, source.path)) {
    return refused('invalid_request', 'this is the file that the master key is in; leave it out to replace the key there', { member: 'toFile' });
  }
  const fresh = toFile === null
    // Two keys in the file, or two in the data: the new one is there already.
    ? (listed.length > 1 || named.length > 1 || listed[0]?.id !== named[0] ? [] : [generateMasterKey()])
    : loadMasterKeys(toFile, false).keys.slice(0, 1);
  const all = [...fresh, ...listed.filter(({ id }) => fresh.every((key) => key.id !== id))];
  if (fresh.length > 0) replaceMasterKeys(source.path, all);
  return done(all);
}

async function replaceKey(application: Application, options: RotationOptions): Promise<Managed<MasterKeyRotation>> {
  const { ctx, masterKeys: { source } } = application;
  const { store } = ctx;
  const named = readKeyIds(await store.readMeta('master_key_id'));
  const resumed = named.length > 1 || (source.path !== null && (await source.load()).length > 1);
  const chosen = await chooseKeys(application, named, options.toFile);
  if (!chosen.ok) return chosen;
  const [target] = chosen.value;
  if (target === undefined) return refused('conflict', 'there is no master key');
  const byId = new Map(chosen.value.map((key) => [key.id, key]));
  const key: MasterKey = { ...target, other: (id) => byId.get(id) };
  const formerIds = [...new Set([...named, ...byId.keys()])].filter((id) => id !== key.id);

  if (named[0] !== key.id) {
    if (source.kind === 'command') {
      await store.writeMeta('master_key_id', writeKeyIds([...named, key.id]), []);
      await Bun.sleep(options.noticeMs ?? NOTICE_MS);
    }
    await store.writeMeta('master_key_id', writeKeyIds([key.id, ...named]), []);
  }
  const settled = Bun.sleep(options.settleMs ?? SETTLE_MS);
  let resealed = await resealEverything(store, key);
  await settled;
  resealed += await resealEverything(store, key);

  if (named.length !== 1 || named[0] !== key.id) {
    await store.writeMeta('master_key_id', key.id, [operatorEvent(ctx, 'master_key_rotated', { subject: key.id, reason: `was_${formerIds.join('_')}` })]);
  }
  if (source.path !== null) replaceMasterKeys(source.path, [target]);
  return done({ id: key.id, formerIds, resealed, resumed });
}
