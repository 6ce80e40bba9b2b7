/** What this start of the server was told, in the console: to look at. */
import type { SettingFact } from '../server-context.ts';
import { refused } from '../../service/manage-outcome.ts';
import { list, mono, soft, type Value } from '../../pages/admin/views.ts';
import { resource } from './resource.ts';

function valueOf({ value, secret, set }: SettingFact): Value {
  if (secret) return set ? soft('set, and never shown') : null;
  if (value === null || value === '') return null;
  return Array.isArray(value) ? list(value.map((one: string) => mono(one))) : mono(String(value));
}

const isBy = ({ source }: SettingFact, by: string): boolean => by === '' || (by === 'default') === (source === null);

export const serverSettingsResource = resource<SettingFact>({
  name: 'settings', at: 'server', area: 'settings', icon: 'gear', title: 'Server settings', one: 'setting', listOnly: true,
  explain: 'What this start was told by flags, environment and settings file. It changes with a restart; the command assay serve --help says how.', empty: 'This start did not say.',
  search: 'Part of the name', filters: [{ name: 'by', label: 'Said by', choices: [{ value: 'operator', text: 'somebody' }, { value: 'default', text: 'nobody: the default' }] }],
  columns: [
    { title: 'Setting', cell: ({ name }) => mono(name) }, { title: 'Value', cell: valueOf }, { title: 'Said by', cell: ({ source }) => (source === null ? soft('default') : source) }, { title: 'What it does', cell: ({ doc }) => doc, minor: true },
  ],
  list: (call, { search, filters }) => ({ items: (call.server.settings ?? []).filter((fact) => fact.name.includes(search.toLowerCase()) && isBy(fact, filters['by'] ?? '')), next: null }),
  id: ({ name }) => name, label: ({ name }) => name,
  load: async () => refused('not_found', 'settings have no pages of their own'),
  facts: () => [],
});
