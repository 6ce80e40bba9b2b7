import { ref } from './openapi-parts.ts';

/** A document, as plain JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/**
 * One schema in the words of OpenAPI 3.0.
 * @param found where schemas inside it that have a name of their own are put, while a reference takes their place
 */
export function plainSchema(schema: Json, found: Record<string, Json>, top: boolean): Json {
  if (Array.isArray(schema)) return schema.map((item: Json) => plainSchema(item, found, false));
  if (!isObject(schema)) return schema;
  const { $id, const: value, anyOf, patternProperties, ...rest } = schema;
  if (typeof $id === 'string' && !top) {
    found[$id] ??= plainSchema(schema, found, true);
    return ref('schemas', $id);
  }
  if (value !== undefined) return { ...rest, enum: [value] };
  // Numbers come as "a string of digits, or a number", because the framework would read both.
  const choices = listOf(anyOf).map(membersOf);
  const digits = choices.some(({ format, type }) => type === 'string' && (format === 'integer' || format === 'numeric'));
  const number = digits ? choices.find(({ type }) => type === 'integer' || type === 'number') : undefined;
  if (number !== undefined) return { ...number, ...rest };
  const plain = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, key === 'properties' ? plainProperties(membersOf(item), found) : key === 'example' || key === 'examples' ? item : plainSchema(item, found, false)]));
  if (anyOf !== undefined) {
    const others = choices.filter(({ type }) => type !== 'null');
    return plainChoice(plain, others.map((choice) => plainSchema(choice, found, false)), others.length < choices.length);
  }
  // Always null: this version knows no such type.
  if (rest['type'] === 'null') return { enum: [null], nullable: true };
  // A map: this version knows no patterns of names.
  const [others] = Object.values(membersOf(patternProperties ?? {}));
  return others === undefined ? plain : { ...plain, additionalProperties: plainSchema(others, found, false) };
}

/** One of several: words become a list of words, and "or null" a property of what is left. */
function plainChoice(rest: { readonly [member: string]: Json }, others: readonly Json[], nullable: boolean): Json {
  const words = others.flatMap((choice) => listOf(membersOf(choice)['enum']));
  const orNull: { readonly [member: string]: Json } = nullable ? { nullable: true } : {};
  if (others.length > 0 && others.every((choice) => Object.keys(membersOf(choice)).every((key) => key === 'enum' || key === 'type') && listOf(membersOf(choice)['enum']).length > 0)) {
    return { ...rest, type: typeof words[0] === 'boolean' ? 'boolean' : 'string', enum: nullable ? [...words, null] : words, ...orNull };
  }
  const [only] = others;
  if (others.length !== 1 || only === undefined) return { ...rest, anyOf: others, ...orNull };
  return '$ref' in membersOf(only) ? { ...rest, allOf: [only], ...orNull } : { ...membersOf(only), ...rest, ...orNull };
}

function plainProperties(properties: Readonly<Record<string, Json>>, found: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(properties)
    .filter(([, property]) => membersOf(property)['x-internal'] !== true)
    .map(([name, property]) => [name, plainSchema(property, found, false)]));
}

/** The items of a list; of anything else none. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value as readonly Json[] : [];
}

function isObject(value: Json): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object; of anything else none. */
export function membersOf(value: Json): { readonly [member: string]: Json } {
  return isObject(value) ? value : {};
}
