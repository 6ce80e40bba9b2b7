/**
 * Another process on the same database, for tests: `bun second-process.ts PATH ACT`.
 * `probe` writes once; `revoke` revokes token id `jti_1` of tenant `ten_1` and disables its client `cli_1`; `pour` writes
 * revocations `0`, `1`, … without end, in groups, and prints each number once its change was acknowledged.
 */
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { aClient, SOON_S, T0 } from './samples.ts';

const [path = '', act] = process.argv.slice(2);
const store = openSqliteStore({ path });

if (act === 'probe') await store.probe();
if (act === 'revoke') {
  await store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, () => []);
  await store.updateClient(aClient(), aClient({ disabledAtMs: T0 }), []);
}
if (act === 'pour') {
  for (let next = 0; ; next += 20) {
    const group = Array.from({ length: 20 }, async (_, offset) => {
      await store.revokeTokenId('ten_1', String(next + offset), SOON_S, T0, () => []);
      process.stdout.write(`${next + offset}\n`);
    });
    await Promise.all(group);
  }
}
await store.close();
