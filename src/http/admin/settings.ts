import { t } from 'elysia';
import { done } from '../../service/manage-outcome.ts';
import { operation, type AdminOperation } from './operation.ts';

const settingAnswer = t.Object({
  name: t.String({ description: 'As the settings file calls it.', example: 'refresh_grace' }),
  value: t.Union([t.String(), t.Integer(), t.Boolean(), t.Array(t.String()), t.Null()], { description: 'null where nothing was set. Of a secret it is never told.' }),
  secret: t.Boolean(), set: t.Boolean({ description: 'Whether it has a value.' }),
  source: t.Union([t.String(), t.Null()], { description: 'Who said so: a flag, a variable or a line of the settings file; null: it is the default.' }),
  doc: t.String({ description: 'What it does.' }),
}, { $id: 'Setting' });

/** What this start of the server was told. */
export const settingsOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/settings', id: 'listSettings', area: 'settings', access: 'read', serverOnly: true, summary: 'List the settings of this start',
    text: 'They come from flags, environment and file, and change with a restart. Of secrets only whether they are set.', answer: t.Object({ items: t.Array(settingAnswer) }, { $id: 'SettingList' }),
    run: async ({ server }) => done({ items: server.settings ?? [] }),
  }),
];
