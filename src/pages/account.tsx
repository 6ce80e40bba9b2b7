/** @jsxImportSource preact */
/** The account page: its frame, and which part stands in it. */
import type { ComponentChildren, VNode } from 'preact';
import { DataPart } from './account-data.tsx';
import { ApplicationsPart, SessionsPart } from './account-lists.tsx';
import { OverviewPart } from './account-overview.tsx';
import { ActForm } from './account-parts.tsx';
import { SecurityPart } from './account-security.tsx';
import { Fault } from './fields.tsx';
import { Icon, type IconName } from './icons.tsx';
import { beginPage, BrandMark, fillText, Named, passkeyScripts, Person, renderDocument, type Page } from './layout.tsx';
import { accountSections, type AccountSection, type AccountView, type Chrome } from './views.ts';

const icons: Readonly<Record<AccountSection, IconName>> = { overview: 'house', security: 'shield', sessions: 'device', applications: 'app', data: 'download' };

/** The account page, with the part that the view names. */
export function renderAccount(chrome: Chrome, view: AccountView): string {
  const page = beginPage(chrome);
  const title = `${page.t(`account.${view.section}`)} · ${page.t('account.title')}`;
  const scripts = view.section === 'security' && view.passkeyOptions !== null ? passkeyScripts : [];
  return renderDocument(page, { title, faulty: view.problem !== null, scripts }, (
    <>
      <a class="skip" href="#content">{page.t('skip')}</a>
      <header class="top">
        <div>
          <a class="brand" href={`${chrome.base}/account`}><BrandMark brand={chrome.brand} /></a>
          <Person name={view.user.name ?? view.user.username} email={view.user.email} />
        </div>
      </header>
      <div class="pane">
        <Sections page={page} current={view.section} />
        <main class="parts" id="content" tabindex={-1}>
          <h1>{page.t(`account.${view.section}`)}</h1>
          {view.done === null ? null : <div class="note good" role="status"><Icon name="check" /><span>{page.t(`done.${view.done}`)}</span></div>}
          <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
          {pickPart(page, view)}
        </main>
      </div>
      <footer class="foot">
        <ActForm page={page} csrf={view.csrf} act="sign_out">
          <span>{fillText(page.t, 'signed_in_as', { name: <Named>{view.user.username}</Named> })}</span>
          <button>{page.t('account.sign_out')}</button>
        </ActForm>
      </footer>
    </>
  ));
}

function Sections({ page: { chrome, t }, current }: { readonly page: Page; readonly current: AccountSection }): VNode {
  return (
    <nav aria-label={t('account.sections')}>
      <ul>
        {accountSections.map((section) => (
          <li key={section}>
            <a href={section === 'overview' ? `${chrome.base}/account` : `${chrome.base}/account/${section}`} aria-current={section === current ? 'page' : undefined}>
              <Icon name={icons[section]} />{t(`account.${section}`)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function pickPart(page: Page, view: AccountView): ComponentChildren {
  switch (view.section) {
    case 'overview': return <OverviewPart page={page} view={view} />;
    case 'security': return <SecurityPart page={page} view={view} />;
    case 'sessions': return <SessionsPart page={page} view={view} />;
    case 'applications': return <ApplicationsPart page={page} view={view} />;
    case 'data': return <DataPart page={page} view={view} />;
  }
}
