import { Database } from 'bun:sqlite';
import { commit, version } from '../version.ts';
import type { CommandRow } from './declare.ts';
import { writeOut } from './output.ts';

/** What was built, and what it stands on (OP-09). */
export function versions(): { readonly version: string; readonly commit: string; readonly bun: string; readonly sqlite: string } {
  const database = new Database(':memory:');
  const row = database.query<{ version: string }, []>('SELECT sqlite_version() AS version').get();
  database.close();
  return { version, commit, bun: Bun.version, sqlite: row?.version ?? 'unknown' };
}

/** The same on one line. */
export function versionLine(): string {
  const all = versions();
  return `assay ${all.version} (${all.commit}), Bun ${all.bun}, SQLite ${all.sqlite}`;
}

/** Commands that need no data. */
export const aboutCommands: readonly CommandRow[] = [
  {
    name: 'openapi', summary: 'Print the OpenAPI document of every endpoint',
    run: async () => {
      const { openApiDocument } = await import('../http/openapi.ts');
      await writeOut(`${JSON.stringify(await openApiDocument(), null, 2)}\n`);
      return 0;
    },
  },
  {
    name: 'dashboard', summary: 'Print a Grafana dashboard of the metrics',
    notes: 'Save it and import it in Grafana (Dashboards, New, Import); it asks which Prometheus scrapes this server.',
    run: async () => {
      const { grafanaDashboard } = await import('../metrics/dashboard.ts');
      await writeOut(`${JSON.stringify(grafanaDashboard(), null, 2)}\n`);
      return 0;
    },
  },
  {
    name: 'version', summary: 'Print what this is and what it stands on',
    run: async ({ out }) => {
      await out.document(versions());
      await out.print(versionLine());
      return 0;
    },
  },
];
