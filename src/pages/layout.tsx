/** @jsxImportSource preact */
/** The document around every page, and the card that most of them are. */
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import icon from './icon.svg' with { type: 'text' };
import { Icon } from './icons.tsx';
import { peopleStyle } from './style.ts';
import { makeTexts, type MessageKey, type Texts } from './text.ts';
import type { Brand, Chrome, ClientView } from './views.ts';

/** What every part of a page is told: its surroundings and the words for the person. */
export type Page = { readonly chrome: Chrome; readonly t: Texts };

/** Files of ours that a page may run. */
export type Script = 'webauthn.js' | 'passkeys.js' | 'form-post.js';

/** What passkeys need on a page that offers them. */
export const passkeyScripts: readonly Script[] = ['webauthn.js', 'passkeys.js'];

const picture = `data:image/svg+xml;base64,${btoa(icon)}`;

/** Makes the words for these surroundings. */
export function beginPage(chrome: Chrome): Page {
  return { chrome, t: makeTexts(chrome.locale, chrome.overrides) };
}

export type DocumentParts = { readonly title: string; readonly faulty?: boolean; readonly scripts?: readonly Script[] };

/** A complete document. `faulty`: its title says at once that something is wrong. */
export function renderDocument({ chrome, t }: Page, { title, faulty = false, scripts = [] }: DocumentParts, body: VNode): string {
  const full = t('title', { page: title, brand: chrome.brand.name });
  const html = (
    <html lang={chrome.locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>{faulty ? t('title.problem', { title: full }) : full}</title>
        <link rel="icon" href={picture} />
        <style dangerouslySetInnerHTML={{ __html: peopleStyle(chrome.brand.color) }} />
        {scripts.map((script) => <script key={script} src={`/assets/${script}`} defer />)}
      </head>
      <body>{body}</body>
    </html>
  );
  return `<!doctype html>${renderToString(html)}`;
}

/** One centred card under the brand; `below` stands under it. */
export function Card({ page, below, children }: { readonly page: Page; readonly below?: ComponentChildren; readonly children: ComponentChildren }): VNode {
  return (
    <div class="stage">
      <header class="brand"><BrandMark brand={page.chrome.brand} /></header>
      <main class="card">{children}</main>
      {below ? <footer class="below">{below}</footer> : null}
    </div>
  );
}

/** The tenant's logo, or its first letter where there is none, and its name. */
export function BrandMark({ brand }: { readonly brand: Brand }): VNode {
  return (
    <>
      {brand.logo === null ? <span class="mark" aria-hidden="true">{initialOf(brand.name)}</span> : <img src={brand.logo} alt="" height="36" />}
      <bdi>{brand.name}</bdi>
    </>
  );
}

/** A client with its host, and a mark where nobody has vouched for it. */
export function Party({ page, client }: { readonly page: Page; readonly client: ClientView }): VNode {
  return (
    <div class="party">
      <span class="mark" aria-hidden="true">{initialOf(client.name)}</span>
      <p>
        <strong><bdi>{client.name}</bdi></strong>{' '}
        {client.unverified ? <span class="tag warn">{page.t('unverified')}</span> : null}
        <br />
        <span class="small soft"><bdi>{client.host}</bdi></span>
      </p>
    </div>
  );
}

/** A person in a box of two lines; `slim`: in one line without a box. */
export function Person({ name, email, slim = false }: { readonly name: string; readonly email: string | null; readonly slim?: boolean }): VNode {
  return (
    <div class={slim ? 'person slim' : 'person'}>
      <span class="face" aria-hidden="true">{initialOf(name)}</span>
      <span><strong><bdi>{name}</bdi></strong>{email === null || email === name ? null : <span class="small soft"><bdi>{email}</bdi></span>}</span>
    </div>
  );
}

/** A text whose placeholders are filled with elements. */
export function fillText(t: Texts, key: MessageKey, values: Readonly<Record<string, ComponentChildren>>): ComponentChildren[] {
  return t(key).split(/(\{\w+\})/).map((part) => {
    const found = /^\{(\w+)\}$/.exec(part)?.[1];
    return found !== undefined && Object.hasOwn(values, found) ? values[found] : part;
  });
}

/** A name from outside inside a sentence: strong, and with its own direction of writing. */
export function Named({ children }: { readonly children: string }): VNode {
  return <strong><bdi>{children}</bdi></strong>;
}

/** A picture above a heading that says how things stand. */
export function Sign({ name, mood }: { readonly name: 'check' | 'alert' | 'mail' | 'lock' | 'forward'; readonly mood: 'good' | 'bad' | 'calm' }): VNode {
  return <div class={`sign ${mood}`}><Icon name={name} size={24} /></div>;
}

function initialOf(name: string): string {
  const [first = '·'] = new Intl.Segmenter().segment(name.trim());
  return typeof first === 'string' ? first : first.segment.toUpperCase();
}
