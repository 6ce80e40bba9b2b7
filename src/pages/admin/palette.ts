/** The console's colours: the house's own, light and dark. */
import { choosePalettes, grounds } from '../palette.ts';

/** CSS that sets them. */
export function consolePalette(): string {
  const { light, dark } = choosePalettes(null);
  const rules = ({ accent, fill, ink }: typeof light, [page, card, raised]: readonly [string, string, string]): string =>
    `--accent:${accent};--fill:${fill};--ink:${ink};--page:${page};--card:${card};--raised:${raised}`;
  return [
    `:root{color-scheme:light dark;${rules(light, grounds.light)};--text:#1f1c18;--soft:#655f57;--line:#e3ded6;--edge:#8b847a;--bad:#a8200d;--bad-soft:#fdf1ee;--good:#1d6b3a;--good-soft:#eef7f0;--warn:#7a5200;--warn-soft:#fdf5e3;--bar-1:#855600;--bar-2:#a8200d}`,
    `@media screen and (prefers-color-scheme:dark){:root{${rules(dark, grounds.dark)};--text:#f1eee9;--soft:#aca59b;--line:#35312d;--edge:#7d766d;--bad:#ff9c8a;--bad-soft:#331914;--good:#86d8a2;--good-soft:#14291b;--warn:#f0c264;--warn-soft:#30250f;--bar-1:#e8b04a;--bar-2:#ff9c8a}}`,
  ].join('\n');
}
