import { customType } from 'drizzle-orm/sqlite-core';

/**
 * A list or object as JSON text: the one way in which structured values are stored, in every dialect.
 * What is read back is what this program wrote; nothing else writes these columns.
 */
export const json = <T>(name: string) =>
  customType<{ data: T; driverData: string }>({
    dataType: () => 'text',
    toDriver: (value) => JSON.stringify(value),
    fromDriver: parseJson<T>,
  })(name);

/** Reads what `json` wrote; for rows that protocol statements read without Drizzle. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
