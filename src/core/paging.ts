/** Part of a list. `after`: the cursor that the part before ended with; null: from the beginning. */
export type Page = { readonly after: string | null; readonly limit: number };

/** A part of a list, in the list's own order. `next`: where to go on; null: there is no more. */
export type Paged<T> = { readonly items: readonly T[]; readonly next: string | null };
