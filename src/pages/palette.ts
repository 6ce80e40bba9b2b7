/** Readable colours from a tenant's own: WCAG 2.2 contrast, computed. */

/** Colours of one scheme, `#rrggbb`. */
export type Palette = {
  /** Links and edges: readable (4.5:1) on the page and on the card. */
  readonly accent: string;
  /** Ground of the main button. */
  readonly fill: string;
  /** Words on the fill, readable (4.5:1). */
  readonly ink: string;
};
export type Palettes = { readonly light: Palette; readonly dark: Palette };

/** Grounds on which an accent must be readable: page, card, and field or hovered button. */
export const grounds = {
  light: ['#f7f5f2', '#ffffff', '#f3f0eb'],
  dark: ['#121110', '#1c1a18', '#292623'],
} as const;

const readable = 4.5;
const house: Palettes = {
  light: { accent: '#855600', fill: '#211d18', ink: '#ffffff' },
  dark: { accent: '#e8b04a', fill: '#e8b04a', ink: '#17130b' },
};

/** In: `#rrggbb`, or null for the house's own. The fill keeps the brand's colour, the accent is moved until it can be read. */
export function choosePalettes(color: string | null): Palettes {
  const channels = color === null ? null : readChannels(color);
  if (channels === null) return house;
  const fill = writeColor(channels);
  const ink = contrast(fill, '#ffffff') >= readable ? '#ffffff' : contrast(fill, '#17130b') >= readable ? '#17130b' : '#000000';
  return {
    light: { accent: moveUntilReadable(channels, 0, grounds.light), fill, ink },
    dark: { accent: moveUntilReadable(channels, 255, grounds.dark), fill, ink },
  };
}

/** The contrast ratio of two colours `#rrggbb`, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (readChannels(color) ?? []).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Mixes with black (0) or white (255), in steps, until every ground gives enough contrast. */
function moveUntilReadable(channels: readonly number[], towards: 0 | 255, against: readonly string[]): string {
  const steps = 50;
  for (let step = 0; step < steps; step += 1) {
    const mixed = writeColor(channels.map((channel) => channel + (towards - channel) * step / steps));
    if (against.every((ground) => contrast(mixed, ground) >= readable)) return mixed;
  }
  return towards === 0 ? '#000000' : '#ffffff';
}

function readChannels(color: string): readonly number[] | null {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  return found === null ? null : found.slice(1).map((pair) => Number.parseInt(pair, 16));
}

function writeColor(channels: readonly number[]): string {
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}
