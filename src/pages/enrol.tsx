/** @jsxImportSource preact */
/** Pages around an account that is to be, or whose password is lost. */
import { CancelForm, Fault, Field, NewPasswordField, StepForm } from './fields.tsx';
import { beginPage, Card, fillText, Named, renderDocument } from './layout.tsx';
import type { Chrome, ForgotView, NewPasswordView, RegisterView } from './views.ts';

/** Somebody new. */
export function renderRegister(chrome: Chrome, view: RegisterView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('register.title');
  const signIn = <p>{fillText(t, 'register.sign_in', { link: <a href={view.signInHref}>{t('register.sign_in.link')}</a> })}</p>;
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page} below={<>{signIn}<div class="asides"><CancelForm page={page} view={view} /></div></>}>
      <h1>{title}</h1>
      {view.client === null ? null : <p class="lead">{fillText(t, 'to_continue', { client: <Named>{view.client.name}</Named> })}</p>}
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <StepForm target={view} step="register" class="stack">
        <Field name="email" label={t('field.email')} type="email" autocomplete="email" value={view.email} problem={view.problem} autofocus={view.email === ''} />
        <Field name="name" label={t('field.name')} autocomplete="name" value={view.name} problem={view.problem} />
        {view.minLength === null ? null : <NewPasswordField page={page} minLength={view.minLength} label={t('field.password')} problem={view.problem} />}
        <button class="main wide">{t('register.submit')}</button>
      </StepForm>
    </Card>
  ));
}

/** The password is lost. */
export function renderForgot(chrome: Chrome, view: ForgotView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('forgot.title');
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page}>
      <h1>{title}</h1>
      <p class="lead">{t('forgot.explain')}</p>
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <StepForm target={view} step="forgot" class="stack">
        <Field name="username" label={t('field.username')} autocomplete="username" inputmode="email" value={view.username} problem={view.problem} autofocus />
        <button class="main wide">{t('forgot.submit')}</button>
      </StepForm>
      <div class="asides"><a href={view.signInHref}>{t('forgot.sign_in')}</a><CancelForm page={page} view={view} /></div>
    </Card>
  ));
}

/** A new password is due. */
export function renderNewPassword(chrome: Chrome, view: NewPasswordView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('new_password.title');
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page}>
      <h1>{title}</h1>
      <p class="lead">{fillText(t, `new_password.${view.reason}`, { username: <Named>{view.username}</Named> })}</p>
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <StepForm target={view} step="new_password" class="stack">
        <input type="hidden" autocomplete="username" value={view.username} />
        <NewPasswordField page={page} minLength={view.minLength} label={t('field.new_password')} problem={view.problem} autofocus />
        <Field name="again" label={t('field.again')} type="password" autocomplete="new-password" problem={view.problem} />
        <button class="main wide">{t('new_password.submit')}</button>
      </StepForm>
      <div class="asides"><CancelForm page={page} view={view} /></div>
    </Card>
  ));
}
