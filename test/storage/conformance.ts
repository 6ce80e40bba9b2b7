/**
 * What every storage must keep, whatever database is behind it: one table of promises, run against each backend.
 * Promises are written in the port's words (src/core/store.ts).
 */
import { afterEach, beforeEach, describe, test } from 'bun:test';
import { accessPromises } from './access-promises.ts';
import { activityPromises } from './activity-promises.ts';
import { auditPromises } from './audit-promises.ts';
import { codePromises } from './code-promises.ts';
import { credentialPromises } from './credential-promises.ts';
import { invitationPromises } from './invitation-promises.ts';
import { organizationPromises } from './organization-promises.ts';
import { ownerPromises } from './owner-promises.ts';
import { peopleListPromises } from './people-list-promises.ts';
import { peopleSweepPromises } from './people-sweep-promises.ts';
import { sealPromises } from './seal-promises.ts';
import { sessionEndPromises } from './session-end-promises.ts';
import { sessionPromises } from './session-promises.ts';
import { sweepPromises } from './sweep-promises.ts';
import { tokenPromises } from './token-promises.ts';
import { updatePromises } from './update-promises.ts';
import { webhookPromises } from './webhook-promises.ts';
import type { Store } from '../../src/core/store.ts';

/** A promise's name (requirement ids first) and how to see that it is kept by an empty store. */
export type StorePromise = readonly [name: string, keeps: (store: Store) => Promise<void>];

/**
 * Runs the suite.
 * @param name of the backend
 * @param openStore gives an empty store; the suite closes it
 */
export function storeConformance(name: string, openStore: () => Store | Promise<Store>): void {
  describe(`${name} keeps the storage contract`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await openStore();
    });
    afterEach(async () => {
      await store.close();
    });
    const promises = [
      ...ownerPromises, ...updatePromises, ...tokenPromises, ...sessionPromises, ...sessionEndPromises, ...codePromises, ...credentialPromises, ...organizationPromises,
      ...sealPromises, ...sweepPromises, ...peopleSweepPromises, ...auditPromises, ...accessPromises, ...webhookPromises, ...activityPromises, ...peopleListPromises, ...invitationPromises,
    ];
    for (const [promise, keeps] of promises) {
      test(promise, async () => {
        await keeps(store);
      });
    }
  });
}
