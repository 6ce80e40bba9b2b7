import { describe, expect, test } from 'bun:test';
import { backupName, backupTime, chooseSuperfluous, manifestName, nextRunMs, parseEvery, readManifest, writeManifest, type Manifest } from '../../src/core/backup.ts';
import { firstNumberAfter, restoreMoment } from '../../src/core/restore.ts';

const atMs = Date.parse('2026-11-20T16:07:18.123Z');
const manifest: Manifest = {
  program: 'assay', version: '1.2.3', takenAtMs: atMs, file: 'a.db', bytes: 10, sha256: 'a'.repeat(64), schemaVersion: 3, masterKeyId: 'abc', rows: { users: 2 },
  lastEvent: 7, auditHeads: [{ tenant: null, number: 7, hash: 'h' }],
};

test('OP-07 a backup is called by the moment that it was taken, and by nothing else', () => {
  expect(backupName(atMs)).toBe('assay-20261120T160718.123Z.db');
  expect(backupTime(backupName(atMs))).toBe(atMs);
  for (const name of ['assay.db', 'assay-20261120T160718.123Z.db.partial', 'assay-20269920T160718.123Z.db', 'xassay-20261120T160718.123Z.db']) expect(backupTime(name)).toBeNull();
  expect(manifestName('assay-1.db')).toBe('assay-1.json');
});

test('OP-07 a manifest is read as it was written, and no other text is one', () => {
  const text = writeManifest(manifest);
  expect(readManifest(text)).toEqual(manifest);
  const value = JSON.parse(text) as Record<string, unknown>;
  for (const change of [{ sha256: 'A' }, { bytes: -1 }, { rows: [] }, { rows: { users: 'x' } }, { audit_heads: [{}] }, { program: 'other' }, { taken_at: 'x' }, { last_event: null }]) {
    expect(readManifest(JSON.stringify({ ...value, ...change }))).toBeNull();
  }
  for (const wrong of ['', '{', 'null', '[]']) expect(readManifest(wrong)).toBeNull();
});

describe('OP-07 retention', () => {
  const names = [1, 2, 3, 4].map((day) => backupName(atMs + day * 86_400_000));
  const files = names.map((name) => ({ name, complete: true }));
  test('drops the oldest', () => expect(chooseSuperfluous(files, 2)).toEqual([names[1] ?? '', names[0] ?? '']));
  test('never the newest', () => expect(chooseSuperfluous(files, 0)).not.toContain(names[3]));
  test('never what is not complete or not ours, and does not count it', () => {
    expect(chooseSuperfluous([...files.map((file, at) => ({ ...file, complete: at !== 3 })), { name: 'assay-old.db', complete: true }], 2)).toEqual([names[0] ?? '']);
  });
});

test('OP-07 runs: missed ones are not made up, failed ones are tried again soon', () => {
  expect([parseEvery('30m'), parseEvery('1h'), parseEvery('2d'), parseEvery('0s'), parseEvery('31d'), parseEvery('1'), parseEvery('1w')]).toEqual([1_800_000, 3_600_000, 172_800_000, null, null, null, null]);
  expect(nextRunMs(0, 10, 1000, 0)).toBe(1000);
  expect(nextRunMs(0, 5500, 1000, 0)).toBe(6000);
  expect(nextRunMs(0, 10, 3_600_000, 1)).toBe(10_010);
  expect(nextRunMs(0, 10, 3_600_000, 99)).toBe(640_010);
});

test('OP-07 the moment of a restore is behind everything that was seen, and so are the numbers of events', () => {
  expect(restoreMoment(100, [50, 99])).toBe(100);
  expect(restoreMoment(100, [500])).toBe(7500);
  expect(firstNumberAfter(5, 9)).toBe(10);
  expect(firstNumberAfter(9, 5)).toBe(10);
  expect(firstNumberAfter(5, null)).toBe(1_000_006);
});
