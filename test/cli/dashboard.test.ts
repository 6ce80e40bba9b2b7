/** The dashboard for Grafana: every metric that it asks for is one that the server tells. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { assay } from './assay.ts';
import { freePort, send, startFixture, type Fixture } from '../helpers/fixture.ts';
import { Scrape } from '../metrics/exposition.ts';

type Panel = {
  readonly id: number; readonly type: string; readonly title: string; readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly datasource: { readonly uid: string } }[];
};
type Dashboard = {
  readonly title: string; readonly uid: string; readonly schemaVersion: number; readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[] };
};

let dashboard: Dashboard;
let fixture: Fixture;
let scrape: Scrape;

beforeAll(async () => {
  const { code, out } = await assay(['dashboard']);
  expect(code).toBe(0);
  dashboard = JSON.parse(out) as Dashboard;
  const port = await freePort();
  fixture = await startFixture({ args: ['--metrics', `127.0.0.1:${port}`] });
  scrape = new Scrape((await send(`http://127.0.0.1:${port}/metrics`, {})).body);
}, 20_000);
afterAll(() => fixture.close());

const queries = (): readonly string[] => dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('assay dashboard', () => {
  test('every metric that it asks for exists, in the form that its type has', () => {
    const types = new Map(scrape.families.map(({ name, type }) => [name, type]));
    const asked = queries().flatMap((expr) => [...expr.matchAll(/\b(?:assay|process)_[a-z_]+/g)].map(([name]) => name));
    expect(asked.length).toBeGreaterThan(50);
    for (const name of asked) {
      const family = name.replace(/_(?:bucket|sum|count)$/, '');
      expect({ name, known: types.get(name) ?? types.get(family) }).toEqual({ name, known: expect.any(String) });
      expect({ name, histogram: types.get(family) === 'HISTOGRAM' }).toEqual({ name, histogram: name !== family });
    }
    // Rates are taken of what only grows.
    for (const expr of queries()) for (const [, name = ''] of expr.matchAll(/(?:rate|increase)\(([a-z_]+)/g)) expect(types.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? '').toMatch(/COUNTER|HISTOGRAM/);
  });

  test('every metric that the server tells is asked for', () => {
    const all = queries().join('\n');
    expect(scrape.families.map(({ name }) => name).filter((name) => !all.includes(name))).toEqual([]);
  });

  test('every metric of the server has the labels that it is summed by', () => {
    const labels = new Map(scrape.families.map(({ name, metrics }) => [name, Object.keys(metrics[0]?.labels ?? {})]));
    for (const expr of queries()) {
      const [, by = '', name = ''] = /by \(([a-z, ]+)\) \(rate\(([a-z_]+)/.exec(expr) ?? [];
      const known = labels.get(name) ?? [];
      if (known.length > 0) expect({ expr, unknown: by.split(', ').filter((label) => label !== 'le' && !known.includes(label)) }).toEqual({ expr, unknown: [] });
    }
  });

  test('where the figures come from is asked at the import, and nothing is on top of another', () => {
    expect(dashboard).toMatchObject({ uid: 'assay', title: 'Assay', schemaVersion: 41 });
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual(['Traffic', 'Introspection', 'Issuance and revocation', 'Sign-ins', 'Storage', 'Queues', 'Process']);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { type, gridPos: { x, y, w, h }, targets = [], datasource } of dashboard.panels) {
      expect(x + w).toBeLessThanOrEqual(24);
      for (let row = y; row < y + h; row += 1) {
        for (let column = x; column < x + w; column += 1) {
          expect(taken.has(`${column} ${row}`)).toBe(false);
          taken.add(`${column} ${row}`);
        }
      }
      if (type === 'row') continue;
      expect(datasource).toEqual({ type: 'prometheus', uid: '$datasource' });
      expect(targets.map(({ refId }) => refId)).toEqual(targets.map((_, index) => 'ABCDEF'[index] ?? ''));
    }
  });
});
