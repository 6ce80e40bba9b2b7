/**
 * What the console's pages are told: plain facts, already decided. Pages turn them into HTML and nothing else.
 *
 * The console speaks English. Whoever operates a server reads its log, its commands and its documentation in English too, and
 * a half-translated tool would be worse than one in one language. Nothing in the frame stands in the way of more: the language
 * is this one constant, times and numbers are formatted with it, sentences are whole and stand in the pages, and nothing is
 * laid out by the length of a word.
 */
import type { IconName } from '../icons.tsx';
import type { Locale } from '../views.ts';

export const consoleLocale: Locale = 'en';

/** How something stands, as a colour beside the word that says it. */
export type Mood = 'good' | 'warn' | 'bad' | 'calm';
export type Badge = { readonly text: string; readonly mood: Mood };

/** One value in a table or a list of facts. Text by itself is text; null is a dash. Make the others with the functions below. */
export type Value =
  | string
  | null
  | { readonly kind: 'mono'; readonly text: string; readonly copy: boolean }
  | { readonly kind: 'soft'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string; readonly mono: boolean }
  | ({ readonly kind: 'badge' } & Badge)
  /** How long ago or ahead; the exact time is its title. */
  | { readonly kind: 'time'; readonly atMs: number }
  | { readonly kind: 'duration'; readonly seconds: number }
  /** How a button looks: words on a ground, `#rrggbb`. */
  | { readonly kind: 'sample'; readonly text: string; readonly fill: string; readonly ink: string; readonly page: string }
  /** `src`: a `data:` URL. */
  | { readonly kind: 'picture'; readonly src: string; readonly alt: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  /** Several in one line. */
  | { readonly kind: 'row'; readonly items: readonly Value[] };

/** An id or address, in the script of machines. @param copy with a button that copies it */
export function mono(text: string | null, copy = false): Value {
  return text === null ? null : { kind: 'mono', text, copy };
}

/** Words beside the point. */
export function soft(text: string): Value {
  return { kind: 'soft', text };
}

/** @param href path of the console, or an address of this server */
export function link(text: string, href: string, inMono = false): Value {
  return { kind: 'link', text, href, mono: inMono };
}

export function badge(text: string, mood: Mood): Value {
  return { kind: 'badge', text, mood };
}

/** @param atMs milliseconds; null: never */
export function time(atMs: number | null): Value {
  return atMs === null ? null : { kind: 'time', atMs };
}

/** @param seconds null: not said */
export function duration(seconds: number | null): Value {
  return seconds === null ? null : { kind: 'duration', seconds };
}

/** One below the other; nothing where there is none. */
export function list(items: readonly Value[]): Value {
  return items.length === 0 ? null : { kind: 'list', items };
}

/** Beside each other. */
export function row(items: readonly Value[]): Value {
  return items.length === 0 ? null : { kind: 'row', items };
}

/** Yes or no, in words. */
export function yesNo(on: boolean): Value {
  return on ? 'yes' : 'no';
}

/** Whether something works, as a badge. */
export function enabledBadge(enabled: boolean): Badge {
  return enabled ? { text: 'enabled', mood: 'good' } : { text: 'disabled', mood: 'warn' };
}

export type NavItem = { readonly text: string; readonly href: string; readonly icon: IconName; readonly current: boolean };
export type NavGroup = { readonly title: string; readonly items: readonly NavItem[] };
export type Crumb = { readonly text: string; readonly href: string | null };

/** What just happened; shown once. */
export type Flash = { readonly text: string; readonly warnings: readonly string[] };

/** What stands around every page of the console. */
export type Frame = {
  readonly title: string;
  /** Under the title, one line; null: nothing. */
  readonly explain: string | null;
  readonly state: Badge | null;
  readonly crumbs: readonly Crumb[];
  readonly nav: readonly NavGroup[];
  readonly switcher: TenantSwitcher | null;
  readonly person: { readonly name: string; readonly accountHref: string };
  readonly csrf: string;
  readonly flash: Flash | null;
  readonly problem: string | null;
  /** Buttons beside the title. */
  readonly actions: readonly ActionLink[];
  readonly assets: Assets;
  readonly version: string;
  readonly nowMs: number;
  /** Of the search box; null: no search here. */
  readonly search: string | null;
};

/** Paths of the style sheet and the script. */
export type Assets = { readonly style: string; readonly script: string };

export type TenantSwitcher = {
  /** Of the tenant that the page is in; null: in none. */
  readonly current: { readonly name: string; readonly slug: string } | null;
  readonly tenants: readonly { readonly name: string; readonly slug: string; readonly href: string }[];
  /** Where all of them are; null: these are all. */
  readonly allHref: string | null;
};

/** A link that looks like a button; what changes anything has a page of its own behind it. */
export type ActionLink = { readonly text: string; readonly href: string; readonly tone: 'main' | 'plain' | 'danger' };

/** A table in parts. */
export type TableView = {
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly minor: boolean; readonly number: boolean }[];
  readonly rows: readonly { readonly key: string; readonly href: string | null; readonly cells: readonly Value[]; readonly dim: boolean; readonly act?: RowAct }[];
  /** What stands there where there are none. */
  readonly empty: string;
  readonly nextHref: string | null;
  /** Back to the beginning; null: this is it. */
  readonly firstHref: string | null;
};

/** One button at the end of a row: it leads to the page that asks. */
export type RowAct = { readonly text: string; readonly href: string; readonly label: string; /** Danger unless said. */ readonly tone?: 'plain' | 'danger' };

/** What narrows a list: a form that asks by GET. */
export type FilterView = {
  readonly action: string;
  readonly search: { readonly placeholder: string; readonly value: string } | null;
  readonly filters: readonly { readonly name: string; readonly label: string; readonly value: string; readonly choices: readonly Choice[] | null; readonly placeholder: string }[];
  /** Whether anything narrows it now. */
  readonly active: boolean;
};

/** `group`: heading over it and its neighbours of the same group, where there are many. */
export type Choice = { readonly value: string; readonly text: string; readonly group?: string };

/** Facts under one heading. */
export type FactGroup = {
  readonly title: string;
  readonly explain?: string;
  readonly facts?: readonly (readonly [label: string, value: Value])[];
  readonly table?: TableView;
  readonly links?: readonly ActionLink[];
};

/** A field of a form, with what was typed and what is wrong with it. */
export type FieldView = {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  readonly help: string | null;
  readonly required: boolean;
  readonly placeholder: string;
  readonly choices: readonly Choice[];
  /** Chosen or typed; of several choices all. */
  readonly value: string;
  readonly values: readonly string[];
  readonly fault: string | null;
  readonly autocomplete: string;
};

/**
 * `text` one line, with suggestions where there are choices · `lines` one value a line · `words` values between spaces · `choice` one of several · `checks` any of several ·
 * `check` on or off · `number` whole · `secret` not shown · `block` several lines of text
 */
export type FieldType = 'text' | 'lines' | 'words' | 'choice' | 'checks' | 'check' | 'number' | 'secret' | 'block' | 'email' | 'url';

export type FormView = {
  readonly action: string;
  readonly csrf: string;
  readonly hidden: readonly (readonly [name: string, value: string])[];
  readonly groups: readonly { readonly title: string | null; readonly fields: readonly FieldView[] }[];
  readonly submit: string;
  readonly tone: 'main' | 'danger';
  readonly cancelHref: string;
  /** What is wrong with no field in particular; null: nothing. */
  readonly problem: string | null;
  /** Says what will happen, before the fields. */
  readonly says: readonly string[];
};

/** A secret in the clear: this once. */
export type SecretView = {
  readonly label: string;
  readonly text: string;
  readonly facts: readonly (readonly [label: string, value: Value])[];
  readonly warnings: readonly string[];
  readonly onHref: string;
  /** What is behind that: `Go on to the client`. */
  readonly onText: string;
};
