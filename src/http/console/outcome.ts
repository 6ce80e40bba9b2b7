import { done, type Managed } from '../../service/manage-outcome.ts';
import type { RowAct, TableView, Value } from '../../pages/admin/views.ts';

/** What an act comes to, when it is said in one sentence. */
export function saying<T>(outcome: Managed<T>, said: string): Managed<{ readonly said: string }> {
  return outcome.ok ? done({ said }, outcome.warnings) : outcome;
}

/** `1 user`, `12 users`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** What one row of a small table says. */
export type SmallRow = { readonly key: string; readonly cells: readonly Value[]; readonly href?: string | null; readonly dim?: boolean; readonly act?: RowAct | null };

/** A table on a thing's page. @param columns those that begin with `~` are left out where there is little room. @param more where the next part is; null: that is all */
export function smallTable(caption: string, columns: readonly string[], rows: readonly SmallRow[], empty: string, more: { readonly nextHref: string | null; readonly firstHref: string | null } = { nextHref: null, firstHref: null }): TableView {
  return {
    caption, empty, ...more, columns: columns.map((title) => ({ title: title.replace(/^~/, ''), minor: title.startsWith('~'), number: false })),
    rows: rows.map(({ key, cells, href = null, dim = false, act = null }) => ({ key, cells, href, dim, ...(act !== null && { act }) })),
  };
}
