import { getParser } from 'bowser';

/** More of a `User-Agent` says nothing more. */
const LONGEST = 512;

/** What people call the thing that they sit at: `Firefox on Linux`; null: it says nothing we know. */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null || userAgent.trim() === '') return null;
  const parser = getParser(userAgent.slice(0, LONGEST));
  const names = [parser.getBrowserName(), parser.getOSName()].filter((name) => name !== '' && name !== undefined);
  return names.length === 0 ? null : names.join(' on ');
}
