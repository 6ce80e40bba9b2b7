import { hash } from 'node:crypto';
import type { RequestOrigin } from '../core/audit-event.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import type { IntrospectionResult } from '../core/metrics.ts';
import type { ClientSecret } from '../core/model.ts';
import type { Clock } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import type { Telling } from '../service/introspect.ts';
import type { Limited } from '../service/limits.ts';
import type { Site } from './host-guard.ts';

/** An answer to the byte, what it was counted as, and how operators are told that it was given, if they are. */
export type Answer = {
  readonly text: string; readonly result: IntrospectionResult; readonly tell: Telling | null;
  /** Counts one more request against the limits of who asks; null: there are none. */
  readonly limits: ((from: RequestOrigin) => Limited) | null;
};

/** One question, and what it was told before, if that still holds. */
export type Question = {
  readonly answer: Answer | null;
  /**
   * Keeps an answer that would be given again, until the token or a secret of the caller ends.
   * @param expiresAt of an active token, seconds; null: the answer does not end by itself
   */
  readonly remember: (answer: Answer, expiresAt: number | null, secrets: readonly ClientSecret[]) => void;
};

/**
 * Remembers answers, active and inactive alike, so that all take the same time (INT-96). Exact: an answer counts only
 * while the store says that nothing has changed that any answer stands on, and within the time for which it would be
 * given again.
 */
export type AnswerMemory = {
  /** @throws StoreError */
  ask(authorization: string | null, site: Site, url: string, slug: string | undefined, body: string): Question;
  /** Questions that it could answer so far, and that it could not. */
  readonly figures: () => { readonly hits: number; readonly misses: number };
};

/** Answers per generation; some hundred bytes each. */
const REMEMBERED = 20_000;

type Kept = { readonly answer: Answer; readonly revision: number; readonly untilMs: number };

/**
 * Until when an answer would be given again: milliseconds.
 * @param askedAtMs when the question was asked: a secret that counted then and has ended since ends the answer too
 */
function holdsUntil(expiresAt: number | null, secrets: readonly ClientSecret[], askedAtMs: number): number {
  let untilMs = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt * 1000;
  for (const { expiresAtMs } of secrets) if (expiresAtMs !== null && expiresAtMs > askedAtMs) untilMs = Math.min(untilMs, expiresAtMs);
  return untilMs;
}

export function makeAnswerMemory(store: Pick<Store, 'revision'>, clock: Clock): AnswerMemory {
  const answers = new BoundedMap<string, Kept>(REMEMBERED);
  let hits = 0;
  let misses = 0;
  return {
    figures: () => ({ hits, misses }),
    ask(authorization, site, url, slug, body) {
      // Taken before any fact is looked at: a change that comes between makes the answer worthless, not wrong.
      const revision = store.revision();
      const place = site.kind === 'tenant' ? site.host : (slug ?? '');
      // The question holds a secret and a token: only its hash is kept. No part but the last can hold a line feed.
      const key = hash('sha256', `${url}\n${place}\n${authorization ?? ''}\n${body}`, 'base64url');
      const known = answers.get(key);
      const askedAtMs = clock.now();
      const answer = known !== undefined && known.revision === revision && askedAtMs < known.untilMs ? known.answer : null;
      if (answer === null) misses += 1;
      else hits += 1;
      return {
        answer,
        remember: (made, expiresAt, secrets) =>
          answers.set(key, { answer: made, revision, untilMs: holdsUntil(expiresAt, secrets, askedAtMs) }),
      };
    },
  };
}
