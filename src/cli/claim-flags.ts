import { findClosest } from '../core/closest.ts';
import { claimTargets, type ClaimMapping, type ClaimTarget } from '../core/people.ts';
import type { FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import type { Flags } from './flags.ts';

/** A tenant's own claims, as flags. */
export const claimFlag: FlagRow = [
  '--claim <CLAIM=SOURCE@PLACES>',
  `a claim of its own: SOURCE is attribute:NAME, org.name, roles or permissions, PLACES are ${claimTargets.join(', ')}; together these replace the former ones, "none" takes all away`,
  'repeat',
];

const example = 'department=attribute:department@id_token,introspection';

function readTarget(word: string): ClaimTarget {
  const target = claimTargets.find((one) => one === word);
  if (target !== undefined) return target;
  const meant = findClosest(word, claimTargets);
  throw new UsageError(`--claim appears in ${claimTargets.join(', ')}, not in ${JSON.stringify(word)}${meant === null ? '' : `; did you mean ${meant}?`}`);
}

function readClaim(text: string): ClaimMapping {
  const match = /^([^=@]+)=([^@]+)@([^@]+)$/.exec(text);
  if (match === null) throw new UsageError(`--claim is CLAIM=SOURCE@PLACES, like ${example}, not ${JSON.stringify(text)}`);
  const [, claim = '', source = '', places = ''] = match;
  return { claim: claim.trim(), source: source.trim(), targets: [...new Set(places.split(',').map((word) => readTarget(word.trim())))] };
}

/** All claims of `--claim`; undefined when it is not given. @throws UsageError */
export function readClaims(flags: Flags): readonly ClaimMapping[] | undefined {
  const values = flags.list('claim');
  if (values === undefined) return undefined;
  if (values.length === 0 || (values.length === 1 && values[0] === 'none')) return [];
  if (values.includes('none')) throw new UsageError('--claim none stands alone: it takes every claim away');
  return values.map(readClaim);
}

/** A claim as its flag says it. */
export function showClaim({ claim, source, targets }: ClaimMapping): string {
  return `${claim}=${source}@${targets.join(',')}`;
}
