import { findClosest } from '../core/closest.ts';
import { MAX_LIFETIME_S } from '../core/tenant-settings.ts';
import { UsageError } from './failure.ts';

/** Flags of one command line, read by type. Names are those of the flags, without the dashes. */
export type Flags = {
  /** undefined: not given. */
  text(name: string): string | undefined;
  /** Like `text`; an empty value takes the setting back and is null. */
  clearable(name: string): string | null | undefined;
  /** All values of a flag that may be repeated; a single empty one means none. */
  list(name: string): readonly string[] | undefined;
  /** Whether a switch is given. */
  on(name: string): boolean;
  /** A switch with a `--no-` twin; undefined: neither is given. */
  switched(name: string): boolean | undefined;
  /** @throws UsageError for any other word */
  oneOf<const T extends string>(name: string, words: readonly T[]): T | undefined;
  /** Like `oneOf`; an empty value is null. */
  oneOfOrNull<const T extends string>(name: string, words: readonly T[]): T | null | undefined;
  /** Whole seconds. @throws UsageError */
  seconds(name: string, least?: number): number | undefined;
  /** Like `seconds`; an empty value is null. */
  secondsOrNull(name: string): number | null | undefined;
  /** A whole number, 1 or more; an empty value is null. @throws UsageError */
  wholeOrNull(name: string): number | null | undefined;
};

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads flags out of what the command line parser found. */
export function readFlags(options: Readonly<Record<string, unknown>>): Flags {
  function text(name: string): string | undefined {
    const value = options[camelCase(name)];
    return typeof value === 'string' ? value : undefined;
  }

  function oneOf<const T extends string>(name: string, words: readonly T[]): T | undefined {
    const value = text(name);
    if (value === undefined) return undefined;
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const meant = findClosest(value, words);
    throw new UsageError(`--${name} is one of ${words.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`);
  }

  function seconds(name: string, least = 1): number | undefined {
    const value = text(name);
    if (value === undefined) return undefined;
    const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= MAX_LIFETIME_S) return number;
    throw new UsageError(`--${name} is a number of whole seconds, from ${least} to ${MAX_LIFETIME_S}`);
  }

  return {
    text, oneOf, seconds,
    clearable: (name) => (text(name) === '' ? null : text(name)),
    list(name) {
      const value = options[camelCase(name)];
      if (!Array.isArray(value)) return undefined;
      const items: readonly unknown[] = value;
      return items.filter((item): item is string => typeof item === 'string' && item !== '');
    },
    on: (name) => options[camelCase(name)] === true,
    switched(name) {
      const value = options[camelCase(name)];
      return typeof value === 'boolean' ? value : undefined;
    },
    oneOfOrNull: (name, words) => (text(name) === '' ? null : oneOf(name, words)),
    secondsOrNull: (name) => (text(name) === '' ? null : seconds(name)),
    wholeOrNull(name) {
      const value = text(name);
      if (value === undefined || value === '') return value === '' ? null : undefined;
      if (/^[1-9][0-9]{0,8}$/.test(value)) return Number(value);
      throw new UsageError(`--${name} is a whole number, 1 or more`);
    },
  };
}

/** The object without members that are undefined, as exact optional members want it. */
export function given<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  // What remains are exactly the members that have a value of their type.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
