import { importedKinds, type ImportedKind, type ImportRemark } from '../../core/imported.ts';

/** What became of one thing; `left`: it was there already, as it is or otherwise. */
export const importOutcomes = ['created', 'changed', 'left', 'refused'] as const;
export type ImportOutcome = (typeof importOutcomes)[number];

export type ImportCounts = Readonly<Record<ImportOutcome, number>>;

/** One reason, and what it was a reason for. */
export type GroupedRemark = {
  readonly text: string;
  /** Things that were not imported for it; null: they were, without what the text names. */
  readonly refused: ImportedKind | null;
  readonly count: number;
  /** The first ones. */
  readonly about: readonly string[];
};

/** What an import did, or would do. */
export type ImportReport = {
  readonly counts: Readonly<Record<ImportedKind, ImportCounts>>;
  /** Refusals first, then by how often. */
  readonly remarks: readonly GroupedRemark[];
  /** Remarks for reasons beyond those that are told apart. */
  readonly moreRemarks: number;
};

/** Things that are named for one reason. */
const NAMED = 5;
/** Reasons that are told apart: a file could give each of its things one of its own. */
const MOST_REASONS = 300;

/** Counts while an import goes on. */
export type Tally = {
  readonly count: (kind: ImportedKind, outcome: ImportOutcome) => void;
  readonly remark: (remark: ImportRemark) => void;
  readonly report: () => ImportReport;
  /** All things with one outcome. */
  readonly total: (outcome: ImportOutcome) => number;
};

type Group = { readonly text: string; readonly refused: ImportedKind | null; count: number; readonly about: string[] };

/** Nothing was counted yet. A remark that refuses is counted as a thing refused. */
export function makeTally(): Tally {
  const counts = Object.fromEntries(importedKinds.map((kind) => [kind, { created: 0, changed: 0, left: 0, refused: 0 }])) as Record<ImportedKind, Record<ImportOutcome, number>>;
  const groups = new Map<string, Group>();
  let more = 0;
  const total = (outcome: ImportOutcome): number => importedKinds.reduce((sum, kind) => sum + counts[kind][outcome], 0);
  return {
    total,
    count: (kind, outcome) => {
      counts[kind][outcome] += 1;
    },
    remark: ({ about, text, refused }) => {
      if (refused !== null) counts[refused].refused += 1;
      const key = `${refused ?? ''}\n${text}`;
      const group = groups.get(key);
      if (group === undefined && groups.size >= MOST_REASONS) {
        more += 1;
        return;
      }
      const known = group ?? { text, refused, count: 0, about: [] };
      known.count += 1;
      if (known.about.length < NAMED) known.about.push(about);
      groups.set(key, known);
    },
    report: () => ({
      counts, moreRemarks: more,
      remarks: [...groups.values()].toSorted((a, b) => Number(b.refused !== null) - Number(a.refused !== null) || b.count - a.count),
    }),
  };
}
