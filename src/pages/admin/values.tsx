/** @jsxImportSource preact */
/** How values, tables and notes look. */
import type { ComponentChildren, VNode } from 'preact';
import { Icon } from '../icons.tsx';
import { formatAgo, formatDuration, formatMoment } from '../times.ts';
import { consoleLocale, type ActionLink, type Badge, type FactGroup, type FilterView, type TableView, type Value } from './views.ts';

/** A value of a table or a list of facts. */
export function Show({ value, nowMs }: { readonly value: Value; readonly nowMs: number }): VNode {
  if (value === null || value === '') return <span class="none">–</span>;
  if (typeof value === 'string') return <bdi>{value}</bdi>;
  switch (value.kind) {
    case 'mono':
      return value.copy
        ? <span class="copied"><code><bdi>{value.text}</bdi></code><CopyButton text={value.text} /></span>
        : <code><bdi>{value.text}</bdi></code>;
    case 'soft':
      return <span class="soft">{value.text}</span>;
    case 'link':
      return <a href={value.href} class={value.mono ? 'mono' : undefined}><bdi>{value.text}</bdi></a>;
    case 'badge':
      return <Tag badge={value} />;
    case 'time':
      return <Moment atMs={value.atMs} nowMs={nowMs} />;
    case 'duration':
      return <span title={`${value.seconds} s`}>{formatDuration(consoleLocale, value.seconds)}</span>;
    case 'sample':
      return <svg class="sample" width="132" height="56" viewBox="0 0 132 56" role="img" aria-label={`${value.text} in ${value.fill}`}><rect width="132" height="56" rx="8" fill={value.page} /><rect x="12" y="11" width="108" height="34" rx="7" fill={value.fill} /><text x="66" y="33" text-anchor="middle" font-size="14" fill={value.ink}>{value.text}</text></svg>;
    case 'picture':
      return <img class="picture" src={value.src} alt={value.alt} />;
    case 'list':
      return <ul class="plain-list">{value.items.map((item, place) => <li key={place}><Show value={item} nowMs={nowMs} /></li>)}</ul>;
    case 'row':
      return <span class="in-row">{value.items.map((item, place) => <Show key={place} value={item} nowMs={nowMs} />)}</span>;
  }
}

/** Copies a text; hidden where there are no scripts. */
export function CopyButton({ text }: { readonly text: string }): VNode {
  return <button type="button" class="copy" data-copy={text} aria-label="Copy" title="Copy" hidden><Icon name="copy" size={16} /></button>;
}

export function Tag({ badge }: { readonly badge: Badge }): VNode {
  return <span class={`tag ${badge.mood}`}>{badge.text}</span>;
}

/** `5 minutes ago`, `in 3 days`, with the exact time as its title. */
export function Moment({ atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): VNode {
  const words = atMs > nowMs ? `in ${formatDuration(consoleLocale, (atMs - nowMs) / 1000)}` : formatAgo(consoleLocale, atMs, nowMs) ?? 'just now';
  return <time datetime={new Date(atMs).toISOString()} title={formatMoment(consoleLocale, atMs)}>{words}</time>;
}

/** A note that cannot be overlooked. */
export function Note({ mood, role, children }: { readonly mood: 'good' | 'bad' | 'warn'; readonly role?: 'status' | 'alert'; readonly children: ComponentChildren }): VNode {
  return <div class={`note ${mood}`} role={role}><Icon name={mood === 'good' ? 'check' : 'alert'} /><div>{children}</div></div>;
}

export function Actions({ actions }: { readonly actions: readonly ActionLink[] }): VNode | null {
  if (actions.length === 0) return null;
  return <div class="acts">{actions.map(({ text, href, tone }) => <a key={href} class={`button ${tone}`} href={href}>{text}</a>)}</div>;
}

/** A table, which on a narrow screen is a list of cards. */
export function Table({ table, nowMs }: { readonly table: TableView; readonly nowMs: number }): VNode {
  if (table.rows.length === 0 && table.firstHref === null) return <p class="empty">{table.empty}</p>;
  const acts = table.rows.some(({ act }) => act !== undefined);
  return (
    <>
      <div class="scroll" tabindex={0} role="region" aria-label={table.caption}>
        <table>
          <caption class="unseen">{table.caption}</caption>
          <thead>
            <tr>
              {table.columns.map(({ title, minor, number }) => <th key={title} scope="col" class={columnClass(minor, number)}>{title}</th>)}
              {acts ? <th scope="col"><span class="unseen">What to do</span></th> : null}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((one) => <TableRow key={one.key} table={table} row={one} nowMs={nowMs} acts={acts} />)}
          </tbody>
        </table>
      </div>
      <Pager table={table} />
    </>
  );
}

/** One row. @param acts whether rows of the table end with a button */
export function TableRow({ table: { columns }, row: { href, cells, dim, act }, nowMs, acts = false }: {
  readonly table: Pick<TableView, 'columns'>; readonly row: TableView['rows'][number]; readonly nowMs: number; readonly acts?: boolean;
}): VNode {
  return (
    <tr class={dim ? 'dim' : undefined}>
      {cells.map((cell, place) => {
        const column = columns[place];
        const shown = <Show value={cell} nowMs={nowMs} />;
        return place === 0
          ? <th key={place} scope="row">{href === null ? shown : <a href={href}>{shown}</a>}</th>
          : <td key={place} class={columnClass(column?.minor === true, column?.number === true)} data-label={column?.title}>{shown}</td>;
      })}
      {acts ? <td class="at-end">{act === undefined ? null : <a class={`button small ${act.tone ?? 'danger'}`} href={act.href} aria-label={act.label}>{act.text}</a>}</td> : null}
    </tr>
  );
}

function columnClass(minor: boolean, number: boolean): string | undefined {
  const names = [...(minor ? ['minor'] : []), ...(number ? ['number'] : [])];
  return names.length === 0 ? undefined : names.join(' ');
}

function Pager({ table: { firstHref, nextHref, caption } }: { readonly table: TableView }): VNode | null {
  if (firstHref === null && nextHref === null) return null;
  return (
    <nav class="pager" aria-label={`Parts of ${caption}`}>
      {firstHref === null ? null : <a class="button" href={firstHref}>First</a>}
      {nextHref === null ? <span class="soft">That is all.</span> : <a class="button" href={nextHref} rel="next">More</a>}
    </nav>
  );
}

/** Filters that are always there; the others open. */
const FIRST = 3;

/** What narrows a list. */
export function Filters({ view }: { readonly view: FilterView }): VNode | null {
  if (view.search === null && view.filters.length === 0) return null;
  const first = view.filters.slice(0, FIRST);
  const others = view.filters.slice(FIRST);
  return (
    <form class="filters" method="get" action={view.action} role="search" aria-label="Narrow the list">
      {view.search === null ? null : (
        <div class="field grow"><label for="filter-q">Search</label><input id="filter-q" name="q" type="search" value={view.search.value} placeholder={view.search.placeholder} autocomplete="off" spellcheck={false} /></div>
      )}
      {first.map((filter) => <Filter key={filter.name} filter={filter} />)}
      {others.length === 0 ? null : (
        <details open={others.some(({ value }) => value !== '')}><summary>More filters</summary><div>{others.map((filter) => <Filter key={filter.name} filter={filter} />)}</div></details>
      )}
      <button>Show</button>
      {view.active ? <a class="button quiet" href={view.action}>Clear</a> : null}
    </form>
  );
}

function Filter({ filter: { name, label, value, choices, placeholder } }: { readonly filter: FilterView['filters'][number] }): VNode {
  const id = `filter-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {choices === null
        ? <input id={id} name={name} value={value} placeholder={placeholder} autocomplete="off" spellcheck={false} />
        : (
          <select id={id} name={name}>
            <option value="">{placeholder}</option>
            {choices.map((choice) => <option key={choice.value} value={choice.value} selected={choice.value === value}>{choice.text}</option>)}
          </select>
        )}
    </div>
  );
}

/** Facts, or a table, under a heading. */
export function Group({ group, nowMs }: { readonly group: FactGroup; readonly nowMs: number }): VNode {
  return (
    <section class={group.table === undefined ? 'box' : 'box flush'}>
      <header><h2>{group.title}</h2><Actions actions={group.links ?? []} /></header>
      {group.explain === undefined ? null : <p class="explain">{group.explain}</p>}
      {group.facts === undefined ? null : <Facts facts={group.facts} nowMs={nowMs} />}
      {group.table === undefined ? null : <Table table={group.table} nowMs={nowMs} />}
    </section>
  );
}

export function Facts({ facts, nowMs }: { readonly facts: readonly (readonly [label: string, value: Value])[]; readonly nowMs: number }): VNode {
  return <dl class="facts">{facts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd><Show value={value} nowMs={nowMs} /></dd></div>)}</dl>;
}
