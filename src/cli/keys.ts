import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { listKeys, revokeKey, rotateKeys } from '../service/manage-keys.ts';
import { withData, type Work } from './call.ts';
import type { CommandRow } from './declare.ts';
import { CommandFailure } from './failure.ts';
import { keyDocument } from './present.ts';
import { showTime, table } from './text.ts';

async function printKeys({ out }: Work, keys: readonly SigningKeyRow[]): Promise<void> {
  await out.print(table(out.styled, ['KEY', 'ALG', 'STATE', 'MADE', 'SIGNS SINCE', 'UNTIL'], keys.map((key) => [
    key.kid, key.algorithm, key.status, showTime(key.createdAtMs), showTime(key.activatedAtMs), showTime(key.retiredAtMs),
  ])));
}

async function showActive(work: Work, tenant: Tenant, keys: readonly SigningKeyRow[]): Promise<void> {
  const active = keys.find((key) => key.status === 'active');
  if (active === undefined) throw new CommandFailure('conflict', 'no key signs; try again in a moment');
  await work.out.document(keyDocument(active, tenant));
  await printKeys(work, keys);
}

/** `assay keys …` */
export const keyCommands: readonly CommandRow[] = [
  {
    name: 'list', summary: 'List a tenant\'s signing keys', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      const keys = await listKeys(work.ctx, tenant);
      await work.out.document({ items: keys.map((key) => keyDocument(key, tenant)) });
      await printKeys(work, keys);
    }),
  },
  {
    name: 'rotate', summary: 'Let the next key sign from now on, and publish another', tenant: 'default',
    notes: 'What the former key signed stays good. Rotate at most once an hour, so that resource servers know the new key in time.',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      await showActive(work, tenant, work.take(await rotateKeys(work.ctx, tenant)));
    }),
  },
  {
    name: 'revoke', summary: 'Take a key away: everything that it signed is inactive at once', args: [['<KID>', 'the key\'s id, as `assay keys list` shows it']], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      work.take(await revokeKey(work.ctx, tenant, work.arg(0)));
      await work.out.document({ ok: true });
      await work.out.print(`Revoked key ${work.arg(0)}.`);
    }),
  },
];
