import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { renderSettingsTable } from '../../src/config/settings.ts';

const readme = await Bun.file(join(import.meta.dir, '../../README.md')).text();

test('the README lists every setting, as the table of settings has it', () => {
  const listed = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme)?.[1]?.trim();
  expect(listed).toBe(renderSettingsTable().trim());
});

test('the first screen of the README names the two commands and one of the curl lines', () => {
  const screen = readme.split('\n').slice(0, 24).join('\n');
  expect(screen).toContain('npm start');
  expect(screen).toContain('npm test');
  expect(screen).toMatch(/curl .*introspect/);
});
