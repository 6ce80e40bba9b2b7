import { remarkOn, type ImportRemark } from '../core/imported.ts';
import type { UserAttributes } from '../core/model.ts';
import { findAttributesFault } from '../core/user-attributes.ts';

/** What of somebody's attributes can be kept, and what cannot. */
export type FittingAttributes = { readonly attributes: UserAttributes; readonly remarks: readonly ImportRemark[] };

type AttributeValue = UserAttributes[string];

/**
 * Takes the attributes that fit, by name; the first of a name wins. Values that are missing are none.
 * @param entries in the order of their weight: where there are too many, the last ones are left out
 */
export function fitAttributes(about: string, entries: readonly (readonly [name: string, value: unknown])[]): FittingAttributes {
  const taken: Record<string, AttributeValue> = {};
  const remarks: ImportRemark[] = [];
  for (const [name, value] of entries) {
    if (value === null || value === undefined || value === '' || Object.hasOwn(taken, name)) continue;
    const attribute = { [name]: value as AttributeValue };
    // Says what is wrong with anything that is no attribute, whatever its type.
    if (findAttributesFault(attribute) !== null) {
      remarks.push(remarkOn(about, `the attribute ${JSON.stringify(name.slice(0, 64))} does not fit and is left out`));
      continue;
    }
    if (findAttributesFault({ ...taken, ...attribute }) !== null) {
      remarks.push(remarkOn(about, 'there are too many attributes, or too large ones; some are left out'));
      break;
    }
    taken[name] = attribute[name] ?? '';
  }
  return { attributes: taken, remarks };
}

/** A full name out of its parts; null: there are none. */
export function fullName(...parts: readonly (string | null)[]): string | null {
  const name = parts.filter((part) => part !== null).join(' ').trim();
  return name === '' ? null : name;
}
