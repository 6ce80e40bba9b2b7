import { makeKeyRotation } from '../service/rotate-keys.ts';
import type { Application } from './open.ts';

/** How often tenants' keys are looked at, a few at a time, milliseconds. */
const ROTATE_EVERY_MS = 5_000;
/** How often the data is asked which master key seals, milliseconds: an answer from memory. */
const LOOK_EVERY_MS = 500;
/** Trouble is told so often, milliseconds. */
const REPORT_EVERY_MS = 60_000;

/** What a running server does about keys, until stopped: rotates them by age (JK-04), and follows a change of the master key (JK-08). */
export type KeyDuties = { stop(): Promise<void> };

/** @param steadyMs time that does not follow the clock's jumps (JK-10) */
export function startKeyDuties({ ctx, clock, masterKeys }: Application, steadyMs: () => number): KeyDuties {
  // A clock that stepped back is known to be wrong.
  const rotation = makeKeyRotation(ctx, () => clock.behindMs() === 0);
  const reported = new Map<string, number>();
  let rotating: Promise<void> | null = null;
  let looking: Promise<void> | null = null;

  function report(what: string, fields: Readonly<Record<string, string>>): void {
    const nowMs = clock.monotonic();
    if (nowMs - (reported.get(what) ?? Number.NEGATIVE_INFINITY) < REPORT_EVERY_MS) return;
    reported.set(what, nowMs);
    ctx.log.error(what, fields);
  }

  async function rotate(): Promise<void> {
    try {
      const tenant = await rotation.turn(steadyMs());
      if (tenant !== null) ctx.log.info('keys rotated on schedule', { tenant: tenant.slug });
    } catch (error) {
      report('keys could not be rotated', { kind: error instanceof Error ? error.name : 'unknown' });
    }
  }

  async function look(): Promise<void> {
    const fix = 'this server goes on with the former key, and cannot once it is gone: see that its own source gives the new key, too, then start it again';
    try {
      if (!(await masterKeys.look())) report('the master key is being replaced, and the new one is not here', { source: masterKeys.source.kind, fix });
    } catch (error) {
      report('the master key cannot be read again', { source: masterKeys.source.kind, kind: error instanceof Error ? error.name : 'unknown', fix });
    }
  }

  const timers = [
    setInterval(() => {
      rotating ??= rotate().finally(() => {
        rotating = null;
      });
    }, ROTATE_EVERY_MS),
    setInterval(() => {
      looking ??= look().finally(() => {
        looking = null;
      });
    }, LOOK_EVERY_MS),
  ];

  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await rotating;
      await looking;
    },
  };
}
