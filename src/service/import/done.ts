import { refusalOf, type ImportedKind, type ImportRemark } from '../../core/imported.ts';
import type { Refusal } from '../manage-outcome.ts';
import type { ImportOutcome } from './tally.ts';

/** What became of a thing. A thing that was refused has a remark that says so, and no outcome beside it. */
export type Done = { readonly outcomes: readonly ImportOutcome[]; readonly remarks: readonly ImportRemark[]; /** Of a user: who they are here. */ readonly userId?: string };

/** One outcome. */
export function did(outcome: ImportOutcome, remarks: readonly ImportRemark[] = []): Done {
  return { outcomes: [outcome], remarks };
}

/** An act's own refusal. */
export function refusedBy(kind: ImportedKind, about: string, { description }: Pick<Refusal, 'description'>): Done {
  return { outcomes: [], remarks: [refusalOf(kind, about, description)] };
}
