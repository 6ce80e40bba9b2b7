/** @jsxImportSource preact */
/** Events as they come. */
import { renderToString } from 'preact-render-to-string';
import { renderConsole } from './frame.tsx';
import { Table, TableRow } from './values.tsx';
import type { Frame, TableView } from './views.ts';

/** The newest events; a script adds those to come, without it the page is loaded again. @param stream where they come from */
export function renderLive(frame: Frame, { table, stream, againHref }: { readonly table: TableView; readonly stream: string; readonly againHref: string }): string {
  return renderConsole(frame, (
    <>
      <p class="live-bar"><a class="button" href={againHref}>Load again</a><span class="live-state" role="status" /></p>
      <section class="box flush" data-live={stream}><Table table={table} nowMs={frame.nowMs} /></section>
    </>
  ));
}

/** One row, for the script to put on top. */
export function renderLiveRow(table: Pick<TableView, 'columns'>, row: TableView['rows'][number], nowMs: number): string {
  return renderToString(<TableRow table={table} row={row} nowMs={nowMs} />);
}
