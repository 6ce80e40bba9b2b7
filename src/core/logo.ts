import type { Logo } from './people.ts';

/** Largest picture of a tenant, bytes. */
export const MOST_LOGO_BYTES = 65_536;

export type LogoReading = { readonly ok: true; readonly logo: Logo } | { readonly ok: false; readonly fault: string };

const startsWith = (bytes: Uint8Array, signature: readonly number[], at = 0): boolean => signature.every((byte, index) => bytes[at + index] === byte);

/** What a picture is by its content, whatever its file is called. */
function kindOf(bytes: Uint8Array): Exclude<Logo['type'], 'image/svg+xml'> | null {
  if (startsWith(bytes, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return 'image/png';
  if (startsWith(bytes, [0xFF, 0xD8, 0xFF])) return 'image/jpeg';
  return startsWith(bytes, [0x52, 0x49, 0x46, 0x46]) && startsWith(bytes, [0x57, 0x45, 0x42, 0x50], 8) ? 'image/webp' : null;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const declaration = /^\s*(?:<\?xml\s[^>]*\?>)?\s*/;
const space = /\s*/y;
const root = /<svg[\s>]/y;

/**
 * Before the root element there may be a declaration and comments, and nothing else. Comments are passed over one by one: in a
 * regular expression each could also be the beginning of a longer one, and a few dozen of them would never come to an end.
 */
function beginsAsDrawing(svg: string): boolean {
  let at = declaration.exec(svg)?.[0].length ?? 0;
  while (svg.startsWith('<!--', at)) {
    const end = svg.indexOf('-->', at + 4);
    if (end === -1) return false;
    space.lastIndex = end + 3;
    space.exec(svg);
    at = space.lastIndex;
  }
  root.lastIndex = at;
  return root.test(svg);
}

/** Elements that run or hold anything but a drawing, with or without a prefix. */
const forbiddenElement = /<\s*(?:[\w.-]+:)?(script|foreignObject|handler|listener|iframe|embed|object|audio|video|canvas|html|body|link|meta|set|animate|animateTransform|animateMotion)[\s/>]/i;

/**
 * What a drawing may not have: first what could hide the rest (entities, escapes, encodings), then scripts, then
 * references to anything outside the drawing itself.
 */
const svgRules: readonly (readonly [forbidden: RegExp, fault: string])[] = [
  [/<!(?:DOCTYPE|ENTITY)/i, 'a document type or entities'],
  [/<\?xml-|<\?(?!xml\s)/i, 'processing instructions'],
  [/<\?xml[^>]*encoding\s*=\s*["'](?!utf-8["'])/i, 'another encoding than UTF-8'],
  [/&#|\\/, 'characters written as numbers or escapes'],
  [/\son[a-z-]+\s*=/i, 'event handlers'],
  [/["'/]on[a-z-]+\s*=/i, 'event handlers'],
  [/(?:java|vb)script\s*:/i, 'scripts'],
  [/xml:base\s*=/i, 'references to elsewhere'],
  [/@import|image-set\s*\(|-moz-binding|behavior\s*:|expression\s*\(/i, 'references to elsewhere in its styles'],
];

/** The beginning of a reference in a style, up to where it goes. Nothing in it can be read in two ways, so that no drawing takes long. */
const styleReference = /url\s*\(\s*(?:["']\s*)?/gi;

/** Where a reference may go: into the drawing itself, or to a picture that is written out in it. */
const innerReference = /^\s*(?:#|data:image\/(?:png|jpeg|webp|gif);base64,)/i;

function findSvgFault(svg: string): string | null {
  if (!beginsAsDrawing(svg)) return 'it is no picture that is known here: SVG, PNG, JPEG or WebP';
  const element = forbiddenElement.exec(svg);
  if (element !== null) return `the drawing must not have the element ${element[1] ?? ''}`;
  // The one declaration is at the beginning.
  if (svg.lastIndexOf('<?') > svg.search(/\S/)) return 'the drawing must not have processing instructions';
  const rule = svgRules.find(([forbidden]) => forbidden.test(svg));
  if (rule !== undefined) return `the drawing must not have ${rule[1]}`;
  const goesOut = [...svg.matchAll(styleReference)].some((found) => !['#', '"', '\''].includes(svg.charAt(found.index + found[0].length)));
  if (goesOut) return 'the drawing must not have references to elsewhere in its styles';
  const references = [...svg.matchAll(/(?:href|src|action|ping)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]*))/gi)];
  const outer = references.find(([, double, single, bare]) => !innerReference.test(double ?? single ?? bare ?? ''));
  return outer === undefined ? null : 'the drawing must not refer to anything outside itself';
}

/**
 * Reads a tenant's picture: SVG, PNG, JPEG or WebP by its content. A drawing that runs anything or fetches anything is
 * refused: browsers of people who sign in would.
 */
export function readLogo(bytes: Uint8Array): LogoReading {
  if (bytes.length === 0) return { ok: false, fault: 'it is empty' };
  if (bytes.length > MOST_LOGO_BYTES) return { ok: false, fault: `it is larger than ${MOST_LOGO_BYTES / 1024} KiB` };
  const kind = kindOf(bytes);
  if (kind === null) {
    const svg = decode(bytes);
    const fault = svg === null ? 'it is no picture that is known here: SVG, PNG, JPEG or WebP' : findSvgFault(svg);
    if (fault !== null) return { ok: false, fault };
  }
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return { ok: true, logo: { type: kind ?? 'image/svg+xml', base64 } };
}

/** Size of a picture, bytes. */
export function logoBytes(logo: Logo): number {
  return Math.floor((logo.base64.replace(/=+$/, '').length * 3) / 4);
}
