import type { Choice, FieldView } from '../../pages/admin/views.ts';
import type { Refusal } from '../../service/manage-outcome.ts';
import type { ConsoleCall, Posted } from './call.ts';
import type { FieldRow, FormFill, FormReader } from './resource.ts';

/** Names of fields and what a form may repeat. */
export function knownFields(fields: readonly FieldRow[], more: readonly string[] = []): ReadonlyMap<string, 'once' | 'many'> {
  return new Map<string, 'once' | 'many'>([
    ...fields.map(({ name, type }) => [name, type === 'checks' ? 'many' : 'once'] as const), ...['csrf', ...more].map((name) => [name, 'once'] as const),
  ]);
}

/** What was sent, as a form would be filled with it again; secrets are not. */
export function fillOf(fields: readonly FieldRow[], posted: Posted): FormFill {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type === 'checks' ? posted.many(name) : type === 'secret' ? '' : posted.one(name).replaceAll('\r\n', '\n')]));
}

/** Fills fields; what says nothing begins with its initial value. */
export async function viewFields(call: ConsoleCall, fields: readonly FieldRow[], fill: FormFill | null, faults: ReadonlyMap<string, string>): Promise<readonly { readonly title: string | null; readonly fields: readonly FieldView[] }[]> {
  const groups: { title: string | null; fields: FieldView[] }[] = [];
  for (const field of fields) {
    const title = field.group ?? null;
    const last = groups.at(-1);
    const group = last !== undefined && last.title === title ? last : { title, fields: [] };
    if (group !== last) groups.push(group);
    group.fields.push(await viewField(call, field, fill, faults.get(field.name) ?? null));
  }
  return groups;
}

async function viewField(call: ConsoleCall, field: FieldRow, fill: FormFill | null, fault: string | null): Promise<FieldView> {
  const { choices = [] } = field;
  return viewWith(field, typeof choices === 'function' ? await choices(call) : choices, fill, fault);
}

/** Fields outside of the console, whose choices depend on nobody. */
export function viewPlainFields(fields: readonly FieldRow[], fill: FormFill | null, faults: ReadonlyMap<string, string>): readonly FieldView[] {
  return fields.map((field) => viewWith(field, typeof field.choices === 'object' ? field.choices : [], fill, faults.get(field.name) ?? null));
}

function viewWith(field: FieldRow, choices: readonly Choice[], fill: FormFill | null, fault: string | null): FieldView {
  const { name, label, type } = field;
  const filled = fill === null ? field.initial : fill[name];
  return {
    name, label, type, fault, choices, help: field.help ?? null, required: (field.required ?? false) || type === 'choice', placeholder: field.placeholder ?? '', autocomplete: field.autocomplete ?? 'off',
    value: typeof filled === 'string' ? filled : '', values: typeof filled === 'object' ? filled : [],
  };
}

/** What is wrong with a form by its own rules, by field. */
export function findFormFaults(fields: readonly FieldRow[], posted: Posted): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  for (const { name, type, required = false, label } of fields) {
    const empty = type === 'checks' ? posted.many(name).length === 0 : posted.one(name).trim() === '';
    if (empty && required) faults.set(name, `${label} is missing.`);
    else if (!empty && type === 'number' && !/^[0-9]{1,15}$/.test(posted.one(name).trim())) faults.set(name, 'A whole number, as in 3600.');
  }
  return faults;
}

/** Answers what was sent in the form that acts want. */
export function readerOf(fields: readonly FieldRow[], posted: Posted): FormReader {
  const typeOf = (name: string): FieldRow['type'] => {
    const field = fields.find((one) => one.name === name);
    if (field === undefined) throw new Error(`the form has no field ${name}`);
    return field.type;
  };
  const text = (name: string): string => (typeOf(name) === 'checks' ? '' : posted.one(name).trim());
  const many = (name: string): readonly string[] => {
    const type = typeOf(name);
    if (type === 'checks') return posted.many(name);
    return text(name).split(type === 'lines' ? /\r?\n/ : /[\s,]+/).map((part) => part.trim()).filter((part) => part !== '');
  };
  return {
    text, many,
    raw: (name) => (typeOf(name) === 'checks' ? '' : posted.one(name)),
    orNull: (name) => text(name) || null,
    choice: (name, words) => words.find((word) => word === text(name)) ?? null,
    chosen: (name, words) => {
      const given = many(name);
      return words.filter((word) => given.includes(word));
    },
    on: (name) => text(name) === 'yes',
    number: (name) => (text(name) === '' ? null : Number(text(name))),
  };
}

/** Where a refusal is shown: at its field, or over the form. */
export function placeRefusal(fields: readonly FieldRow[], refusal: Refusal): { readonly faults: ReadonlyMap<string, string>; readonly problem: string | null } {
  const said = sentence(refusal.description);
  const field = refusal.member === null ? undefined : fields.find(({ name }) => name === refusal.member || name === refusal.member?.split('.').at(-1));
  return field === undefined ? { faults: new Map(), problem: said } : { faults: new Map([[field.name, said]]), problem: 'This could not be done: look at what is marked.' };
}

/** Descriptions are parts of a sentence, for logs and JSON; on a page they are whole ones. */
export function sentence(text: string): string {
  const begun = /^[a-z]/.test(text) && !/^[a-z]+[_:.]/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
