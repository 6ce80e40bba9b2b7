/** Somebody at a browser without scripts: keeps cookies, follows our redirects, fills in forms. */

/** A form as a page has it. */
export type PageForm = {
  /** Absolute. */
  readonly action: string;
  readonly method: string;
  /** What it sends as it stands: hidden, filled and checked fields. */
  readonly fields: Readonly<Record<string, string>>;
  /** Names of all its fields. */
  readonly names: readonly string[];
  /** Buttons that have a name, with their values. */
  readonly buttons: readonly (readonly [name: string, value: string])[];
  /** `data-…` attributes, without that prefix. */
  readonly data: Readonly<Record<string, string>>;
};

/** Where a person is now. */
export type PersonPage = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** Its text without markup, spaces joined. */
  readonly text: string;
  readonly forms: readonly PageForm[];
  /** Where a redirect leads that was not followed, since it leaves the server; absolute. */
  readonly location: string | null;
};

/** Which form: by its place on the page, or by fields that it holds, such as `{ act: 'profile' }`. The first by default. */
export type FormChoice = number | Readonly<Record<string, string>>;

export type SubmitOptions = {
  readonly form?: FormChoice;
  /** The button that is pressed, where that counts. */
  readonly button?: readonly [name: string, value: string];
  /** Over what a browser sends by itself; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Redirects are followed unless this is false. */
  readonly follow?: boolean;
};

const MOST_REDIRECTS = 10;
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** One browser of one person. */
export class Person {
  /** Every cookie by host name and name, as browsers keep them: ports do not count. */
  readonly cookies = new Map<string, Map<string, string>>();
  /** Sent with every request; tests may change it. */
  readonly headers: Record<string, string> = { 'User-Agent': USER_AGENT, 'Accept-Language': 'en', Accept: 'text/html' };
  readonly #server: URL;
  #page: PersonPage | null = null;

  /** @param serverUrl origin of the server */
  constructor(serverUrl: string) {
    this.#server = new URL(serverUrl);
  }

  /** The page that they see. @throws Error before the first */
  get page(): PersonPage {
    if (this.#page === null) throw new Error('nothing was opened yet');
    return this.#page;
  }

  /** Opens an address, relative to the server; `headers` and `follow` as for `submit`. */
  async open(address: string, options: Pick<SubmitOptions, 'headers' | 'follow'> = {}): Promise<PersonPage> {
    return this.#go(new URL(address, this.#page?.url ?? this.#server), null, { 'Sec-Fetch-Site': 'none', ...options.headers }, options.follow ?? true);
  }

  /** A form of the page. @throws Error when there is none such */
  form(choice: FormChoice = 0): PageForm {
    const { forms } = this.page;
    const found = typeof choice === 'number' ? forms[choice] : forms.find(({ fields }) => Object.entries(choice).every(([name, value]) => fields[name] === value));
    if (found === undefined) throw new Error(`${this.page.url} (${this.page.status}) has no form ${JSON.stringify(choice)}: ${this.page.text.slice(0, 300)}`);
    return found;
  }

  /** Fills in a form of the page and sends it. */
  async submit(fields: Readonly<Record<string, string>> = {}, { form: choice = 0, button, headers, follow = true }: SubmitOptions = {}): Promise<PersonPage> {
    const form = this.form(choice);
    const values = { ...form.fields, ...fields, ...(button !== undefined && { [button[0]]: button[1] }) };
    return this.post(form.action, values, { ...(headers !== undefined && { headers }), follow });
  }

  /** Sends a form that no page need have, as a browser would send one of the page. */
  async post(address: string, fields: Readonly<Record<string, string>>, { headers, follow = true }: Pick<SubmitOptions, 'headers' | 'follow'> = {}): Promise<PersonPage> {
    const url = new URL(address, this.#page?.url ?? this.#server);
    const own = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: url.origin, 'Sec-Fetch-Site': 'same-origin', ...headers };
    return this.#go(url, new URLSearchParams(fields).toString(), own, follow);
  }

  /** A cookie's value at a host; undefined: none. The name may be given without the prefix and the tenant's id: `sid`, `bid`. */
  cookie(name: string, host = this.#server.hostname): string | undefined {
    const own = this.cookies.get(host) ?? new Map<string, string>();
    return own.get(name) ?? [...own].find(([full]) => full.replace(/^__Host-/, '').startsWith(`${name}-`))?.[1];
  }

  async #go(first: URL, body: string | null, headers: Readonly<Record<string, string | null>>, follow: boolean): Promise<PersonPage> {
    let response = await this.#send(first, body, headers);
    let url = first;
    for (let count = 0; count < MOST_REDIRECTS; count += 1) {
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) break;
      const next = new URL(location, url);
      if (!follow || next.port !== this.#server.port || next.protocol !== this.#server.protocol || !isOurs(next.hostname)) {
        return this.#arrive(url, response, next.href);
      }
      url = next;
      response = await this.#send(url, null, { 'Sec-Fetch-Site': headers['Sec-Fetch-Site'] ?? 'same-origin' });
    }
    return this.#arrive(url, response, null);
  }

  async #send(url: URL, body: string | null, headers: Readonly<Record<string, string | null>>): Promise<Response> {
    const reachable = url.hostname.endsWith('.localhost') ? new URL(url.href.replace(url.host, `127.0.0.1:${url.port}`)) : url;
    const jar = this.cookies.get(url.hostname);
    const cookie = [...(jar ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = Object.entries({ Host: url.host, ...this.headers, ...(cookie !== '' && { Cookie: cookie }), ...headers });
    const response = await fetch(reachable, {
      method: body === null ? 'GET' : 'POST', redirect: 'manual', ...(body !== null && { body }),
      headers: all.filter((entry): entry is [string, string] => entry[1] !== null),
    });
    for (const text of response.headers.getSetCookie()) this.#keep(url.hostname, text);
    return response;
  }

  #keep(host: string, text: string): void {
    const [pair = '', ...attributes] = text.split('; ');
    const equals = pair.indexOf('=');
    const jar = this.cookies.get(host) ?? new Map<string, string>();
    this.cookies.set(host, jar);
    if (attributes.some((attribute) => attribute.toLowerCase() === 'max-age=0')) jar.delete(pair.slice(0, equals));
    else jar.set(pair.slice(0, equals), pair.slice(equals + 1));
  }

  async #arrive(url: URL, response: Response, location: string | null): Promise<PersonPage> {
    const html = await response.text();
    this.#page = { url: url.href, status: response.status, headers: response.headers, html, location, ...readPage(html, url) };
    return this.#page;
  }
}

/** Somebody with a browser of their own. @param serverUrl origin of the server */
export function newPerson(serverUrl: string): Person {
  return new Person(serverUrl);
}

function isOurs(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === 'localhost' || hostname.endsWith('.localhost');
}

type Draft = { action: string; method: string; fields: Record<string, string>; names: string[]; buttons: [string, string][]; data: Record<string, string> };

function readPage(html: string, url: URL): Pick<PersonPage, 'forms' | 'text'> {
  const forms: Draft[] = [];
  let open: Draft | null = null;
  let select: string | null = null;
  let typed = '';
  let text = '';
  const rewriter = new HTMLRewriter()
    .on('form', {
      element(element) {
        const data = [...element.attributes].flatMap(([name, value]) => (name.startsWith('data-') ? [[name.slice(5), decode(value)] as const] : []));
        open = {
          action: new URL(decode(element.getAttribute('action') ?? ''), url).href, method: element.getAttribute('method') ?? 'get',
          fields: {}, names: [], buttons: [], data: Object.fromEntries(data),
        };
        forms.push(open);
        element.onEndTag(() => {
          open = null;
        });
      },
    })
    .on('input, button', {
      element(element) {
        const name = element.getAttribute('name');
        if (open === null || name === null) return;
        const value = decode(element.getAttribute('value') ?? '');
        if (element.tagName === 'button') {
          open.buttons.push([name, value]);
          return;
        }
        open.names.push(name);
        const type = element.getAttribute('type');
        const chosen = (type !== 'checkbox' && type !== 'radio') || element.hasAttribute('checked');
        if (chosen) open.fields[name] = value;
      },
    })
    .on('select', {
      element(element) {
        select = element.getAttribute('name');
        if (open !== null && select !== null) open.names.push(select);
        element.onEndTag(() => {
          select = null;
        });
      },
    })
    .on('option', {
      element(element) {
        if (open === null || select === null) return;
        // Without a chosen one the first is.
        if (element.hasAttribute('selected') || open.fields[select] === undefined) open.fields[select] = decode(element.getAttribute('value') ?? '');
      },
    })
    .on('textarea', {
      element(element) {
        const name = element.getAttribute('name');
        if (open === null || name === null) return;
        open.names.push(name);
        const { fields } = open;
        fields[name] = '';
        typed = '';
        element.onEndTag(() => {
          fields[name] = decode(typed);
        });
      },
      text(chunk) {
        typed += chunk.text;
      },
    })
    .on('body *', {
      text(chunk) {
        text += chunk.text;
        if (chunk.lastInTextNode) text += ' ';
      },
    });
  rewriter.transform(html);
  return { forms, text: decode(text).replaceAll(/\s+/g, ' ').trim() };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'', nbsp: '\u00A0' };

function decode(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi, (whole, hex?: string, decimal?: string, named?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[named ?? ''] ?? whole;
  });
}
