/** @jsxImportSource preact */
/** An invitation into an organization, opened from a mail. */
import type { VNode } from 'preact';
import { Fault, Field, NewPasswordField, StepForm } from './fields.tsx';
import { beginPage, Card, fillText, Named, Person, renderDocument, Sign, type Page } from './layout.tsx';
import type { Chrome, InvitationView } from './views.ts';

/** In: null: it cannot be used, whyever. */
export function renderInvitation(chrome: Chrome, view: InvitationView | null): string {
  const page = beginPage(chrome);
  const { t } = page;
  if (view === null) return renderGone(page);
  return renderDocument(page, { title: t('invitation.title', { organization: view.organization }), faulty: view.problem !== null }, (
    <Card page={page}>
      <h1>{fillText(t, 'invitation.title', { organization: <bdi>{view.organization}</bdi> })}</h1>
      <p class="lead">{fillText(t, 'invitation.explain', { organization: <Named>{view.organization}</Named>, brand: <bdi>{chrome.brand.name}</bdi> })}</p>
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <Due page={page} view={view} />
    </Card>
  ));
}

function renderGone(page: Page): string {
  const title = page.t('invitation.gone.title');
  return renderDocument(page, { title }, (
    <Card page={page}>
      <Sign name="alert" mood="bad" />
      <h1>{title}</h1>
      <p class="lead">{page.t('invitation.gone')}</p>
    </Card>
  ));
}

/** What is left to do. */
function Due({ page, view }: { readonly page: Page; readonly view: InvitationView }): VNode {
  const { t } = page;
  const { due } = view;
  const email = <Named>{view.email}</Named>;
  switch (due.kind) {
    case 'join':
      return (
        <>
          <Person name={due.user.name} email={due.user.email} />
          <StepForm target={view} step="join" class="stack"><button class="main wide">{t('invitation.join')}</button></StepForm>
        </>
      );
    case 'wrong':
      return (
        <>
          <p class="lead">{fillText(t, 'invitation.wrong', { email })}</p>
          <Person name={due.user.name} email={due.user.email} />
          <StepForm target={view} step="switch" class="stack"><button class="main wide">{t('switch_user')}</button></StepForm>
        </>
      );
    case 'sign_in':
      return (
        <>
          <p class="lead">{fillText(t, 'invitation.sign_in.explain', { email })}</p>
          <StepForm target={view} step="sign_in" class="stack"><button class="main wide">{t('invitation.sign_in')}</button></StepForm>
        </>
      );
    case 'register':
      return (
        <>
          <p class="lead">{fillText(t, 'invitation.register.explain', { email })}</p>
          <StepForm target={view} step="register" class="stack">
            <input type="hidden" autocomplete="username" value={view.email} />
            <Field name="name" label={t('field.name')} autocomplete="name" value={due.name} problem={view.problem} autofocus />
            {due.minLength === null ? null : <NewPasswordField page={page} minLength={due.minLength} label={t('field.password')} problem={view.problem} />}
            <button class="main wide">{t('invitation.register')}</button>
          </StepForm>
        </>
      );
  }
}
