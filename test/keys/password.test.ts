import { afterEach, describe, expect, spyOn, test } from 'bun:test';
import { makePasswordHasher } from '../../src/keys/password.ts';

/** Bun's verification, held until a test lets it go. */
function holdVerification() {
  const gates: PromiseWithResolvers<boolean>[] = [];
  let running = 0;
  let most = 0;
  const spy = spyOn(Bun.password, 'verify').mockImplementation(async () => {
    running += 1;
    most = Math.max(most, running);
    const gate = Promise.withResolvers<boolean>();
    gates.push(gate);
    const right = await gate.promise;
    running -= 1;
    return right;
  });
  return { gates, most: () => most, started: () => gates.length, restore: () => spy.mockRestore() };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('argon2id', () => {
  const restore: (() => void)[] = [];
  afterEach(() => {
    for (const undo of restore.splice(0)) undo();
  });

  test('CR-01, CR-02 19 MiB, two passes, one lane, and a salt of its own each', async () => {
    const hasher = makePasswordHasher();
    const [one, two] = await Promise.all([hasher.hash('correct horse'), hasher.hash('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await hasher.verify('correct horse', one)).toBe(true);
    expect(await hasher.verify('Correct horse', one)).toBe(false);
  });

  test('RL-05 four at once, sixty-four wait, the next is sent away', async () => {
    const held = holdVerification();
    restore.push(held.restore);
    const hasher = makePasswordHasher();
    const answers = Array.from({ length: 70 }, () => hasher.verify('x', 'y'));
    await settle();
    expect(held.started()).toBe(4);
    expect(await Promise.all(answers.slice(68))).toEqual([null, null]);
    for (let index = 0; index < 68; index += 1) {
      held.gates[index]?.resolve(true);
      await settle();
    }
    expect(await Promise.all(answers.slice(0, 68))).toEqual(Array.from({ length: 68 }, () => true));
    expect(held.most()).toBe(4);
    expect(await Promise.race([hasher.verify('x', 'y').then(() => 'answered'), settle().then(() => 'started')])).toBe('started');
  });

  test('RL-05 never five, also when one comes just as one ends', async () => {
    const held = holdVerification();
    restore.push(held.restore);
    const hasher = makePasswordHasher();
    for (let count = 0; count < 8; count += 1) void hasher.verify('x', 'y');
    await settle();
    for (let round = 0; round < 4; round += 1) {
      held.gates[round]?.resolve(true);
      for (let step = 0; step < 8; step += 1) {
        await Promise.resolve();
        void hasher.verify('x', 'y');
      }
    }
    await settle();
    expect(held.most()).toBe(4);
  });

  test('RL-05 one that fails leaves its place', async () => {
    const hasher = makePasswordHasher();
    const spy = spyOn(Bun.password, 'verify').mockImplementation(() => Promise.reject(new Error('broken digest')));
    restore.push(() => spy.mockRestore());
    for (let round = 0; round < 10; round += 1) expect(hasher.verify('x', 'y')).rejects.toThrow('broken digest');
    await settle();
    spy.mockRestore();
    expect(await hasher.verify('x', await hasher.hash('x'))).toBe(true);
  });
});
