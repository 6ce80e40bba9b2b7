/** @jsxImportSource preact */
/** The document around every page of the console: where one is, where one can go, and what just happened. */
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import picture from '../icon.svg' with { type: 'text' };
import { Icon } from '../icons.tsx';
import { Actions, Note, Tag } from './values.tsx';
import { consoleLocale, type Assets, type Frame, type NavGroup, type TenantSwitcher } from './views.ts';

const icon = `data:image/svg+xml;base64,${btoa(picture)}`;

/** A page of the console. */
export function renderConsole(frame: Frame, children: ComponentChildren): string {
  return renderBare({ title: `${frame.title} · Assay`, assets: frame.assets }, (
    <>
      <a class="skip" href="#content">Skip to content</a>
      <header class="bar">
        <a class="menu-link button quiet" href="#menu"><Icon name="menu" /><span>Menu</span></a>
        <a class="home" href="/admin"><span class="mark" aria-hidden="true">A</span><span class="home-name">Assay</span></a>
        {frame.search === null ? null : (
          <form class="seek" method="post" action="/admin/search" role="search" aria-label="Everywhere">
            <input type="hidden" name="csrf" value={frame.csrf} />
            {(frame.switcher?.current ?? null) === null ? null : <input type="hidden" name="within" value={frame.switcher?.current?.slug ?? ''} />}
            <Icon name="search" size={18} />
            <input name="q" type="search" value={frame.search} aria-label="Search everywhere" aria-keyshortcuts="/" placeholder="Search, or paste a token" autocomplete="off" spellcheck={false} />
            <kbd aria-hidden="true">/</kbd>
          </form>
        )}
        <a class="person" href={frame.person.accountHref} title="Your account"><Icon name="person" /><span><bdi>{frame.person.name}</bdi></span></a>
      </header>
      <div class="desk">
        <div class="side" id="menu">
          <a class="close button quiet" href="#content">Close menu</a>
          {frame.switcher === null ? null : <Switcher switcher={frame.switcher} />}
          <nav aria-label="Console">{frame.nav.map((group) => <Group key={group.title} group={group} />)}</nav>
          <p class="version">Assay {frame.version}</p>
        </div>
        <main id="content" tabindex={-1}>
          <Crumbs frame={frame} />
          <div class="head">
            <div>
              <h1><bdi>{frame.title}</bdi>{frame.state === null ? null : <Tag badge={frame.state} />}</h1>
              {frame.explain === null ? null : <p class="explain">{frame.explain}</p>}
            </div>
            <Actions actions={frame.actions} />
          </div>
          {frame.flash === null ? null : <Note mood="good" role="status"><p>{frame.flash.text}</p></Note>}
          {frame.flash === null || frame.flash.warnings.length === 0 ? null : <Note mood="warn" role="status">{frame.flash.warnings.map((warning) => <p key={warning}>{warning}</p>)}</Note>}
          {frame.problem === null ? null : <Note mood="bad" role="alert"><p>{frame.problem}</p></Note>}
          {children}
        </main>
      </div>
    </>
  ));
}

/** A document without the frame: for who is not in. */
export function renderBare({ title, assets }: { readonly title: string; readonly assets: Assets }, body: VNode): string {
  return `<!doctype html>${renderToString(
    <html lang={consoleLocale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href={icon} />
        <link rel="stylesheet" href={assets.style} />
        <script src={assets.script} defer />
      </head>
      <body>{body}</body>
    </html>,
  )}`;
}

function Crumbs({ frame: { crumbs } }: { readonly frame: Frame }): VNode | null {
  if (crumbs.length === 0) return null;
  return (
    <nav class="crumbs" aria-label="Where you are">
      <ol>{crumbs.map(({ text, href }) => <li key={text}>{href === null ? <span aria-current="page"><bdi>{text}</bdi></span> : <a href={href}><bdi>{text}</bdi></a>}</li>)}</ol>
    </nav>
  );
}

function Group({ group: { title, items } }: { readonly group: NavGroup }): VNode | null {
  if (items.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul>{items.map((item) => <li key={item.href}><a href={item.href} aria-current={item.current ? 'page' : undefined}><Icon name={item.icon} size={18} />{item.text}</a></li>)}</ul>
    </section>
  );
}

function Switcher({ switcher: { current, tenants, allHref } }: { readonly switcher: TenantSwitcher }): VNode {
  return (
    <details class="switch">
      <summary>
        <span><span class="soft">Tenant</span><strong><bdi>{current === null ? 'All tenants' : current.name}</bdi></strong></span>
        <Icon name="chevron" size={18} />
      </summary>
      <ul>
        {tenants.map(({ name, slug, href }) => <li key={slug}><a href={href} aria-current={slug === current?.slug ? 'true' : undefined}><bdi>{name}</bdi> {name === slug ? null : <span class="soft">{slug}</span>}</a></li>)}
        {allHref === null ? null : <li><a href={allHref}>All tenants…</a></li>}
      </ul>
    </details>
  );
}
