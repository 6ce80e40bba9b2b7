import { createHash } from 'node:crypto';
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { beginChain, CHAIN_START, encodeLink, hashLink, stepChain, type ChainFault, type ChainState, type NumberedEvent } from '../../src/core/audit-chain.ts';
import { auditEvent, auditTypes } from '../../src/core/audit-event.ts';

type Row = NumberedEvent & { readonly hash: string | null };

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');
const text = fc.option(fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('', ',', '","', '["', 'null', '\\', '\u0000', '\uD800')));
const events = fc.array(fc.record({
  timeMs: fc.nat(), type: fc.constantFrom(...auditTypes), tenant: fc.constant('acme'), actor: text, clientId: text, subject: text, fingerprint: text, ip: text, requestId: text,
  outcome: fc.constantFrom('success' as const, 'denied' as const, 'failure' as const), reason: text, grantId: text, count: fc.nat(), gap: fc.integer({ min: 1, max: 3 }),
}), { minLength: 2, maxLength: 12 });

/** As storage writes it. */
function chainOf(given: readonly (Parameters<typeof auditEvent>[0] & { readonly gap: number })[]): readonly Row[] {
  let [number, hash] = [0, CHAIN_START];
  return given.map(({ gap, ...event }) => {
    number += gap;
    const numbered = { ...auditEvent(event), number };
    hash = hashLink(sha256, hash, numbered);
    return { ...numbered, hash };
  });
}

/** Where a walk ends: the state, or the fault. */
function walk(rows: readonly Row[], start = beginChain(null)): ChainState | ChainFault {
  let state: ChainState | ChainFault = start;
  for (const row of rows) {
    if (typeof state === 'string') return state;
    state = stepChain(state, row, sha256);
  }
  return state;
}

const holds = (rows: readonly Row[], head: Row | undefined): boolean => {
  const end = walk(rows);
  return typeof end === 'object' && end.number === head?.number && end.hash === head.hash;
};

describe('LG-08 a chain of events', () => {
  test('holds as it was written, whatever is in it and however often a count grew', () => {
    fc.assert(fc.property(events, fc.nat(), (given, more) => {
      const rows = chainOf(given);
      expect(holds(rows, rows.at(-1))).toBe(true);
      expect(holds(rows.map((row) => ({ ...row, count: row.count + more })), rows.at(-1))).toBe(true);
    }));
  });

  test('any single member that changes is found', () => {
    fc.assert(fc.property(events, fc.nat(), fc.constantFrom('timeMs', 'number', 'type', 'tenant', 'actor', 'clientId', 'subject', 'fingerprint', 'ip', 'requestId', 'outcome', 'reason', 'grantId', 'hash'), text, (given, at, member, other) => {
      const rows = chainOf(given);
      const place = at % rows.length;
      const changed = rows.map((row, index) => {
        if (index !== place) return row;
        const value = row[member as keyof Row];
        const replaced = typeof value === 'number' ? value + 1 : other?.toWellFormed() === value?.toWellFormed() ? `${value ?? ''}x` : other;
        return { ...row, [member]: replaced };
      });
      expect(holds(changed, rows.at(-1))).toBe(false);
    }), { numRuns: 500 });
  });

  test('any that is missing is found: within by itself, at the end against a head that was noted', () => {
    fc.assert(fc.property(events, fc.nat(), (given, at) => {
      const rows = chainOf(given);
      const place = at % rows.length;
      const left = rows.filter((_, index) => index !== place);
      expect(holds(left, rows.at(-1))).toBe(false);
      if (place < rows.length - 1) expect(typeof walk(left)).toBe('string');
    }));
  });

  test('any two that changed places are found, with their numbers or without', () => {
    fc.assert(fc.property(events, fc.nat(), fc.nat(), fc.boolean(), (given, one, other, keepNumbers) => {
      const rows = chainOf(given);
      const [a, b] = [one % rows.length, other % rows.length];
      fc.pre(a !== b);
      const swapped = [...rows];
      const [first, second] = [rows[a]!, rows[b]!];
      swapped[a] = { ...second, number: keepNumbers ? first.number : second.number };
      swapped[b] = { ...first, number: keepNumbers ? second.number : first.number };
      expect(holds(swapped, rows.at(-1))).toBe(false);
    }));
  });

  test('one that was slipped in is found', () => {
    fc.assert(fc.property(events, fc.nat(), (given, at) => {
      const rows = chainOf(given.map((event) => ({ ...event, gap: 2 })));
      const place = at % rows.length;
      const next = rows[place]!;
      const slipped = { ...next, number: next.number - 1, reason: 'slipped in' };
      for (const hash of [null, next.hash, hashLink(sha256, rows[place - 1]?.hash ?? CHAIN_START, slipped)]) {
        // Before there were chains there were no hashes: at the very beginning nothing tells such a row from those.
        if (hash === null && place === 0) continue;
        expect(typeof walk([...rows.slice(0, place), { ...slipped, hash }, ...rows.slice(place)])).toBe('string');
      }
    }));
  });

  test('what retention took away: the rest builds on the anchor, and on nothing else', () => {
    fc.assert(fc.property(events, fc.nat(), (given, at) => {
      const rows = chainOf(given);
      const cut = 1 + (at % (rows.length - 1));
      const anchor = rows[cut - 1]!;
      const left = rows.slice(cut);
      expect(walk(left, beginChain({ number: anchor.number, hash: anchor.hash ?? '' }))).toEqual({ number: rows.at(-1)!.number, hash: rows.at(-1)!.hash ?? '' });
      expect(walk(left)).toBe('mismatch');
      expect(walk(rows, beginChain({ number: anchor.number, hash: anchor.hash ?? '' }))).toBe('out_of_order');
    }));
  });

  test('a chain begins at its first event that has a hash; behind that none may lack it', () => {
    const [first, second] = chainOf([{ timeMs: 1, type: 'user_created', gap: 5 }, { timeMs: 2, type: 'user_created', gap: 1 }]);
    const old: Row = { ...auditEvent({ timeMs: 0, type: 'user_created' }), number: 1, hash: null };
    expect(walk([old, first!, second!])).toEqual({ number: 6, hash: second!.hash ?? '' });
    expect(walk([old, first!, { ...second!, hash: null }])).toBe('unhashed');
    expect(walk([old, { ...first!, hash: null }, second!])).toBe('mismatch');
  });

  test('two different events never have one encoding, and the form stays as it is', () => {
    fc.assert(fc.property(events, (given) => {
      const numbered = chainOf(given).map((row) => ({ ...row, number: 1, count: 1 }));
      const kept = (row: object): string => JSON.stringify(Object.entries(row).filter(([name]) => name !== 'hash').map(([, value]) => (typeof value === 'string' ? value.toWellFormed() : value)));
      expect(new Set(numbered.map((row) => encodeLink('', row))).size).toBe(new Set(numbered.map(kept)).size);
    }));
    const event = { ...auditEvent({ timeMs: 1_795_000_000_000, type: 'token_revoked', tenant: 'acme', actor: 'é"', reason: null, count: 9 }), number: 7 };
    expect(encodeLink('before', event)).toBe('["assay-audit-1","before",7,1795000000000,"token_revoked","acme","é\\"",null,null,null,null,null,"success",null,null]');
    expect(hashLink(sha256, '', event)).toBe(sha256(encodeLink('', event)));
  });
});
