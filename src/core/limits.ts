/** How many requests may come (RL-02), as token buckets: an allowance of a minute that fills up again steadily. */

/** Seconds of an allowance. */
const WINDOW_S = 60;
const WINDOW_MS = WINDOW_S * 1000;

/** What is left of an allowance. `atMs`: on the monotonic clock. */
export type Bucket = { left: number; atMs: number };

/** How one limit stands after a request, as answers tell it. */
export type LimitStanding = {
  /** Name of its policy: what is counted. */
  readonly name: 'tenant' | 'client' | 'address' | 'account';
  /** Requests per minute. */
  readonly quota: number;
  /** Requests that may come at once. */
  readonly remaining: number;
  /** Seconds until the whole allowance is there again. */
  readonly resetS: number;
  /** Milliseconds until the next one may come; null: this one may. */
  readonly blockedForMs: number | null;
};

/** Takes one request from an allowance, if there is one left. @param perMinute the limit. @param nowMs monotonic */
export function takeOne(name: LimitStanding['name'], bucket: Bucket, perMinute: number, nowMs: number): LimitStanding {
  const left = Math.min(perMinute, bucket.left + ((nowMs - bucket.atMs) * perMinute) / WINDOW_MS);
  const allowed = left >= 1;
  bucket.left = allowed ? left - 1 : left;
  bucket.atMs = nowMs;
  return {
    name, quota: perMinute, remaining: Math.floor(bucket.left),
    resetS: Math.ceil(((perMinute - bucket.left) * WINDOW_S) / perMinute),
    blockedForMs: allowed ? null : Math.ceil(((1 - left) * WINDOW_MS) / perMinute),
  };
}

/** Fields of an answer that say how its limits stand (draft-ietf-httpapi-ratelimit-headers, as of 2025). */
export function limitHeaders(standings: readonly LimitStanding[]): Readonly<Record<string, string>> {
  if (standings.length === 0) return {};
  const blocked = standings.find(({ blockedForMs }) => blockedForMs !== null);
  return {
    'RateLimit-Policy': standings.map(({ name, quota }) => `"${name}";q=${quota};w=${WINDOW_S}`).join(', '),
    RateLimit: standings.map(({ name, remaining, resetS }) => `"${name}";r=${remaining};t=${resetS}`).join(', '),
    ...(blocked !== undefined && { 'Retry-After': String(Math.max(1, Math.ceil((blocked.blockedForMs ?? 0) / 1000))) }),
  };
}

/** The limit that refuses a request; null: none does. */
export function refusedBy(standings: readonly LimitStanding[]): LimitStanding['name'] | null {
  return standings.find(({ blockedForMs }) => blockedForMs !== null)?.name ?? null;
}
