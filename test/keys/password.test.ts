import { afterEach, describe, expect, spyOn, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { makePasswordHasher, makePeoplePasswords } from '../../src/keys/password.ts';

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
    const hasher = makePasswordHasher(4);
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
    const hasher = makePasswordHasher(4);
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

  test('RL-05 one core stays free for answers, and four hashes at once are the most', async () => {
    const held = holdVerification();
    restore.push(held.restore);
    const hasher = makePasswordHasher();
    for (let count = 0; count < 8; count += 1) void hasher.verify('x', 'y');
    await settle();
    expect(held.started()).toBe(Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1)));
  });

  // Pins what src/keys/password.ts knows of Bun: how its pool's threads are called, and that their priority can be set.
  test.skipIf(process.platform !== 'linux')('RL-05 the threads that hash come after the one that answers', async () => {
    const hasher = makePasswordHasher();
    await hasher.verify('x', await hasher.hash('x'));
    const threads = readdirSync('/proc/self/task').map((id) => {
      const [, name = '', rest = ''] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) ?? [];
      return { id: Number(id), name, niceness: Number(rest.split(' ')[16]) };
    });
    const main = threads.find(({ id }) => id === process.pid)?.niceness ?? Number.NaN;
    const pool = threads.filter(({ name }) => name.startsWith('Bun Pool')).map(({ niceness }) => niceness);
    expect(pool).toContain(5);
    expect(main).toBeLessThan(5);
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

describe('passwords of people', () => {
  const pepper = Buffer.alloc(32, 7);
  const other = Buffer.alloc(32, 8);
  const hasher = makePasswordHasher();
  const plain = makePeoplePasswords(hasher, null);
  const peppered = makePeoplePasswords(hasher, pepper);

  test('CR-03 with a pepper the digest is marked and verifies under it alone; those without the mark go on verifying', async () => {
    const [without, made] = [await plain.hash('correct horse') ?? '', await peppered.hash('correct horse') ?? ''];
    expect(without).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(made).toStartWith('p1.$argon2id$v=19$m=19456,t=2,p=1$');
    expect(await hasher.verify('correct horse', made.slice(3))).toBe(false);
    expect(await peppered.verify('correct horse', made)).toBe(true);
    expect(await peppered.verify('Correct horse', made)).toBe(false);
    expect(await peppered.verify('correct horse', without)).toBe(true);
    expect(await makePeoplePasswords(hasher, other).verify('correct horse', made)).toBe(false);
    expect(await plain.verify('correct horse', made)).toBe(false);
    expect([plain.lacksPepper(made), plain.lacksPepper(without), peppered.lacksPepper(made)]).toEqual([true, false, false]);
  });

  test('CR-01, CR-03 outdated: other parameters, or no pepper where there is one', async () => {
    const weak = await Bun.password.hash('x', { algorithm: 'argon2id', memoryCost: 8192, timeCost: 1 });
    const [without, made] = [await plain.hash('x') ?? '', await peppered.hash('x') ?? ''];
    expect([weak, without, made].map((digest) => plain.isOutdated(digest))).toEqual([true, false, true]);
    expect([weak, without, made, `p1.${weak}`].map((digest) => peppered.isOutdated(digest))).toEqual([true, true, false, true]);
  });

  test('UI-12 without a digest, and of an empty password, a hash is computed all the same and is wrong', async () => {
    for (const passwords of [plain, peppered]) {
      const digest = await passwords.hash('x') ?? '';
      const spy = spyOn(Bun.password, 'verify');
      expect([await passwords.verify('x', null), await passwords.verify('', digest), await passwords.verify('nobody has this password', null)]).toEqual([false, false, false]);
      expect(spy).toHaveBeenCalledTimes(3);
      expect(spy.mock.calls[0]?.[1]).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
      spy.mockRestore();
    }
  });

  test('RL-05 a full queue verifies nothing for people; client secrets and new passwords have queues of their own, and take turns with it', async () => {
    const held = holdVerification();
    const made: string[] = [];
    const spy = spyOn(Bun.password, 'hash').mockImplementation((secret) => {
      made.push(typeof secret === 'string' ? secret : '');
      return Promise.resolve('digest');
    });
    const clients = makePasswordHasher(4);
    const people = makePeoplePasswords(clients, null);
    const answers = Array.from({ length: 68 }, () => people.verify('x', 'y'));
    await settle();
    expect([people.full(), await people.verify('x', 'y'), clients.full()]).toEqual([true, null, false]);
    const client = clients.verify('secret', 'digest');
    const fresh = Array.from({ length: 17 }, (_, number) => people.hash(`new ${number}`));
    await settle();
    expect(await fresh[16]).toBeNull();
    expect([held.started(), made.length]).toEqual([4, 0]);
    // Of the next three places one goes to each, however long the others' queues are.
    for (let index = 0; index < 3; index += 1) {
      held.gates[index]?.resolve(true);
      await settle();
    }
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(held.started()).toBeGreaterThanOrEqual(6);
    held.gates[5]?.resolve(true);
    held.gates[4]?.resolve(true);
    expect(await client).toBe(true);
    for (let index = 0; index < 69; index += 1) {
      held.gates[index]?.resolve(true);
      await settle();
    }
    await Promise.all([...answers, ...fresh]);
    expect(people.full()).toBe(false);
    spy.mockRestore();
    held.restore();
  });

  test('RL-05 one new password is made at a time, and the others wait', async () => {
    const gates: (() => void)[] = [];
    const spy = spyOn(Bun.password, 'hash').mockImplementation(() => new Promise((resolve) => {
      gates.push(() => resolve('digest'));
    }));
    const people = makePeoplePasswords(makePasswordHasher(4), null);
    const made = Array.from({ length: 3 }, () => people.hash('x'));
    for (let number = 1; number <= 3; number += 1) {
      await settle();
      expect(gates.length).toBe(number);
      gates[number - 1]?.();
    }
    expect(await Promise.all(made)).toEqual(['digest', 'digest', 'digest']);
    spy.mockRestore();
  });
});
