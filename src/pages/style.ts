/** The one style sheet of the pages for people. The content security policy carries the hash of exactly this text. */
import accountStyle from './style-account.css' with { type: 'text' };
import sharedStyle from './style.css' with { type: 'text' };
import { choosePalettes, grounds, type Palette } from './palette.ts';

/** In: the tenant's colour `#rrggbb`, or null for the house's. Out: the whole CSS of a document. */
export function peopleStyle(color: string | null): string {
  const { light, dark } = choosePalettes(color);
  return [
    `:root{color-scheme:light dark;${paletteRules(light)};${groundRules(grounds.light)};--text:#1f1c18;--soft:#655f57;--line:#e3ded6;--edge:#8b847a;--bad:#a8200d;--bad-soft:#fdf1ee;--good:#1d6b3a;--good-soft:#eef7f0;--warn:#7a5200;--warn-soft:#fdf5e3;--shade:0 1px 2px rgb(40 30 15/.05),0 12px 32px -12px rgb(40 30 15/.14)}`,
    `@media screen and (prefers-color-scheme:dark){:root{${paletteRules(dark)};${groundRules(grounds.dark)};--text:#f1eee9;--soft:#aca59b;--line:#35312d;--edge:#7d766d;--bad:#ff9c8a;--bad-soft:#33191480;--good:#86d8a2;--good-soft:#14291b80;--warn:#f0c264;--warn-soft:#30250f80;--shade:0 1px 2px rgb(0 0 0/.4),0 12px 32px -12px rgb(0 0 0/.6)}}`,
    sharedStyle,
    accountStyle,
  ].join('\n');
}

function paletteRules({ accent, fill, ink }: Palette): string {
  return `--accent:${accent};--fill:${fill};--ink:${ink}`;
}

function groundRules([page, card, raised]: readonly [string, string, string]): string {
  return `--page:${page};--card:${card};--raised:${raised}`;
}
