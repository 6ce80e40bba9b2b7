import { createHash } from 'node:crypto';
import { renderForm, renderGroups, renderList, renderSecret } from '../../pages/admin/forms.tsx';
import type { ActionLink, Crumb, FieldView, FilterView } from '../../pages/admin/views.ts';
import type { Refusal } from '../../service/manage-outcome.ts';
import { answerHtml, formToken, frameOf, goOn } from './answer.ts';
import { may, param, readPosted, tenantOf, type ConsoleCall, type ConsoleRoute, type Posted } from './call.ts';
import { answerBadForm, answerMissing } from './endings.ts';
import { fillOf, findFormFaults, knownFields, placeRefusal, readerOf, sentence, viewFields } from './form.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';
import type { BulkRow, ConsoleResource, FieldRow, FormFill, FormReader, LoadedAction, LoadedThing, Shown } from './resource.ts';

/** Things in one part of a list. */
const PART = 50;

function pathTo(call: ConsoleCall, { name, at }: ConsoleResource, ...parts: readonly string[]): string {
  return at === 'tenant' ? tenantPath(tenantOf(call).slug, name, ...parts) : consolePath(name, ...parts);
}

/** Where a thing's page is, or something below it. */
function pathOfThing(call: ConsoleCall, row: ConsoleResource, id: string, ...parts: readonly string[]): string {
  if (row.page !== undefined) return row.page(call, id);
  return row.single === true ? pathTo(call, row, ...parts) : pathTo(call, row, id, ...parts);
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Every page of a kind of thing. */
export function routesOf(row: ConsoleResource): readonly ConsoleRoute[] {
  const base = `${row.at === 'tenant' ? '/t/:tenant' : ''}/${row.name}`;
  const shared = { area: row.area, serverOnly: row.at === 'server' && row.forBound !== true } as const;
  const one = row.single === true ? base : `${base}/:id`;
  const routes: ConsoleRoute[] = row.single === true ? [] : [{ ...shared, path: base, show: (call) => showList(call, row) }];
  if (row.create !== undefined) {
    routes.push({ ...shared, path: `${base}/new`, access: 'write', recent: row.create.recent ?? false, show: (call) => showNew(call, row, null, none), post: (call) => postNew(call, row) });
  }
  if (row.listOnly !== true) routes.push({ ...shared, path: one, show: (call) => withThing(call, row, (thing) => showThing(call, row, thing)) });
  if (row.updatable) {
    routes.push({
      ...shared, path: `${one}/edit`, access: 'write', recent: row.recentUpdate ?? false,
      show: (call) => withThing(call, row, (thing) => showEdit(call, row, thing, thing.fill, none)), post: (call) => withThing(call, row, (thing) => postEdit(call, row, thing)),
    });
  }
  for (const { name, recent, area = row.area, serverOnly = shared.serverOnly } of row.actionNames) {
    routes.push({
      area, serverOnly, path: `${one}/${name}`, access: 'write', recent,
      show: (call) => withAction(call, row, name, (thing, action) => showAction(call, row, thing, action, action.fill, none)),
      post: (call) => withAction(call, row, name, (thing, action) => postAction(call, row, thing, action)),
    });
  }
  for (const bulk of row.bulk ?? []) {
    routes.push({
      ...shared, path: `${base}/do/${bulk.name}`, access: 'write', recent: bulk.recent ?? false,
      show: (call) => showBulk(call, row, bulk, bulk.fill?.(call) ?? {}, none), post: (call) => postBulk(call, row, bulk),
    });
  }
  return routes;
}

type Trouble = { readonly faults: ReadonlyMap<string, string>; readonly problem: string | null };
const none: Trouble = { faults: new Map(), problem: null };

function listCrumb(call: ConsoleCall, row: ConsoleResource): Crumb {
  return { text: row.title, href: pathTo(call, row) };
}

async function showList(call: ConsoleCall, row: ConsoleResource): Promise<Response> {
  const { query } = call;
  const after = query.get('after');
  const search = row.search === undefined ? '' : (query.get('q') ?? '').trim();
  const filters = Object.fromEntries((row.filters ?? []).map(({ name, choices }) => {
    const value = (query.get(name) ?? '').trim();
    return [name, choices === undefined || choices.some((choice) => choice.value === value) ? value : ''] as const;
  }));
  const { items, next } = await row.list(call, { page: { after, limit: PART }, search, filters });
  const narrowed = { q: search, ...filters };
  const filter: FilterView = {
    action: pathTo(call, row), search: row.search === undefined ? null : { placeholder: row.search, value: search },
    filters: (row.filters ?? []).map(({ name, label, placeholder = 'any', choices = null }) => ({ name, label, placeholder, choices, value: filters[name] ?? '' })),
    active: Object.values(narrowed).some((value) => value !== ''),
  };
  const frame = await frameOf(call, {
    title: row.title, explain: row.explain,
    actions: [
      ...(row.links?.(call, { page: { after, limit: PART }, search, filters }) ?? []),
      ...(may(call, row.area, 'write') ? [
        ...(row.bulk ?? []).map(({ name, label, tone = 'plain' }) => ({ text: label, href: withQuery(`${pathTo(call, row)}/do/${name}`, filters), tone })),
        ...(row.create === undefined ? [] : [{ text: `New ${row.one}`, href: `${pathTo(call, row)}/new`, tone: 'main' } as const]),
      ] : []),
    ],
  });
  return answerHtml(call.visit, renderList(frame, { filter, table: {
    caption: row.title, columns: row.columns, empty: filter.active ? 'Nothing matches.' : row.empty,
    rows: items.map(({ id, cells, dim }) => ({ key: id, href: (row.listOnly === true && row.page === undefined) || row.linked === false ? null : pathOfThing(call, row, id), cells, dim })),
    nextHref: next === null ? null : withQuery(pathTo(call, row), { ...narrowed, after: next }), firstHref: after === null ? null : withQuery(pathTo(call, row), narrowed),
  } }));
}

/** A thing that is not there, or not any more, is 404. */
async function withThing(call: ConsoleCall, row: ConsoleResource, show: (thing: LoadedThing) => Promise<Response>): Promise<Response> {
  const found = await row.load(call, row.single === true ? '' : param(call, 'id'));
  return found.ok ? show(found.value) : answerMissing(call, `There is no such ${row.one}.`);
}

async function withAction(call: ConsoleCall, row: ConsoleResource, name: string, go: (thing: LoadedThing, action: LoadedAction) => Promise<Response>): Promise<Response> {
  return withThing(call, row, async (thing) => {
    const action = thing.actions.find((one) => one.name === name);
    // What is done already needs no doing: back to how it stands.
    return action === undefined || !action.offered ? goOn(call, pathOfThing(call, row, thing.id), null) : go(thing, action);
  });
}

async function showThing(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing): Promise<Response> {
  const path = pathOfThing(call, row, thing.id);
  const actions: readonly ActionLink[] = [
    ...(row.updatable && may(call, row.area, 'write') ? [{ text: 'Edit', href: `${path}/edit`, tone: 'main' } as const] : []),
    ...thing.actions.filter(({ offered, button = true, area = row.area }) => offered && button && may(call, area, 'write')).map(({ name, label, tone = 'plain' }) => ({ text: label, href: `${path}/${name}`, tone })),
  ];
  const frame = row.single === true
    ? await frameOf(call, { title: row.title, explain: row.explain, state: thing.state, actions })
    : await frameOf(call, { title: thing.label, state: thing.state, crumbs: [listCrumb(call, row)], actions });
  return answerHtml(call.visit, renderGroups(frame, await thing.facts(call)));
}

// ------------------------------------------------------------------------------------------------------------- forms

type FormPage = {
  readonly title: string;
  readonly crumbs: readonly Crumb[];
  readonly fields: readonly FieldRow[];
  readonly fill: FormFill | null;
  readonly trouble: Trouble;
  readonly hidden?: readonly (readonly [name: string, value: string])[];
  readonly submit: string;
  readonly tone?: 'main' | 'danger';
  readonly cancelHref: string;
  readonly says?: readonly string[];
  readonly status?: number;
};

async function answerForm(call: ConsoleCall, page: FormPage): Promise<Response> {
  const { fields, fill, trouble } = page;
  const groups: readonly { readonly title: string | null; readonly fields: readonly FieldView[] }[] = await viewFields(call, fields, fill, trouble.faults);
  const faulty = trouble.problem !== null || trouble.faults.size > 0;
  const frame = await frameOf(call, { title: page.title, crumbs: page.crumbs });
  return answerHtml(call.visit, renderForm(frame, {
    action: call.path, csrf: formToken(call.visit), hidden: page.hidden ?? [], groups, submit: page.submit, tone: page.tone ?? 'main', cancelHref: page.cancelHref,
    problem: trouble.problem ?? (trouble.faults.size > 0 ? 'This could not be done: look at what is marked.' : null), says: page.says ?? [],
  }), page.status ?? (faulty ? 400 : 200));
}

/** Reads what was sent. @returns a page that says what is wrong with it, or the reader */
async function readForm(
  call: ConsoleCall, fields: readonly FieldRow[], more: readonly string[], again: (fill: FormFill, trouble: Trouble) => Promise<Response>,
): Promise<Response | { readonly posted: Posted; readonly form: FormReader; readonly refuse: (refusal: Refusal) => Promise<Response> }> {
  const posted = readPosted(call, knownFields(fields, more));
  if (posted === null) return answerBadForm(call);
  const fill = fillOf(fields, posted);
  const faults = findFormFaults(fields, posted);
  if (faults.size > 0) return again(fill, { faults, problem: null });
  return { posted, form: readerOf(fields, posted), refuse: (refusal) => again(fill, placeRefusal(fields, refusal)) };
}

function fieldsFor({ fields = [] }: ConsoleResource, on: 'create' | 'edit'): readonly FieldRow[] {
  return fields.filter((field) => field.on === undefined || field.on === on);
}

function showNew(call: ConsoleCall, row: ConsoleResource, fill: FormFill | null, trouble: Trouble): Promise<Response> {
  return answerForm(call, { title: `New ${row.one}`, crumbs: [listCrumb(call, row)], fields: fieldsFor(row, 'create'), fill, trouble, submit: `Create ${row.one}`, cancelHref: pathTo(call, row) });
}

async function postNew(call: ConsoleCall, row: ConsoleResource): Promise<Response> {
  const reading = await readForm(call, fieldsFor(row, 'create'), [], (fill, trouble) => showNew(call, row, fill, trouble));
  if (reading instanceof Response) return reading;
  const made = await row.create?.act(call, reading.form);
  if (made === undefined) return answerMissing(call, 'There is nothing here.');
  if (!made.ok) return reading.refuse(made);
  const { id, shown = null } = made.value;
  const path = row.listOnly === true && row.page === undefined ? pathTo(call, row) : pathOfThing(call, row, id);
  return shown === null
    ? goOn(call, path, { text: `${capital(row.one)} created.`, warnings: made.warnings.map(sentence) })
    : answerShown(call, { title: `${capital(row.one)} created`, crumbs: [listCrumb(call, row)], shown, warnings: made.warnings, path, one: row.one });
}

async function answerShown(
  call: ConsoleCall, { title, crumbs, shown, warnings, path, one }: { readonly title: string; readonly crumbs: readonly Crumb[]; readonly shown: Shown; readonly warnings: readonly string[]; readonly path: string; readonly one: string },
): Promise<Response> {
  // In the answer itself: a page that it could be had from again would have to keep it.
  const frame = await frameOf(call, { title, crumbs });
  return answerHtml(call.visit, renderSecret(frame, { label: shown.label, text: shown.text, facts: shown.facts ?? [], warnings: warnings.map(sentence), onHref: path, onText: `Go on to the ${one}` }));
}

/** Names what somebody saw, so that a change of something else meanwhile is noticed. */
function seenAs(fill: FormFill): string {
  return createHash('sha256').update(JSON.stringify(Object.entries(fill).toSorted(([one], [other]) => (one < other ? -1 : 1)))).digest('base64url');
}

/** Where a page below a thing's is. */
function crumbsOf(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing): readonly Crumb[] {
  return row.single === true ? [listCrumb(call, row)] : [listCrumb(call, row), { text: thing.label, href: pathOfThing(call, row, thing.id) }];
}

const stale: Refusal = {
  ok: false, error: 'outdated', member: null, hint: null,
  description: 'Somebody else changed this meanwhile. Below is what you typed; look at what it is now (in another tab), and save again if it still is right.',
};

function showEdit(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing, fill: FormFill, trouble: Trouble): Promise<Response> {
  return answerForm(call, {
    title: `Edit ${thing.label}`, crumbs: crumbsOf(call, row, thing), fields: fieldsFor(row, 'edit'), fill, trouble,
    hidden: [['seen', seenAs(thing.fill)]], submit: 'Save', cancelHref: pathOfThing(call, row, thing.id),
  });
}

async function postEdit(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing): Promise<Response> {
  const reading = await readForm(call, fieldsFor(row, 'edit'), ['seen'], (fill, trouble) => showEdit(call, row, thing, fill, trouble));
  if (reading instanceof Response) return reading;
  const seen = reading.posted.one('seen');
  const isSeen = (fill: FormFill): boolean => seenAs(fill) === seen;
  if (!isSeen(thing.fill)) return reading.refuse(stale);
  const updated = await thing.update(call, reading.form, isSeen);
  if (!updated.ok) return reading.refuse(updated.error === 'outdated' ? stale : updated);
  return goOn(call, pathOfThing(call, row, thing.id), { text: 'Saved.', warnings: updated.warnings.map(sentence) });
}

async function showAction(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing, action: LoadedAction, fill: FormFill, trouble: Trouble): Promise<Response> {
  return answerForm(call, {
    title: `${action.label}: ${thing.label}`, crumbs: crumbsOf(call, row, thing), fields: action.fields ?? [], fill, trouble, hidden: action.guarded ? [['seen', seenAs(action.fill)]] : [],
    submit: action.guarded ? 'Save' : action.label, tone: action.tone === 'danger' ? 'danger' : 'main', cancelHref: pathOfThing(call, row, thing.id), says: await action.says(call),
  });
}

async function postAction(call: ConsoleCall, row: ConsoleResource, thing: LoadedThing, action: LoadedAction): Promise<Response> {
  const reading = await readForm(call, action.fields ?? [], action.guarded ? ['seen'] : [], (fill, trouble) => showAction(call, row, thing, action, fill, trouble));
  if (reading instanceof Response) return reading;
  const isSeen = (fill: FormFill): boolean => !action.guarded || seenAs(fill) === reading.posted.one('seen');
  const done = isSeen(action.fill) ? await action.act(call, reading.form, isSeen) : stale;
  if (!done.ok) return reading.refuse(done.error === 'outdated' ? stale : done);
  const path = action.back === undefined ? pathOfThing(call, row, thing.id) : action.back === 'list' ? pathTo(call, row) : action.back(call);
  return 'shown' in done.value
    ? answerShown(call, { title: action.label, crumbs: crumbsOf(call, row, thing), shown: done.value.shown, warnings: done.warnings, path, one: row.one })
    : goOn(call, path, { text: done.value.said, warnings: done.warnings.map(sentence) });
}

async function showBulk(call: ConsoleCall, row: ConsoleResource, bulk: BulkRow, fill: FormFill, trouble: Trouble): Promise<Response> {
  return answerForm(call, {
    title: bulk.label, crumbs: [listCrumb(call, row)], fields: bulk.fields ?? [], fill, trouble,
    submit: bulk.label, tone: bulk.tone === 'danger' ? 'danger' : 'main', cancelHref: pathTo(call, row), says: await bulk.says(call),
  });
}

async function postBulk(call: ConsoleCall, row: ConsoleResource, bulk: BulkRow): Promise<Response> {
  const reading = await readForm(call, bulk.fields ?? [], [], (fill, trouble) => showBulk(call, row, bulk, fill, trouble));
  if (reading instanceof Response) return reading;
  const done = await bulk.act(call, reading.form);
  if (!done.ok) return reading.refuse(done);
  const path = pathTo(call, row);
  return 'shown' in done.value
    ? answerShown(call, { title: bulk.label, crumbs: [listCrumb(call, row)], shown: done.value.shown, warnings: done.warnings, path, one: 'list' })
    : goOn(call, path, { text: done.value.said, warnings: done.warnings.map(sentence) });
}
