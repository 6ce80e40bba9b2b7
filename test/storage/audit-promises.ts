/** Promises about the audit trail as a log: places, chains, searching, and what retention takes. */
import { createHash } from 'node:crypto';
import { expect } from 'bun:test';
import { beginChain, stepChain, type ChainFault, type ChainState } from '../../src/core/audit-chain.ts';
import type { AuditRow, AuditSearch } from '../../src/core/operations-store.ts';
import { auditTypes, type AuditEvent, type AuditType } from '../../src/core/audit-event.ts';
import type { Store } from '../../src/core/store.ts';
import type { StorePromise } from './conformance.ts';
import { anEvent, T0 } from './samples.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');
const ALL = { after: 0, limit: 10_000 };
const numbersOf = (rows: readonly AuditRow[]): readonly number[] => rows.map(({ number }) => number);

/** Walks a chain from what retention left of it. */
async function walk(store: Store, tenant: string | null): Promise<ChainState | ChainFault> {
  let state: ChainState | ChainFault = beginChain(await store.auditAnchor(tenant));
  for (const row of await store.readAudit({ tenant, ...ALL })) {
    state = stepChain(state, row, sha256);
    if (typeof state === 'string') return state;
  }
  return state;
}

/** All parts of a search. */
async function searched(store: Store, search: AuditSearch, limit = 2): Promise<readonly number[]> {
  const found: number[] = [];
  for (let after: string | null = null, parts = 0; parts < 1000; parts += 1) {
    const { items, next }: { items: readonly AuditRow[]; next: string | null } = await store.pageAudit({ after, limit }, search);
    expect(items.length).toBeLessThanOrEqual(limit);
    found.push(...numbersOf(items));
    if (next === null) return found;
    after = next;
  }
  throw new Error('it never ends');
}

const pruned = (tenant: string | null): AuditEvent => anEvent({ type: 'audit_pruned', tenant, actor: 'server', timeMs: T0 + 1000 });

export const auditPromises: readonly StorePromise[] = [
  ['LG-08 every tenant\'s events are a chain, the server\'s own too, whichever writes came between', async (store) => {
    const tenants = ['acme', 'other', null];
    const events = Array.from({ length: 30 }, (_, index) => anEvent({ tenant: tenants[(index * 7) % 3] ?? null, timeMs: T0 + index, reason: `r${index}` }));
    const numbers = [...await store.recordAudit(events.slice(0, 10)), ...(await Promise.all(events.slice(10).map((event) => store.recordAudit([event])))).flat()];
    const rows = await store.readAudit(ALL);
    expect(numbersOf(rows)).toEqual(numbers);
    expect(rows.map(({ number: _number, hash: _hash, ...event }) => event)).toEqual(events);
    expect(await store.lastAuditNumber()).toBe(numbers.at(-1) ?? 0);
    for (const tenant of tenants) {
      const own = rows.filter((row) => row.tenant === tenant);
      expect(await store.readAudit({ tenant, ...ALL })).toEqual(own);
      const end = own.at(-1);
      expect(await walk(store, tenant)).toEqual({ number: end?.number ?? 0, hash: end?.hash ?? '' });
    }
    expect(await store.listAuditChains()).toEqual([null, 'acme', 'other'].map((tenant) => {
      const own = rows.filter((row) => row.tenant === tenant);
      return { tenant, events: own.length, lastNumber: own.at(-1)?.number ?? 0, lastHash: own.at(-1)?.hash ?? null };
    }));
  }],

  ['LG-08 a chain holds whatever text an event carries, and what counts it up', async (store) => {
    const odd = ['\u0000', 'half \uD800 a pair', '\uFEFFmark', 'é e\u0301', '"],["', '', '\n\u2028'];
    const numbers = await store.recordAudit(odd.map((text) => anEvent({ actor: text, clientId: text, subject: text, ip: text, requestId: text, reason: text, grantId: text, fingerprint: text })));
    await store.countAudit([{ number: numbers[0] ?? 0, more: 5 }]);
    expect((await store.readAudit(ALL)).map(({ reason, count }) => [reason, count])).toEqual(odd.map((text, index) => [text.toWellFormed(), index === 0 ? 6 : 1]));
    expect(await walk(store, 'acme')).toMatchObject({ number: numbers.at(-1) ?? 0 });
  }],

  ['LG-08 a write that fails takes its events along, and the chain goes on without them', async (store) => {
    await store.recordAudit([anEvent()]);
    const broken = { ...anEvent(), count: Number.NaN };
    const outcomes = await Promise.allSettled([store.recordAudit([anEvent({ reason: 'a' })]), store.recordAudit([anEvent({ reason: 'lost' }), broken]), store.recordAudit([anEvent({ reason: 'b' })])]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.readAudit(ALL)).map(({ reason }) => reason)).toEqual([null, 'a', 'b']);
    expect(typeof await walk(store, 'acme')).toBe('object');
  }],

  ['the trail is read from behind a number on, of a tenant, of some types, at most so many', async (store) => {
    const [first = 0] = await store.recordAudit([
      anEvent(), anEvent({ type: 'grant_opened' }), anEvent({ tenant: 'other' }), anEvent({ tenant: null, type: 'server_started' }), anEvent({ tenant: 'other', type: 'grant_opened' }), anEvent(),
    ]);
    const cases: [Parameters<Store['readAudit']>[0], readonly number[]][] = [
      [{ after: 0, limit: 99 }, [0, 1, 2, 3, 4, 5]],
      [{ after: first + 1, limit: 2 }, [2, 3]],
      [{ after: 0, limit: 99, tenant: 'other' }, [2, 4]],
      [{ after: 0, limit: 99, tenant: null }, [3]],
      [{ after: 0, limit: 99, types: ['grant_opened', 'server_started'] }, [1, 3, 4]],
      [{ after: first + 1, limit: 1, types: ['server_started', 'grant_opened', 'grant_opened'] }, [3]],
      [{ after: 0, limit: 99, tenant: 'acme', types: ['token_revoked'] }, [0, 5]],
      [{ after: 0, limit: 99, tenant: 'acme', types: [] }, [0, 1, 5]],
      [{ after: 0, limit: 99, tenant: 'nobody' }, []],
      [{ after: first + 5, limit: 99 }, []],
    ];
    for (const [of, places] of cases) expect([of, numbersOf(await store.readAudit(of))]).toEqual([of, places.map((place) => first + place)]);
  }],

  ['types are merged in order, however many there are and however they are spread', async (store) => {
    const types = auditTypes.slice(0, 40);
    const typeAt = (index: number): AuditType => types[index % 3 === 0 ? 0 : (index * index) % 40] ?? 'token_revoked';
    await store.recordAudit(Array.from({ length: 500 }, (_, index) => anEvent({ type: typeAt(index), tenant: index % 2 === 0 ? 'acme' : 'other' })));
    const all = await store.readAudit(ALL);
    for (const tenant of [undefined, 'acme']) {
      for (const limit of [1, 3, 7, 100, 499, 1_000]) {
        const wanted = types.slice(0, 30);
        const expected = all.filter((row) => wanted.includes(row.type) && (tenant === undefined || row.tenant === tenant) && row.number > (all[10]?.number ?? 0)).slice(0, limit);
        const of = { types: wanted, after: all[10]?.number ?? 0, limit, ...(tenant !== undefined && { tenant }) };
        expect(await store.readAudit(of)).toEqual(expected);
      }
    }
  }],

  ['LG-05 LG-10 the trail is searched by every member, the latest first, part by part', async (store) => {
    const base = { actor: 'a', clientId: 'c', subject: 's', ip: '::1', requestId: 'r' };
    const events = [
      anEvent(base), anEvent({ ...base, timeMs: T0 + 1, type: 'grant_opened', outcome: 'denied' }), anEvent({ timeMs: T0 + 2, tenant: 'other', clientId: 'c' }),
      anEvent({ timeMs: T0 + 3, tenant: null, actor: null, type: 'server_started' }), anEvent({ ...base, timeMs: T0 + 4, requestId: 'r2', outcome: 'failure' }),
      anEvent({ ...base, timeMs: T0 + 5, tenant: 'other', subject: null, ip: null }),
    ];
    const [first = 0] = await store.recordAudit(events);
    const cases: [AuditSearch, readonly number[]][] = [
      [{}, [5, 4, 3, 2, 1, 0]],
      [{ tenant: 'acme' }, [4, 1, 0]],
      [{ tenant: null }, [3]],
      [{ types: ['grant_opened'] }, [1]],
      [{ types: ['grant_opened', 'server_started'] }, [3, 1]],
      [{ tenant: 'acme', types: ['grant_opened', 'server_started'] }, [1]],
      [{ tenant: 'other', types: ['token_revoked'] }, [5, 2]],
      [{ actor: 'a' }, [5, 4, 1, 0]],
      [{ clientId: 'c' }, [5, 4, 2, 1, 0]],
      [{ clientId: 'c', tenant: 'other' }, [5, 2]],
      [{ subject: 's' }, [4, 1, 0]],
      [{ ip: '::1' }, [4, 1, 0]],
      [{ requestId: 'r' }, [5, 1, 0]],
      [{ requestId: 'r', outcome: 'denied', types: ['grant_opened'] }, [1]],
      [{ outcome: 'failure' }, [4]],
      [{ sinceMs: T0 + 2 }, [5, 4, 3, 2]],
      [{ untilMs: T0 + 2 }, [2, 1, 0]],
      [{ sinceMs: T0 + 1, untilMs: T0 + 4, actor: 'a' }, [4, 1]],
      [{ sinceMs: T0 + 6 }, []],
      [{ untilMs: T0 - 1 }, []],
      [{ requestId: 'nobody' }, []],
    ];
    for (const [search, places] of cases) expect([search, await searched(store, search)]).toEqual([search, places.map((place) => first + place)]);
    expect((await store.pageAudit({ after: null, limit: 6 }, {})).next).toBeNull();
    expect((await store.pageAudit({ after: 'no cursor', limit: 1 }, {})).items).toHaveLength(1);
    // A clock that was set back by hand: times are in no order any more, and nothing is missed.
    await store.recordAudit([anEvent({ timeMs: T0 + 90_000_000 }), anEvent({ timeMs: T0 + 1, type: 'clock_accepted', tenant: null }), anEvent({ timeMs: T0 + 2 })]);
    expect(await searched(store, { sinceMs: T0 + 3 })).toEqual([6, 5, 4, 3].map((place) => first + place));
  }],

  ['a search that finds little among much ends its parts early, and still finds all of it', async (store) => {
    const rare = (await store.recordAudit([anEvent({ outcome: 'failure' })]))[0] ?? 0;
    for (let written = 0; written < 24_000; written += 8000) await store.recordAudit(Array.from({ length: 8000 }, () => anEvent()));
    const part = await store.pageAudit({ after: null, limit: 10 }, { outcome: 'failure' });
    expect([part.items, part.next === null]).toEqual([[], false]);
    expect(await searched(store, { outcome: 'failure' }, 10)).toEqual([rare]);
    expect((await store.listAuditChains()).map(({ events }) => events)).toEqual([24_001]);
  }],

  ['LG-08 retention takes the beginning of a chain, says so with it, and the rest still holds', async (store) => {
    const event = (place: number, tenant: string | null): AuditEvent => anEvent({ timeMs: T0 + place, tenant });
    await store.recordAudit([0, 1, 2, 3, 4, 5].flatMap((place) => [event(place, 'acme'), event(place, null)]));
    expect(await store.auditAnchor('acme')).toBeNull();
    expect(await store.pruneAudit('acme', T0, 99, pruned('acme'))).toEqual({ taken: 0, reportNumber: null });
    const before = await store.readAudit({ tenant: 'acme', ...ALL });
    const first = await store.pruneAudit('acme', T0 + 4, 3, pruned('acme'));
    expect(first.taken).toBe(3);
    expect(await store.auditAnchor('acme')).toEqual({ number: before[2]?.number ?? 0, hash: before[2]?.hash ?? '' });
    const second = await store.pruneAudit('acme', T0 + 4, 3, first.reportNumber ?? 0);
    expect(second).toEqual({ taken: 1, reportNumber: first.reportNumber });
    const left = await store.readAudit({ tenant: 'acme', ...ALL });
    expect(left.map(({ type, timeMs, count }) => [type, timeMs - T0, count])).toEqual([['token_revoked', 4, 1], ['token_revoked', 5, 1], ['audit_pruned', 1000, 4]]);
    expect(await walk(store, 'acme')).toEqual({ number: first.reportNumber ?? 0, hash: left.at(-1)?.hash ?? '' });
    // Others' events are as they were.
    expect(await store.auditAnchor(null)).toBeNull();
    expect(await store.readAudit({ tenant: null, ...ALL })).toHaveLength(6);
    expect(typeof await walk(store, null)).toBe('object');
  }],

  ['LG-08 the newest event of a chain always stays, and what is old but came late waits for what is before it', async (store) => {
    const [, late = 0] = await store.recordAudit([anEvent({ timeMs: T0 + 50 }), anEvent({ timeMs: T0 })]);
    expect(await store.pruneAudit('acme', T0 + 10, 99, pruned('acme'))).toEqual({ taken: 0, reportNumber: null });
    expect((await store.pruneAudit('acme', T0 + 99_999, 99, pruned('acme'))).taken).toBe(1);
    expect((await store.readAudit({ tenant: 'acme', ...ALL })).map(({ number, type }) => [number === late, type])).toEqual([[true, 'token_revoked'], [false, 'audit_pruned']]);
    expect((await store.pruneAudit('acme', T0 + 99_999, 99, pruned('acme'))).taken).toBe(1);
    // Two that say so are left: where nothing else happens, that is not said again and again.
    expect(await store.pruneAudit('acme', T0 + 99_999, 99, pruned('acme'))).toEqual({ taken: 0, reportNumber: null });
    expect((await store.readAudit({ tenant: 'acme', ...ALL })).map(({ type }) => type)).toEqual(['audit_pruned', 'audit_pruned']);
    expect(typeof await walk(store, 'acme')).toBe('object');
    expect((await store.recordAudit([anEvent()]))[0]).toBeGreaterThan(late);
  }],
];
