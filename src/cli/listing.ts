import type { Page, Paged } from '../core/paging.ts';
import type { Managed } from '../service/manage-outcome.ts';
import type { Work } from './call.ts';

/** Most items that a command shows. */
const MOST = 1_000;
const PART = 200;

/** The beginning of a list, and whether there is more of it. @throws CommandFailure */
export async function firstOf<T>({ take }: Pick<Work, 'take'>, part: (page: Page) => Promise<Managed<Paged<T>>>): Promise<{ readonly items: readonly T[]; readonly more: boolean }> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page: Paged<T> = take(await part({ after, limit: PART }));
    items.push(...page.items);
    after = page.next;
  } while (after !== null && items.length < MOST);
  return { items: items.slice(0, MOST), more: after !== null || items.length > MOST };
}

/** Says that a list was cut short. */
export function warnOfMore({ out }: Pick<Work, 'out'>, more: boolean): void {
  if (more) out.warn(`there are more; these are the first ${MOST}`);
}
