/** Times in a person's language. Whose clock the person reads is unknown, so a time of day is UTC and says so. */
import type { Locale } from './views.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
/** Largest first; the first that fits at least once is taken. */
const units = [
  { unit: 'year', seconds: 365 * day },
  { unit: 'month', seconds: 30 * day },
  { unit: 'day', seconds: day },
  { unit: 'hour', seconds: hour },
  { unit: 'minute', seconds: minute },
  { unit: 'second', seconds: 1 },
] as const;

/** `20 Nov 2026, 18:43 UTC`. In: milliseconds. */
export function formatMoment(locale: Locale, atMs: number): string {
  return new Intl.DateTimeFormat(locale, {
    year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZone: 'UTC', timeZoneName: 'short',
  }).format(atMs);
}

/** `5 minutes ago`, `yesterday`; null: less than a minute, or still to come. In: milliseconds. */
export function formatAgo(locale: Locale, atMs: number, nowMs: number): string | null {
  const seconds = Math.max(0, Math.floor((nowMs - atMs) / 1000));
  const { unit, seconds: size } = unitOf(seconds);
  return unit === 'second' ? null : new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-Math.floor(seconds / size), unit);
}

/** `in 30 seconds`. In: seconds. */
export function formatRetry(locale: Locale, seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const { unit, seconds: size } = unitOf(whole);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'always' }).format(Math.ceil(whole / size), unit);
}

/** `30 days`; in days up to 90 of them, because that is how people think of access. In: seconds. */
export function formatDuration(locale: Locale, seconds: number): string {
  const { unit, seconds: size } = seconds >= day && seconds <= 90 * day ? { unit: 'day', seconds: day } : unitOf(seconds);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(Math.max(1, Math.round(seconds / size)));
}

/** `a, b and c`. */
export function formatList(locale: Locale, items: readonly string[]): string {
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(items);
}

function unitOf(seconds: number): (typeof units)[number] {
  return units.find(({ seconds: size }) => seconds >= size) ?? units[5];
}
