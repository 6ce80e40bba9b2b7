/** @jsxImportSource preact */
/** Pages with little to decide: a link from a mail, the way out, errors, and the way back to the application. */
import type { VNode } from 'preact';
import { StepForm } from './fields.tsx';
import { Icon } from './icons.tsx';
import { beginPage, Card, fillText, Named, Person, renderDocument, Sign, type Page } from './layout.tsx';
import type { Chrome, ErrorView, FormPostView, LoggedOutView, LogoutView, MagicLinkView } from './views.ts';

/** A link from a mail was opened. In: null: it belongs to another browser, and there is nothing to be done in this one. */
export function renderMagicLink(chrome: Chrome, view: MagicLinkView | null): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t(view === null ? 'magic.elsewhere' : view.purpose === 'reset' ? 'magic.title.reset' : 'magic.title');
  return renderDocument(page, { title }, (
    <Card page={page}>
      <Sign name={view === null ? 'alert' : 'mail'} mood={view === null ? 'bad' : 'calm'} />
      <h1>{title}</h1>
      {view === null ? <p class="lead">{t('magic.elsewhere.explain')}</p> : <MagicLink page={page} view={view} />}
    </Card>
  ));
}

function MagicLink({ page: { t }, view }: { readonly page: Page; readonly view: MagicLinkView }): VNode {
  const { client, purpose } = view;
  return (
    <>
      {client === null ? null : <p class="lead">{fillText(t, 'to_continue', { client: <Named>{client.name}</Named> })} <span class="small">(<bdi>{client.host}</bdi>)</span></p>}
      <p class="lead">{t(purpose === 'reset' ? 'magic.explain.reset' : 'magic.explain')}</p>
      <StepForm target={view} step="link" class="stack"><button class="main wide">{t('continue')}</button></StepForm>
    </>
  );
}

/** Asks before anybody is signed out. */
export function renderLogout(chrome: Chrome, view: LogoutView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const { client, user } = view;
  return renderDocument(page, { title: t('logout.title') }, (
    <Card page={page}>
      <h1>{t('logout.title')}</h1>
      <p class="lead">
        {fillText(t, 'logout.explain', { brand: <bdi>{chrome.brand.name}</bdi> })}
        {client === null ? null : <> {fillText(t, 'logout.client', { client: <Named>{client.name}</Named> })}</>}
      </p>
      {user === null ? null : <Person name={user.name} email={user.email} />}
      <StepForm target={view} step="logout" class="stack"><button class="main wide">{t('logout.submit')}</button></StepForm>
    </Card>
  ));
}

/** It is done. */
export function renderLoggedOut(chrome: Chrome, { href, client }: LoggedOutView): string {
  const page = beginPage(chrome);
  const { t } = page;
  return renderDocument(page, { title: t('logged_out.title') }, (
    <Card page={page}>
      <Sign name="check" mood="good" />
      <h1>{t('logged_out.title')}</h1>
      <p class="lead">{t('logged_out.explain')}</p>
      {href === null ? null : <div class="stack"><a class="button wide" href={href} rel="noreferrer">{client === null ? t('continue') : fillText(t, 'back_to', { client: <bdi>{client.name}</bdi> })}</a></div>}
    </Card>
  ));
}

/** Says what went wrong and what to do; the reference finds it in the log. */
export function renderError(chrome: Chrome, { reason, requestId, href }: ErrorView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t(reason === 'request_done' ? 'error.request_done.title' : 'error.title');
  return renderDocument(page, { title }, (
    <Card page={page}>
      <Sign {...(reason === 'request_done' ? { name: 'check', mood: 'good' } as const : { name: 'alert', mood: 'bad' } as const)} />
      <h1>{title}</h1>
      <p class="lead">{fillText(t, `error.${reason}`, { brand: <bdi>{chrome.brand.name}</bdi> })}</p>
      {href === null ? null : <div class="stack"><a class="button wide" href={href} rel="noreferrer">{t('error.back')}</a></div>}
      <p class="reference"><span>{t('error.reference')}</span><bdi class="mono">{requestId}</bdi></p>
    </Card>
  ));
}

/** Carries the answer to the application, by itself where scripts run (OAuth 2.0 Form Post Response Mode §2). */
export function renderFormPost(chrome: Chrome, { action, fields }: FormPostView): string {
  const page = beginPage(chrome);
  const { t } = page;
  return renderDocument(page, { title: t('form_post.title'), scripts: ['form-post.js'] }, (
    <Card page={page}>
      <Sign name="forward" mood="calm" />
      <h1>{t('form_post.title')}</h1>
      <p class="lead">{t('form_post.explain')}</p>
      <form method="post" action={action} class="stack">
        {fields.map(([field, value]) => <input key={field} type="hidden" name={field} value={value} />)}
        <button class="main wide">{t('continue')}<Icon name="forward" size={18} /></button>
      </form>
    </Card>
  ));
}
