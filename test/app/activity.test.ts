import { describe, expect, test } from 'bun:test';
import { startActivity } from '../../src/app/activity.ts';
import { makeMeters } from '../../src/metrics/meters.ts';
import { StoreError } from '../../src/core/store.ts';
import type { ActivityMinute } from '../../src/core/operations-store.ts';
import type { Clock } from '../../src/core/ports.ts';
import { silentLog } from '../service/rig.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_795_000_020_000;
/** The minute that the clock starts in. */
const FIRST_MS = Math.floor(START_MS / MINUTE_MS) * MINUTE_MS;

type Stage = { readonly meters: ReturnType<typeof makeMeters>; readonly keeper: ReturnType<typeof startActivity>; readonly written: ActivityMinute[]; readonly advance: (ms: number) => void; fail: boolean };

function openStage(): Stage {
  const meters = makeMeters();
  const written: ActivityMinute[] = [];
  let nowMs = START_MS;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs - START_MS };
  const stage = { fail: false };
  const store = {
    addActivity: async (minutes: readonly ActivityMinute[]): Promise<void> => {
      if (stage.fail) throw new StoreError('busy', null);
      written.push(...minutes);
    },
  };
  const keeper = startActivity(store, clock, silentLog, meters.totals);
  return Object.assign(stage, { meters, keeper, written, advance: (ms: number) => void (nowMs += ms) });
}

describe('activity, minute by minute', () => {
  test('a minute that is over is written once, with what grew in it; one in which nothing happened is not', async () => {
    const { meters, keeper, written, advance } = openStage();
    meters.metrics.introspected('active');
    meters.metrics.introspected('expired');
    await keeper.look();
    expect(written).toEqual([]);
    expect(keeper.unwritten()).toEqual([{ minuteMs: FIRST_MS, counts: { introspections: 2, active: 1, inactive: 1 } }]);
    advance(MINUTE_MS);
    await keeper.look();
    await keeper.look();
    expect(written).toEqual([{ minuteMs: FIRST_MS, counts: { introspections: 2, active: 1, inactive: 1 } }]);
    advance(MINUTE_MS);
    await keeper.look();
    expect(keeper.unwritten()).toEqual([]);
    meters.metrics.introspected('active');
    await keeper.stop();
    expect(written.slice(1)).toEqual([{ minuteMs: FIRST_MS + 2 * MINUTE_MS, counts: { introspections: 1, active: 1 } }]);
  });

  test('what the storage does not take waits, and is written once it does', async () => {
    const stage = openStage();
    const { meters, keeper, written, advance } = stage;
    stage.fail = true;
    meters.metrics.revoked('revoked');
    advance(MINUTE_MS);
    await keeper.look();
    meters.metrics.revoked('revoked');
    expect(keeper.unwritten().map(({ counts }) => counts)).toEqual([{ revocations: 1 }, { revocations: 1 }]);
    stage.fail = false;
    advance(MINUTE_MS);
    await keeper.look();
    expect(written).toEqual([{ minuteMs: FIRST_MS, counts: { revocations: 1 } }, { minuteMs: FIRST_MS + MINUTE_MS, counts: { revocations: 1 } }]);
    await keeper.stop();
    expect(written.length).toBe(2);
  });

  test('however long the storage takes nothing, an hour is kept at most', async () => {
    const stage = openStage();
    const { meters, keeper, advance } = stage;
    stage.fail = true;
    for (let minute = 0; minute < 100; minute += 1) {
      meters.metrics.revoked('revoked');
      advance(MINUTE_MS);
      await keeper.look();
    }
    expect(keeper.unwritten().length).toBe(60);
    await keeper.stop();
  });
});
