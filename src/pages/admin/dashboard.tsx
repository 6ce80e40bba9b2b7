/** @jsxImportSource preact */
/** How the server fares: charts of the last hours, and what needs somebody's attention. */
import type { VNode } from 'preact';
import { renderConsole } from './frame.tsx';
import { Facts, Group, Note } from './values.tsx';
import type { FactGroup, Frame, Value } from './views.ts';

/** One chart. `bars`: the oldest first; `part` is the portion of each that is drawn in the other colour. */
export type ChartView = {
  readonly title: string;
  /** Of the whole time: `1,204`. */
  readonly total: string;
  readonly beside: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly part: number }[];
  /** What the values are called; of the part too, where there is one. */
  readonly names: readonly [whole: string, part: string | null];
  /** Share in percent rather than counts: the top is 100. */
  readonly percent: boolean;
  /** `bad`: what there should be none of. */
  readonly tone: 'calm' | 'bad';
  /** Said of the highest bar: `top 120 in 30 min`. */
  readonly peak: string;
};

export type DashboardView = {
  readonly ranges: readonly { readonly text: string; readonly href: string; readonly current: boolean }[];
  readonly charts: readonly ChartView[];
  readonly ends: readonly [from: string, until: string];
  /** What somebody should do something about; none: all is well. */
  readonly troubles: readonly string[];
  readonly health: readonly (readonly [label: string, value: Value])[];
  readonly recent: FactGroup | null;
};

export function renderDashboard(frame: Frame, view: DashboardView): string {
  return renderConsole(frame, (
    <>
      {view.troubles.length === 0 ? null : <Note mood="warn" role="status">{view.troubles.map((trouble) => <p key={trouble}>{trouble}</p>)}</Note>}
      {view.charts.length === 0 ? null : (
        <>
          <nav class="tabs" aria-label="Time">{view.ranges.map(({ text, href, current }) => <a key={href} href={href} aria-current={current ? 'true' : undefined}>{text}</a>)}</nav>
          <div class="grid">{view.charts.map((chart) => <Chart key={chart.title} chart={chart} ends={view.ends} />)}</div>
        </>
      )}
      <section class="box"><header><h2>Health</h2></header><Facts facts={view.health} nowMs={frame.nowMs} /></section>
      {view.recent === null ? null : <Group group={view.recent} nowMs={frame.nowMs} />}
    </>
  ));
}

const WIDTH = 480;
const HEIGHT = 88;

/** Bars, and the same as a table for who cannot see them. */
function Chart({ chart, ends }: { readonly chart: ChartView; readonly ends: readonly [string, string] }): VNode {
  const { title, bars, names: [whole, part], percent } = chart;
  const most = percent ? 100 : Math.max(1, ...bars.map(({ value }) => value));
  const step = WIDTH / Math.max(1, bars.length);
  const gap = Math.min(2, step / 4);
  const height = (value: number): number => (value <= 0 ? 0 : Math.max(1.5, (value / most) * (HEIGHT - 4)));
  const round = (value: number): number => Math.round(value * 100) / 100;
  return (
    <section class="box chart">
      <header><h2>{title}</h2></header>
      <p class="big">{chart.total}<span class="soft">{chart.beside}</span></p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line class="axis" x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
        {bars.map(({ label, value, part: lower }, place) => (value <= 0 ? null : (
          <g key={label}>
            <rect class={chart.tone === 'bad' ? 'bar-2' : 'bar-1'} x={round(place * step + gap / 2)} y={round(HEIGHT - height(value))} width={round(step - gap)} height={round(height(value))}><title>{`${label}: ${value}${percent ? ' %' : ''}${part === null ? '' : `, ${part} ${lower}`}`}</title></rect>
            {lower <= 0 ? null : <rect class="bar-2" x={round(place * step + gap / 2)} y={round(HEIGHT - height(lower))} width={round(step - gap)} height={round(height(lower))} />}
          </g>
        )))}
      </svg>
      <p class="ends" aria-hidden="true"><span>{ends[0]}</span><span>{chart.peak}</span><span>{ends[1]}</span></p>
      <details>
        <summary>As a table<span class="unseen">: {title}</span></summary>
        <div class="scroll" tabindex={0} role="region" aria-label={title}>
          <table>
            <thead><tr><th scope="col">From</th><th scope="col" class="number">{whole}</th>{part === null ? null : <th scope="col" class="number">{part}</th>}</tr></thead>
            <tbody>{bars.toReversed().map(({ label, value, part: lower }) => <tr key={label}><th scope="row">{label}</th><td class="number" data-label={whole}><span>{value}{percent ? ' %' : ''}</span></td>{part === null ? null : <td class="number" data-label={part}><span>{lower}</span></td>}</tr>)}</tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
