/** @jsxImportSource preact */
/** The development mailbox: mails that were not sent. */
import type { ComponentChildren, VNode } from 'preact';
import { Part } from './account-parts.tsx';
import { Icon } from './icons.tsx';
import { beginPage, BrandMark, renderDocument, type Page } from './layout.tsx';
import { formatMoment } from './times.ts';
import type { Chrome, MailboxView } from './views.ts';

/** All mails, the open one above them. */
export function renderMailbox(chrome: Chrome, view: MailboxView): string {
  const page = beginPage(chrome);
  const { t } = page;
  return renderDocument(page, { title: t('mailbox.title') }, (
    <>
      <header class="top narrow"><div><span class="brand"><BrandMark brand={chrome.brand} /></span></div></header>
      <div class="pane narrow">
        <main class="parts" id="content">
          <div><h1>{t('mailbox.title')}</h1><p class="soft">{t('mailbox.explain')}</p></div>
          {view.open === null ? null : <OpenMail page={page} mail={view.open} />}
          <MailList page={page} mails={view.mails} />
        </main>
      </div>
    </>
  ));
}

function OpenMail({ page, mail }: { readonly page: Page; readonly mail: NonNullable<MailboxView['open']> }): VNode {
  return (
    <Part title={mail.subject} explain={<><bdi>{page.t('mailbox.to', { to: mail.to })}</bdi> · {formatMoment(page.chrome.locale, mail.atMs)}</>}>
      <div class="letter">{linkAddresses(mail.text)}</div>
    </Part>
  );
}

function MailList({ page, mails }: { readonly page: Page; readonly mails: MailboxView['mails'] }): VNode {
  if (mails.length === 0) return <section class="part"><p class="soft">{page.t('mailbox.empty')}</p></section>;
  return (
    <section class="part" aria-label={page.t('mailbox.title')}>
      <ul class="items bare">
        {mails.map(({ id, to, subject, atMs, href }) => (
          <li key={id}>
            <Icon name="mail" />
            <div><a href={href}><bdi>{subject}</bdi></a><span class="small"><bdi>{page.t('mailbox.to', { to })}</bdi> · {formatMoment(page.chrome.locale, atMs)}</span></div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Addresses in a mail can be followed, as a mail program would have it. */
function linkAddresses(text: string): ComponentChildren[] {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part) => /^https?:\/\//.test(part) ? <a key={part} href={part}>{part}</a> : part);
}
