/** A moment as programs read it: RFC 3339 in UTC. @param ms milliseconds since the epoch */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Like `isoTime`, of what may never have been. */
export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
