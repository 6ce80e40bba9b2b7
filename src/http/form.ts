import { readBody, type BodyFault } from './body.ts';

/** Why a form was not read. `status` and `description` are the answer. */
export type FormFault = BodyFault | { readonly status: 415; readonly description: string };

/** Values by name: one each, but lists for the names that may repeat. Empty values are absent (OAuth 2.1 §3.2). */
export type FormValues = { readonly [name: string]: string | readonly string[] };

export type FormReading<F extends FormValues> =
  | { readonly ok: true; readonly form: Partial<F> }
  | { readonly ok: false; readonly fault: FormFault };

/** Parameters that an endpoint knows: by name, whether it may repeat. Everything else is ignored, never decoded. */
export type KnownParameters = ReadonlyMap<string, 'once' | 'many'>;

const FORM_TYPE = 'application/x-www-form-urlencoded';
const formType = /^application\/x-www-form-urlencoded *(?:; *charset *= *"?utf-8"? *)?$/i;

const malformed = (description: string): { ok: false; fault: FormFault } => ({ ok: false, fault: { status: 400, description } });

/** The part of a URL after `?`, or empty. */
export function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/** Undoes form-urlencoding (RFC 6749 appendix B); null for escapes that are none or are not UTF-8 (INT-22). */
export function decodeFormText(text: string): string | null {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

/** Names in a query, decoded where they can be. */
function hasKnownName(query: string, known: KnownParameters): boolean {
  return query.split('&').some((pair) => {
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals === -1 ? pair : pair.slice(0, equals));
    return name !== null && known.has(name);
  });
}

/** Parses a form body that is all there. Exported for the tests of its every corner. */
export function parseForm<F extends FormValues>(text: string, known: KnownParameters): FormReading<F> {
  const form: Record<string, string | string[]> = {};
  const seen = new Set<string>();
  let start = 0;
  while (start <= text.length) {
    const ampersand = text.indexOf('&', start);
    const end = ampersand === -1 ? text.length : ampersand;
    const equals = text.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = decodeFormText(text.slice(start, nameEnd));
    const kind = name === null ? undefined : known.get(name);
    if (name !== null && kind !== undefined) {
      const value = decodeFormText(text.slice(Math.min(nameEnd + 1, end), end));
      if (value === null) return malformed('a parameter is not valid form-urlencoded UTF-8');
      if (kind === 'once') {
        if (seen.has(name)) return malformed('a parameter is repeated');
        seen.add(name);
        if (value !== '') form[name] = value;
      } else if (value !== '') {
        const list = form[name];
        if (Array.isArray(list)) list.push(value);
        else form[name] = [value];
      }
    }
    start = end + 1;
  }
  return { ok: true, form: typed<F>(form) };
}

/** The names come from the same schema as F, so what was read under them is F's. */
function typed<F extends FormValues>(form: Record<string, string | string[]>): Partial<F> {
  return form as Partial<F>;
}

/** Whether a request says that its body is a form. */
export function isForm(request: Request): boolean {
  const type = request.headers.get('content-type');
  return type !== null && formType.test(type);
}

/** A body that has arrived and may be a form. */
export type FormText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: FormFault };

/**
 * Reads an endpoint's form body strictly, not yet parsed: the framework's own parser guesses types, joins duplicates
 * and keeps broken escapes (pinned). Parameters in the query are refused where they would count in the body (INT-11…13).
 */
export async function readFormText(request: Request, known: KnownParameters): Promise<FormText> {
  const { headers } = request;
  if (headers.get('content-encoding') !== null) return { ok: false, fault: { status: 415, description: 'a compressed request body is not accepted' } };
  const type = headers.get('content-type');
  if (type !== FORM_TYPE && (type === null || !formType.test(type))) {
    return malformed('the request body must be application/x-www-form-urlencoded in UTF-8');
  }
  const query = queryOf(request.url);
  if (query !== '' && hasKnownName(query, known)) return malformed('parameters belong into the request body, not into the URL');
  const text = await readBody(request);
  if (typeof text !== 'string') return { ok: false, fault: text };
  // Bytes that are no UTF-8 were replaced by this character, and nobody may send it unescaped.
  return text.includes('\uFFFD') ? malformed('the request body is not valid UTF-8') : { ok: true, text };
}
