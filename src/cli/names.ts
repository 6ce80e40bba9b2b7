import { findClosest } from '../core/closest.ts';
import { parseScope } from '../core/scope.ts';
import { grantTypes, type GrantType } from '../spec/names.ts';
import { UsageError } from './failure.ts';

/** Grants by what people type: the whole name, or the part after the last colon. */
const grantNames: ReadonlyMap<string, GrantType> = new Map(
  grantTypes.flatMap((grant) => [[grant, grant] as const, [grant.slice(grant.lastIndexOf(':') + 1), grant] as const]),
);

/** Grants as people type them, one name each. */
export const grantWords: readonly string[] = grantTypes.map((grant) => grant.slice(grant.lastIndexOf(':') + 1));

/** Grant types of `--grant`, each once; undefined when none is given. @throws UsageError */
export function readGrants(values: readonly string[] | undefined): readonly GrantType[] | undefined {
  if (values === undefined) return undefined;
  const grants = values.flatMap((value) => value.split(/[\s,]+/)).filter((value) => value !== '').map((value) => {
    const grant = grantNames.get(value);
    if (grant !== undefined) return grant;
    const meant = findClosest(value, [...grantNames.keys()]);
    throw new UsageError(`--grant is one of ${grantWords.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`);
  });
  return [...new Set(grants)];
}

/** Scopes of `--scope`; empty means none, undefined when it is not given. @throws UsageError */
export function readScope(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const text = value.trim().replace(/ +/g, ' ');
  if (text === '') return [];
  const scopes = parseScope(text);
  if (scopes === null) throw new UsageError('--scope is a list of scopes separated by spaces: visible ASCII without " and \\');
  return scopes;
}
