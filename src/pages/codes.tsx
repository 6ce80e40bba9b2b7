/** @jsxImportSource preact */
/** Steps of a sign-in that ask for a code: from a mail, from an app, from the drawer. */
import type { VNode } from 'preact';
import { CancelForm, CodeField, Fault, Field, StepForm } from './fields.tsx';
import { beginPage, Card, fillText, renderDocument, Sign, type Page } from './layout.tsx';
import type { Chrome, EmailCodeView, RecoveryView, StepView, TotpView } from './views.ts';

const explanations = {
  sign_in: 'email_code.explain',
  register: 'email_code.explain.register',
  reset: 'email_code.explain.reset',
  verify: 'email_code.explain.verify',
} as const;

/** A code was sent by mail; the page does not say where to, since that would tell whether somebody is known (UI-12). */
export function renderEmailCode(chrome: Chrome, view: EmailCodeView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('email_code.title');
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page}>
      <Sign name="mail" mood="calm" />
      <h1>{title}</h1>
      <p class="lead">{t(explanations[view.purpose])}</p>
      <CodeForm page={page} view={view} step="code" />
      <div class="asides">
        {view.againHref === null
          ? <StepForm target={view} step="resend"><span>{t('email_code.resend.ask')}</span> <button class="plain">{t('email_code.resend')}</button></StepForm>
          : <p><span>{t('email_code.resend.ask')}</span> <a href={view.againHref}>{t('email_code.resend')}</a></p>}
        <a href={view.signInHref}>{t('forgot.sign_in')}</a>
        <CancelForm page={page} view={view} />
      </div>
    </Card>
  ));
}

/** The second factor: a code from an authenticator app. */
export function renderTotp(chrome: Chrome, view: TotpView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('totp.title');
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page}>
      <Sign name="lock" mood="calm" />
      <h1>{title}</h1>
      <p class="lead">{fillText(t, 'totp.explain', { brand: <bdi>{chrome.brand.name}</bdi> })}</p>
      <CodeForm page={page} view={view} step="totp" />
      <div class="asides">
        {view.recoveryHref === null ? null : <a href={view.recoveryHref}>{t('totp.recovery')}</a>}
        <CancelForm page={page} view={view} />
      </div>
    </Card>
  ));
}

/** One of the codes that were kept for the day the app is gone. */
export function renderRecovery(chrome: Chrome, view: RecoveryView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t('recovery.title');
  return renderDocument(page, { title, faulty: view.problem !== null }, (
    <Card page={page}>
      <h1>{title}</h1>
      <p class="lead">{t('recovery.explain')}</p>
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <StepForm target={view} step="recovery" class="stack">
        <Field name="code" label={t('field.recovery_code')} autocomplete="off" class="words" problem={view.problem} autofocus maxlength={64} />
        <button class="main wide">{t('verify')}</button>
      </StepForm>
      <div class="asides"><a href={view.totpHref}>{t('recovery.totp')}</a><CancelForm page={page} view={view} /></div>
    </Card>
  ));
}

function CodeForm({ page, view, step }: { readonly page: Page; readonly view: StepView; readonly step: 'code' | 'totp' }): VNode {
  return (
    <>
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <StepForm target={view} step={step} class="stack">
        <CodeField page={page} label={page.t(step === 'code' ? 'field.mail_code' : 'field.code')} problem={view.problem} autofocus />
        <button class="main wide">{page.t('verify')}</button>
      </StepForm>
    </>
  );
}
