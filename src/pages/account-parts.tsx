/** @jsxImportSource preact */
/** What the parts of the account page are made of. */
import type { ComponentChildren, VNode } from 'preact';
import { fillText, type Page } from './layout.tsx';
import type { MessageKey } from './text.ts';
import { formatAgo, formatMoment } from './times.ts';

/** A form of the account page; all of them go to the same address. */
export function ActForm({ page, csrf, act, children, ...rest }: { readonly page: Page; readonly csrf: string; readonly act: string; readonly class?: string; readonly children: ComponentChildren }): VNode {
  return (
    <form method="post" action={`${page.chrome.base}/account`} {...rest}>
      <input type="hidden" name="csrf" value={csrf} />
      <input type="hidden" name="act" value={act} />
      {children}
    </form>
  );
}

/** A box with a heading; `beside` stands in the heading's line. */
export function Part({ title, beside, explain, printed = false, children }: { readonly title: string; readonly beside?: ComponentChildren; readonly explain?: ComponentChildren; readonly printed?: boolean; readonly children?: ComponentChildren }): VNode {
  return (
    <section class={printed ? 'part printed' : 'part'}>
      <header><h2>{title}</h2>{beside}</header>
      {explain === undefined ? null : <p>{explain}</p>}
      {children}
    </section>
  );
}

/** `Changed 5 minutes ago.`: how long ago in words, the exact time as the element's title. */
export function fillTime(page: Page, key: MessageKey, atMs: number): ComponentChildren {
  return fillText(page.t, key, { when: <Ago page={page} atMs={atMs} /> });
}

function Ago({ page: { chrome, t }, atMs }: { readonly page: Page; readonly atMs: number }): VNode {
  return <time datetime={new Date(atMs).toISOString()} title={formatMoment(chrome.locale, atMs)}>{formatAgo(chrome.locale, atMs, chrome.nowMs) ?? t('just_now')}</time>;
}
