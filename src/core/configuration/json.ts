/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** Whether a value is an object with members. */
export function isObject(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values are the same; the order of an object's members does not count. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  return canonical(left ?? null) === canonical(right ?? null) && (left === undefined) === (right === undefined);
}

function canonical(value: Json): string {
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return `[${items.map(canonical).join(',')}]`;
  }
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
