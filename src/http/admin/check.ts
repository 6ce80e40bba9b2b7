import type { TSchema } from 'elysia';
import { findClosest } from '../../core/closest.ts';
import { pointerStep, type JsonValue } from '../../core/strict-json.ts';

/** What is wrong with one member of what was sent. `pointer`: which (RFC 6901). It never repeats what was sent. */
export type MemberFault = { readonly pointer: string; readonly detail: string };

/** A schema, as far as the admin API uses JSON Schema. */
type Rules = Readonly<Record<string, unknown>>;

/** Faults that are told at once; who sends more of them has them told in turn. */
const MOST_FAULTS = 20;

/** Words of JSON Schema that say nothing about a value, and those that `check` knows. */
const silent = ['$id', 'description', 'title', 'default', 'example', 'examples', 'deprecated', 'format', 'x-internal'];
const known = [
  'type', 'enum', 'const', 'anyOf', 'oneOf', 'nullable', 'properties', 'required', 'additionalProperties', 'patternProperties', 'items', 'minItems', 'maxItems', 'uniqueItems', 'minLength',
  'maxLength', 'pattern', 'minimum', 'maximum', 'minProperties', 'maxProperties', 'propertyNames',
];

function rulesOf(schema: unknown): Rules {
  return typeof schema === 'object' && schema !== null ? { ...schema } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function limitOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function isObject(value: JsonValue): value is { readonly [member: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The rules of a schema without the framework's habits: it takes a number for "a number, or a text of digits", because it
 * would read both; here a number is a number.
 */
export function plainRules(schema: unknown): Rules {
  const rules = rulesOf(schema);
  const choices = listOf(rules['anyOf']).map(rulesOf);
  const digits = choices.some(({ format, type }) => type === 'string' && (format === 'integer' || format === 'numeric'));
  const numeric = digits ? choices.find(({ type }) => type === 'integer' || type === 'number') : undefined;
  if (numeric === undefined) return rules;
  const { anyOf: _choices, ...rest } = rules;
  return { ...rest, ...numeric };
}

/** Words of a schema that nothing here would hold a value to; tests see that there are none. */
export function unknownRules(schema: unknown): readonly string[] {
  const rules = plainRules(schema);
  const own = Object.keys(rules).filter((name) => !silent.includes(name) && !known.includes(name));
  const inner = [
    ...Object.values(rulesOf(rules['properties'])), ...Object.values(rulesOf(rules['patternProperties'])), ...listOf(rules['anyOf']), ...listOf(rules['oneOf']), rules['items'], rules['additionalProperties'],
  ];
  return [...own, ...inner.filter((one) => typeof one === 'object').flatMap(unknownRules)];
}

/** Holds what was sent to a schema. Members that the schema does not name are refused. @returns what is wrong; empty: nothing */
export function check(schema: TSchema, value: JsonValue): readonly MemberFault[] {
  return findFaults(schema, value, '').slice(0, MOST_FAULTS);
}

function findFaults(schema: unknown, value: JsonValue, pointer: string): readonly MemberFault[] {
  const rules = plainRules(schema);
  const fault = (detail: string): readonly MemberFault[] => [{ pointer, detail }];
  if (rules['nullable'] === true && value === null) return [];
  const choices = [...listOf(rules['anyOf']), ...listOf(rules['oneOf'])];
  if (choices.length > 0) return findChoiceFaults(choices.map(plainRules), value, pointer);
  if ('const' in rules) return rules['const'] === value ? [] : fault(`it must be ${JSON.stringify(rules['const'])}`);
  if (Array.isArray(rules['enum']) && !rules['enum'].includes(value)) return fault(enumFault(rules['enum'], value));
  switch (rules['type']) {
    case 'object': return isObject(value) ? findObjectFaults(rules, value, pointer) : fault('it must be an object');
    case 'array': return Array.isArray(value) ? findListFaults(rules, value, pointer) : fault('it must be a list');
    case 'string': return typeof value === 'string' ? textFault(rules, value).flatMap(fault) : fault('it must be a text');
    case 'integer': return Number.isInteger(value) ? numberFault(rules, Number(value)).flatMap(fault) : fault('it must be a whole number');
    case 'number': return typeof value === 'number' ? numberFault(rules, value).flatMap(fault) : fault('it must be a number');
    case 'boolean': return typeof value === 'boolean' ? [] : fault('it must be true or false');
    case 'null': return value === null ? [] : fault('it must be null');
    default: return [];
  }
}

/** The faults of the choice that was most likely meant: the only one of the value's kind, else all choices in words. */
function findChoiceFaults(choices: readonly Rules[], value: JsonValue, pointer: string): readonly MemberFault[] {
  const verdicts = choices.map((choice) => findFaults(choice, value, pointer));
  if (verdicts.some((faults) => faults.length === 0)) return [];
  const words = choices.flatMap((choice): readonly unknown[] => ('const' in choice ? [choice['const']] : choice['type'] === 'null' ? [null] : []));
  if (words.length === choices.length) return [{ pointer, detail: enumFault(words, value) }];
  const others = verdicts.filter((_, index) => choices[index]?.['type'] !== 'null');
  const nearest = others.toSorted((a, b) => depth(b) - depth(a))[0];
  return others.length === 1 || (nearest !== undefined && depth(nearest) > depth([{ pointer, detail: '' }])) ? nearest ?? [] : [{ pointer, detail: 'it has none of the forms that are allowed here' }];
}

function depth(faults: readonly MemberFault[]): number {
  return Math.max(...faults.map(({ pointer }) => pointer.split('/').length));
}

function enumFault(words: readonly unknown[], value: JsonValue): string {
  const texts = words.filter((word): word is string => typeof word === 'string');
  const meant = typeof value === 'string' && value.length <= 100 ? findClosest(value, texts) : null;
  const list = words.length > 30 ? 'it is not one of the words that are allowed here' : `it must be one of ${words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(', ')}`;
  return meant === null ? list : `${list}; did you mean ${meant}?`;
}

function findObjectFaults(rules: Rules, value: { readonly [member: string]: JsonValue }, pointer: string): readonly MemberFault[] {
  const properties = rulesOf(rules['properties']);
  const names = Object.keys(value);
  const missing = listOf(rules['required']).filter((name): name is string => typeof name === 'string' && !Object.hasOwn(value, name));
  const faults: MemberFault[] = missing.map((name) => ({ pointer: pointer + pointerStep(name), detail: 'it is missing' }));
  const [least, most] = [limitOf(rules['minProperties']), limitOf(rules['maxProperties'])];
  if (least !== null && names.length < least) faults.push({ pointer, detail: `it must have at least ${least} member${least === 1 ? '' : 's'}` });
  if (most !== null && names.length > most) faults.push({ pointer, detail: `it must have at most ${most} members` });
  for (const name of names) {
    // Looking for what was meant costs: nobody makes the server look for thousands of names.
    if (faults.length >= MOST_FAULTS) break;
    const place = pointer + pointerStep(name);
    const member = value[name] ?? null;
    if (Object.hasOwn(properties, name)) faults.push(...findFaults(properties[name], member, place));
    else faults.push(...findOtherFaults(rules, name, member, place, Object.keys(properties)));
  }
  return faults;
}

/** A member that has no name in the schema: allowed where the object is a map. */
function findOtherFaults(rules: Rules, name: string, value: JsonValue, place: string, names: readonly string[]): readonly MemberFault[] {
  const match = Object.entries(rulesOf(rules['patternProperties'])).find(([pattern]) => new RegExp(pattern, 'u').test(name));
  if (match !== undefined) return findFaults(match[1], value, place);
  const others = rules['additionalProperties'];
  if (typeof others === 'object' && others !== null) return findFaults(others, value, place);
  if (others === true) return [];
  const meant = name.length <= 100 ? findClosest(name, names) : null;
  return [{ pointer: place, detail: `there is no member of this name${meant === null ? '' : `; did you mean ${meant}?`}` }];
}

function findListFaults(rules: Rules, value: readonly JsonValue[], pointer: string): readonly MemberFault[] {
  const [least, most] = [limitOf(rules['minItems']), limitOf(rules['maxItems'])];
  if (least !== null && value.length < least) return [{ pointer, detail: `it must have at least ${least} item${least === 1 ? '' : 's'}` }];
  if (most !== null && value.length > most) return [{ pointer, detail: `it must have at most ${most} items` }];
  if (rules['uniqueItems'] === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length) return [{ pointer, detail: 'an item is given twice' }];
  const faults: MemberFault[] = [];
  for (const [index, item] of value.entries()) {
    if (faults.length >= MOST_FAULTS) break;
    faults.push(...findFaults(rules['items'], item, pointer + pointerStep(index)));
  }
  return faults;
}

function textFault(rules: Rules, value: string): readonly string[] {
  const [least, most] = [limitOf(rules['minLength']), limitOf(rules['maxLength'])];
  if (least !== null && value.length < least) return [least === 1 ? 'it must not be empty' : `it must have at least ${least} characters`];
  if (most !== null && value.length > most) return [`it must have at most ${most} characters`];
  const { pattern } = rules;
  return typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value) ? [`it must match ${pattern}`] : [];
}

function numberFault(rules: Rules, value: number): readonly string[] {
  const [least, most] = [limitOf(rules['minimum']), limitOf(rules['maximum'])];
  if (least !== null && value < least) return [`it must be at least ${least}`];
  return most !== null && value > most ? [`it must be at most ${most}`] : [];
}
