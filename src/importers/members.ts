import { refusalOf, type ImportedKind, type ImportedThing, type ImportRemark } from '../core/imported.ts';

/** Members of a JSON object that somebody else's program wrote. Those that nobody asks for may be anything. */
export type Members = Readonly<Record<string, unknown>>;

/** A member that is needed and is not what it should be; caught by `readEach`. */
export class WrongMember extends Error {
  constructor(member: string, form: string) {
    super(`${member} must be ${form}`);
    this.name = 'WrongMember';
  }
}

/** The members of a value that is an object; null: it is none. */
export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

/** A member's own value; null is as good as left out. */
export function valueOf(of: Members, name: string): unknown {
  return Object.hasOwn(of, name) ? of[name] ?? undefined : undefined;
}

/** A text; null: left out or empty. @throws WrongMember */
export function textOf(of: Members, name: string): string | null {
  const value = valueOf(of, name);
  if (value === undefined || value === '') return null;
  if (typeof value !== 'string') throw new WrongMember(name, 'text');
  return value;
}

/** A text that must be there. @throws WrongMember */
export function neededText(of: Members, name: string): string {
  const text = textOf(of, name);
  if (text === null) throw new WrongMember(name, 'text, and is missing');
  return text;
}

/** A switch. @throws WrongMember */
export function flagOf(of: Members, name: string, fallback: boolean): boolean {
  const value = valueOf(of, name);
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new WrongMember(name, 'true or false');
  return value;
}

/** A whole number, 0 or more; null: left out. @throws WrongMember */
export function wholeOf(of: Members, name: string): number | null {
  const value = valueOf(of, name);
  if (value === undefined) return null;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new WrongMember(name, 'a whole number');
  return value;
}

/** A list; empty: left out. @throws WrongMember */
export function listOf(of: Members, name: string): readonly unknown[] {
  const value = valueOf(of, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new WrongMember(name, 'a list');
  return value;
}

/** A list of texts. @throws WrongMember */
export function textsOf(of: Members, name: string): readonly string[] {
  return listOf(of, name).map((item) => {
    if (typeof item !== 'string') throw new WrongMember(name, 'a list of texts');
    return item;
  });
}

/** An object within; empty: left out. @throws WrongMember */
export function objectOf(of: Members, name: string): Members {
  const value = valueOf(of, name);
  if (value === undefined) return {};
  const members = membersOf(value);
  if (members === null) throw new WrongMember(name, 'an object');
  return members;
}

/** Longest name that a remark repeats. */
const SHOWN = 100;

/** How remarks call a thing. @param name what it is called in the file; anything else: nothing usable */
export function nameThing(word: string, name: unknown, place: string): string {
  return typeof name === 'string' && name !== '' ? `${word} ${name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name}` : `${word} at ${place}`;
}

/** What a list in a file holds, and how its items are read. */
export type ItemReader = {
  readonly kind: ImportedKind;
  /** What remarks call an item: `client`. */
  readonly word: string;
  /** Member that names an item. */
  readonly name: string;
  readonly read: (item: Members, about: string) => readonly (ImportedThing | ImportRemark)[];
};

/** Reads one item; one that is not what it should be is refused by itself, and the others go on. @param place `clients[3]` */
export function readItem({ kind, word, name, read }: ItemReader, item: unknown, place: string): readonly (ImportedThing | ImportRemark)[] {
  const members = membersOf(item);
  if (members === null) return [refusalOf(kind, `${word} at ${place}`, 'it is no JSON object')];
  const about = nameThing(word, valueOf(members, name), place);
  try {
    return read(members, about);
  } catch (error) {
    if (error instanceof WrongMember) return [refusalOf(kind, about, error.message)];
    throw error;
  }
}

/** Reads a list, item by item. */
export function* readEach(reader: ItemReader, items: readonly unknown[], place: string): Generator<ImportedThing | ImportRemark> {
  for (const [index, item] of items.entries()) yield* readItem(reader, item, `${place}[${index}]`);
}
