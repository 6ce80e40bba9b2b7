/**
 * The table of things in the console. List, page, forms and confirmations of a kind of thing are made from one row; the row says
 * only what is special about it, and works through the acts in src/service.
 *
 * To add one: write a file like clients.ts that exports `export const xResource = resource<X>({ … })`, and add it to the list in
 * table.ts. It then has its pages at `/admin/t/SLUG/NAME` (`at: 'tenant'`) or `/admin/NAME` (`at: 'server'`) and its place in the
 * navigation (navigation.ts knows the order; a name that it does not know comes last in its group). Everything else follows:
 *
 *   list      columns, search, filters, parts; `list` gives one part through the port's `page…`
 *   page      `facts`: groups of label and value, or tables; buttons for what can be done
 *   create    `create` with the fields that say `on: 'create'` or nothing. To show something once (a secret), give `shown`
 *   edit      `update` with the fields that say `on: 'edit'` or nothing, filled from `values`. `guard` goes to the act
 *   actions   each is a page that asks whether it is meant (GET) and a form that does it (POST); `recent: true` for what cannot
 *             be taken back or gives access. Deleting is an action that says `back: 'list'`
 *   bulk      the same for all of them, or those that its form names: pages at `…/do/NAME`, buttons over the list
 *   single    there is one of it and no list: its page is at `/admin/t/SLUG/NAME`, its actions below
 *
 * A page of another kind (settings, an overview) is a `ConsoleRoute` in routes.ts, and a place in navigation.ts.
 *
 * A field's `name` is the wish's member, as its type calls it (`redirectUris`): a `Refusal` with that `member` is shown at that
 * field. What acts refuse is never lost, and what was typed stays, secrets apart. Everything is behind `area`: `read` for looking,
 * `write` for the rest. A tenant-bound administrator sees rows at `server` only where `forBound` says so. A row's file imports
 * nothing that answers (answer.ts, endings.ts, engine.ts), for those know the table.
 */
import type { AdminArea } from '../../core/admin.ts';
import type { Page, Paged } from '../../core/paging.ts';
import type { Managed } from '../../service/manage-outcome.ts';
import type { IconName } from '../../pages/icons.tsx';
import type { ActionLink, Badge, Choice, FactGroup, FieldType, Value } from '../../pages/admin/views.ts';
import type { ConsoleCall } from './call.ts';

/** A field of forms. */
export type FieldRow = {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  readonly help?: string;
  /** Left empty it is refused before the act is asked. */
  readonly required?: boolean;
  readonly placeholder?: string;
  /** Of `choice` and `checks`. For `choice` where none is possible, add one with the value ''. */
  readonly choices?: readonly Choice[] | ((call: ConsoleCall) => Promise<readonly Choice[]>);
  /** In which form; both unless said. */
  readonly on?: 'create' | 'edit';
  /** Heading that it stands under; the same word for neighbours. */
  readonly group?: string;
  /** What a new thing begins with. */
  readonly initial?: string | readonly string[];
  readonly autocomplete?: string;
};

/** What a form holds, by field: text for most (`lines` one a line, `words` with spaces, `check` 'yes' or ''), lists for `checks`. */
export type FormFill = Readonly<Record<string, string | readonly string[]>>;

/** What was sent. Each answers in the form that acts want; a name that is no field of the form is a fault of the row. */
export type FormReader = {
  /** As typed, without spaces around. */
  text(name: string): string;
  /** As typed, all of it: secrets, passwords. */
  raw(name: string): string;
  /** null for an empty one. */
  orNull(name: string): string | null;
  /** One of these words; null for any other, and for none. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | null;
  /** Of `lines`: without empty ones. Of `words`: split at spaces. Of `checks`: those chosen. */
  many(name: string): readonly string[];
  /** The chosen that are among these words. */
  chosen<Word extends string>(name: string, words: readonly Word[]): readonly Word[];
  on(name: string): boolean;
  /** null for an empty one. Others were refused before. */
  number(name: string): number | null;
};

/** What is shown once after an act: a secret, with what belongs to it. */
export type Shown = { readonly label: string; readonly text: string; readonly facts?: readonly (readonly [label: string, value: Value])[] };

/** What came of creating something: which it is, and what is shown once. */
export type Made = { readonly id: string; readonly shown?: Shown | null };

/** What can be done with one thing. */
export type ActionRow<T> = {
  /** Last part of its path: `rotate-secret`. */
  readonly name: string;
  /** On the button: `Rotate secret`. */
  readonly label: string;
  /** Says what will happen, before it does. */
  readonly says: (thing: T, call: ConsoleCall) => readonly string[] | Promise<readonly string[]>;
  readonly tone?: 'main' | 'plain' | 'danger';
  /** Takes a sign-in of the last minutes. */
  readonly recent?: boolean;
  /** Whether it is offered now; yes unless said. */
  readonly when?: (thing: T, call: ConsoleCall) => boolean;
  /** What it takes `write` of, where that is another area than the row's. */
  readonly area?: AdminArea;
  /** Nothing for who is bound to a tenant: for them it is not there. */
  readonly serverOnly?: boolean;
  readonly fields?: readonly FieldRow[];
  /** What its form begins with. The call's query may say more. */
  readonly fill?: (thing: T, call: ConsoleCall) => FormFill;
  /** What its form begins with, remembered as with editing: `guard` then goes to the act. */
  readonly values?: (thing: T) => FormFill;
  /** Whether there is a button for it beside the title; yes unless said. Without one, something on the page leads there. */
  readonly button?: boolean;
  /** What it then says: `The secret was rotated.`; or what is shown once. */
  readonly act: (call: ConsoleCall, thing: T, form: FormReader, guard: (current: T) => boolean) => Promise<Managed<{ readonly said: string } | { readonly shown: Shown }>>;
  /** Where it leads to: the thing's page, unless it is gone. */
  readonly back?: 'list' | ((call: ConsoleCall) => string);
};

/** What can be done with several at once, or with all. */
export type BulkRow = Pick<ActionRow<never>, 'name' | 'label' | 'tone' | 'recent' | 'fields'> & {
  readonly says: (call: ConsoleCall) => readonly string[] | Promise<readonly string[]>;
  /** What its form begins with: the list's filters come as the query. */
  readonly fill?: (call: ConsoleCall) => FormFill;
  readonly act: (call: ConsoleCall, form: FormReader) => Promise<Managed<{ readonly said: string } | { readonly shown: Shown }>>;
};

/** A filter of a list: one of several, or typed. */
export type FilterRow = { readonly name: string; readonly label: string; readonly placeholder?: string; readonly choices?: readonly Choice[] };

/** What is asked of a list. `filters` holds every declared filter; '' where it is not set. */
export type ListWish = { readonly page: Page; readonly search: string; readonly filters: Readonly<Record<string, string>> };

/** One kind of thing. */
export type ResourceRow<T> = {
  /** First part of its paths: `clients`. */
  readonly name: string;
  readonly at: 'tenant' | 'server';
  /** Things of the server that also who is bound to a tenant may see: `list` and `load` must keep to `call.bound`. */
  readonly forBound?: boolean;
  readonly area: AdminArea;
  readonly icon: IconName;
  /** In the navigation and over the list: `Clients`. */
  readonly title: string;
  /** `client`, as in `New client`. */
  readonly one: string;
  /** Under the title of the list, one line. */
  readonly explain: string;
  /** Where there are none. */
  readonly empty: string;
  /** Whether it has no pages for single things: rows lead nowhere. */
  readonly listOnly?: boolean;
  /** There is one of it: no list, and its page is where the list would be. */
  readonly single?: boolean;
  /** Where the pages of its things are, where not below the list. */
  readonly page?: (call: ConsoleCall, id: string) => string;
  /** Not in the navigation: something else leads there. */
  readonly aside?: boolean;
  /** false: the first column does not lead to a thing's page, for its cells, or another column's, are links themselves. */
  readonly linked?: boolean;
  readonly columns: readonly { readonly title: string; readonly cell: (thing: T, call: ConsoleCall) => Value | Promise<Value>; readonly minor?: boolean; readonly number?: boolean }[];
  /** Placeholder of the search box; without it there is none. */
  readonly search?: string;
  readonly filters?: readonly FilterRow[];
  readonly list: (call: ConsoleCall, wish: ListWish) => Paged<T> | Promise<Paged<T>>;
  readonly id: (thing: T) => string;
  /** What people call it. */
  readonly label: (thing: T) => string;
  readonly state?: (thing: T) => Badge | null;
  /** Whether it stands back in the list: disabled, revoked. */
  readonly dim?: (thing: T) => boolean;
  readonly load: (call: ConsoleCall, id: string) => Promise<Managed<T>>;
  readonly facts: (thing: T, call: ConsoleCall) => readonly FactGroup[] | Promise<readonly FactGroup[]>;
  readonly fields?: readonly FieldRow[];
  /** `recent`: takes a sign-in of the last minutes, for what gives access. */
  readonly create?: { readonly act: (call: ConsoleCall, form: FormReader) => Promise<Managed<Made>>; readonly recent?: boolean };
  /** What the edit form begins with; a hidden field remembers it, so that nobody overwrites what they did not see. */
  readonly values?: (thing: T) => FormFill;
  readonly update?: (call: ConsoleCall, thing: T, form: FormReader, guard: (current: T) => boolean) => Promise<Managed<unknown>>;
  /** Changing takes a sign-in of the last minutes, for it gives access. */
  readonly recentUpdate?: boolean;
  readonly actions?: readonly ActionRow<T>[];
  readonly bulk?: readonly BulkRow[];
  /** Links over the list beside the buttons: exports, documents. */
  readonly links?: (call: ConsoleCall, wish: ListWish) => readonly ActionLink[];
};

/** One thing, in hand. */
export type LoadedThing = {
  readonly id: string;
  readonly label: string;
  readonly state: Badge | null;
  readonly facts: (call: ConsoleCall) => Promise<readonly FactGroup[]>;
  readonly fill: FormFill;
  readonly update: (call: ConsoleCall, form: FormReader, seen: (fill: FormFill) => boolean) => Promise<Managed<unknown>>;
  readonly actions: readonly LoadedAction[];
};

export type LoadedAction = Omit<ActionRow<never>, 'says' | 'when' | 'fill' | 'values' | 'act'> & {
  readonly offered: boolean;
  readonly fill: FormFill;
  /** Whether its form remembers what it began with. */
  readonly guarded: boolean;
  readonly says: (call: ConsoleCall) => Promise<readonly string[]>;
  readonly act: (call: ConsoleCall, form: FormReader, seen: (fill: FormFill) => boolean) => Promise<Managed<{ readonly said: string } | { readonly shown: Shown }>>;
};

/** A row whose things only it knows. */
export type ConsoleResource = Pick<
  ResourceRow<never>, 'name' | 'at' | 'forBound' | 'area' | 'icon' | 'title' | 'one' | 'explain' | 'empty' | 'search' | 'filters' | 'fields' | 'create' | 'listOnly' | 'linked' | 'bulk' | 'links' | 'single' | 'page' | 'aside' | 'recentUpdate'
> & {
  readonly columns: readonly { readonly title: string; readonly minor: boolean; readonly number: boolean }[];
  readonly updatable: boolean;
  /** Its actions, with what their routes ask for. */
  readonly actionNames: readonly (Pick<ActionRow<never>, 'name' | 'area' | 'serverOnly'> & { readonly recent: boolean })[];
  readonly list: (call: ConsoleCall, wish: ListWish) => Promise<Paged<{ readonly id: string; readonly cells: readonly Value[]; readonly dim: boolean }>>;
  readonly load: (call: ConsoleCall, id: string) => Promise<Managed<LoadedThing>>;
};

/** Declares a kind of thing. */
export function resource<T>(row: ResourceRow<T>): ConsoleResource {
  const { columns, list, load, id, label, state, dim, facts, values, update, actions = [], ...plain } = row;
  return {
    ...plain,
    columns: columns.map(({ title, minor = false, number = false }) => ({ title, minor, number })),
    updatable: update !== undefined,
    actionNames: actions.map(({ name, area, serverOnly, recent = false }) => ({ name, recent, ...(area !== undefined && { area }), ...(serverOnly !== undefined && { serverOnly }) })),
    async list(call, wish) {
      const { items, next } = await list(call, wish);
      return {
        next,
        items: await Promise.all(items.map(async (thing) => ({
          id: id(thing), dim: dim?.(thing) ?? false, cells: await Promise.all(columns.map(async ({ cell }) => cell(thing, call))),
        }))),
      };
    },
    async load(call, wanted) {
      const found = await load(call, wanted);
      if (!found.ok) return found;
      const thing = found.value;
      return { ok: true, warnings: found.warnings, value: {
        id: id(thing), label: label(thing), state: state?.(thing) ?? null, fill: values?.(thing) ?? {},
        facts: async (asked) => facts(thing, asked),
        update: async (asked, form, seen) => update === undefined
          ? { ok: false, error: 'forbidden', description: 'this cannot be changed', member: null, hint: null }
          : update(asked, thing, form, (current) => seen(values?.(current) ?? {})),
        actions: actions.map(({ when, says, act, fill, values: begin, ...action }) => ({
          ...action, offered: (when?.(thing, call) ?? true) && (action.serverOnly !== true || call.bound === null), guarded: begin !== undefined, fill: begin?.(thing) ?? fill?.(thing, call) ?? {},
          says: async (asked: ConsoleCall) => says(thing, asked),
          act: async (asked: ConsoleCall, form: FormReader, seen: (current: FormFill) => boolean) => act(asked, thing, form, (current) => begin === undefined || seen(begin(current))),
        })),
      } };
    },
  };
}
