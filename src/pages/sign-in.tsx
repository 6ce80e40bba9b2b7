/** @jsxImportSource preact */
/** The first page of a sign-in: username and password, and the other ways in. */
import type { VNode } from 'preact';
import { CancelForm, Fault, Field, PasskeyForm, StepForm } from './fields.tsx';
import { Icon } from './icons.tsx';
import { beginPage, Card, fillText, Named, passkeyScripts, Party, Person, renderDocument, type Page } from './layout.tsx';
import type { ChooserView, Chrome, SignInView } from './views.ts';

/** The sign-in page. The first form is the password's; where there is none, the e-mail code's; else the passkey's. */
export function renderSignIn(chrome: Chrome, view: SignInView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const title = t(view.reason === null ? 'sign_in.title' : 'sign_in.reauthenticate');
  const others = listOthers(page, view);
  const first = view.password ? <PasswordForm page={page} view={view} /> : view.emailCode ? <EmailForm page={page} view={view} first /> : null;
  return renderDocument(page, { title, faulty: view.problem !== null, scripts: view.passkeyOptions === null ? [] : passkeyScripts }, (
    <Card page={page} below={<Below page={page} view={view} />}>
      <h1>{title}</h1>
      <Lead page={page} view={view} />
      {view.client?.unverified ? <div class="note warn"><Icon name="alert" /><span>{fillText(t, 'unverified.explain', { brand: <bdi>{chrome.brand.name}</bdi> })}</span></div> : null}
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      {view.fixedUser === null ? null : <Person name={view.fixedUser} email={null} />}
      {first}
      {others.length > 0 && first !== null ? <Or page={page} onlyPasskeys={!(view.password && view.emailCode)} /> : null}
      {others.length > 0 ? <div class={first === null ? 'others stack' : 'others'}>{others}</div> : null}
      {view.passkeyNotice === null ? null : <p class="hint aside">{t(`passkey.notice.${view.passkeyNotice}`)}</p>}
    </Card>
  ));
}

function Lead({ page: { t }, view }: PartProps): VNode | null {
  if (view.reason !== null) return <p class="lead">{t(view.reason === 'reauthenticate' ? 'sign_in.reauthenticate.explain' : 'sign_in.step_up.explain')}</p>;
  if (view.client === null) return null;
  return <p class="lead">{fillText(t, 'to_continue', { client: <Named>{view.client.name}</Named> })} <span class="small">(<bdi>{view.client.host}</bdi>)</span></p>;
}

type PartProps = { readonly page: Page; readonly view: SignInView };

/** Where the person is known already, their name goes along unseen; password managers find it there. */
function UsernameField({ page, view, id, autofocus }: PartProps & { readonly id: string; readonly autofocus: boolean }): VNode {
  if (view.fixedUser !== null) return <input type="hidden" name="username" value={view.fixedUser} autocomplete="username" />;
  const autocomplete = view.passkeyOptions !== null && id === 'username' ? 'username webauthn' : 'username';
  return <Field id={id} name="username" label={page.t('field.username')} autocomplete={autocomplete} inputmode="email" value={view.username} problem={id === 'username' ? view.problem : null} autofocus={autofocus} />;
}

function PasswordForm({ page, view }: PartProps): VNode {
  const { t } = page;
  const named = view.fixedUser !== null || view.username !== '';
  const forgot = view.forgotHref === null ? null : <a class="small" href={view.forgotHref}>{t('sign_in.forgot')}</a>;
  return (
    <StepForm target={view} step="password" class="stack">
      <UsernameField page={page} view={view} id="username" autofocus={!named} />
      <Field name="password" label={t('field.password')} type="password" autocomplete="current-password" problem={view.problem} autofocus={named} />
      <button class="main wide">{t('sign_in.submit')}</button>
      {forgot}
    </StepForm>
  );
}

function EmailForm({ page, view, first = false }: PartProps & { readonly first?: boolean }): VNode {
  const { t } = page;
  const known = view.fixedUser !== null;
  return (
    <StepForm target={view} step="email" class={first || !known ? 'stack' : ''}>
      <UsernameField page={page} view={view} id={first ? 'username' : 'email-username'} autofocus={first} />
      <button class={first ? 'main wide' : 'wide'}>{!first && known ? <Icon name="mail" /> : null}{t(!first && known ? 'sign_in.email' : 'sign_in.email.submit')}</button>
      <p class="hint">{t('sign_in.email.explain')}</p>
    </StepForm>
  );
}

/** The ways in beside the first: passkey, code by mail. */
function listOthers(page: Page, view: SignInView): readonly VNode[] {
  const { t } = page;
  const passkey = view.passkeyOptions === null ? [] : [(
    <PasskeyForm key="passkey" page={page} kind="get" action={view.action} csrf={view.csrf} named={['step', 'passkey']} options={view.passkeyOptions}>
      <button class={view.password || view.emailCode ? 'wide' : 'main wide'}><Icon name="passkey" />{t('sign_in.passkey')}</button>
    </PasskeyForm>
  )];
  if (!view.password || !view.emailCode) return passkey;
  const email = view.fixedUser !== null
    ? <EmailForm key="email" page={page} view={view} />
    : <details key="email"><summary><Icon name="mail" />{t('sign_in.email')}</summary><EmailForm page={page} view={view} /></details>;
  return [...passkey, email];
}

/** Between the first way in and the others; waits for the script where passkeys are all that comes. */
function Or({ page, onlyPasskeys }: { readonly page: Page; readonly onlyPasskeys: boolean }): VNode {
  return <div class="rule" {...(onlyPasskeys ? { 'hidden': true, 'data-needs-passkeys': true } : {})}>{page.t('or')}</div>;
}

function Below({ page, view }: PartProps): VNode | null {
  if (view.registerHref === null && !view.cancellable) return null;
  return (
    <>
      {view.registerHref === null ? null : <p>{fillText(page.t, 'sign_in.register', { link: <a href={view.registerHref}>{page.t('sign_in.register.link')}</a> })}</p>}
      <div class="asides"><CancelForm page={page} view={view} /></div>
    </>
  );
}

/** Which of the signed-in people it is to be. */
export function renderChooser(chrome: Chrome, view: ChooserView): string {
  const page = beginPage(chrome);
  const { t } = page;
  return renderDocument(page, { title: t('chooser.title', { name: view.name }), faulty: view.problem !== null }, (
    <Card page={page}>
      {view.client === null ? null : <Party page={page} client={view.client} />}
      <h1>{fillText(t, 'chooser.title', { name: <bdi>{view.name}</bdi> })}</h1>
      {view.client === null ? null : <p class="lead">{fillText(t, 'to_continue', { client: <Named>{view.client.name}</Named> })}</p>}
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <Person name={view.name} email={view.email} />
      <StepForm target={view} step="continue" class="stack"><button class="main wide">{t('continue')}</button></StepForm>
      <div class="others next"><StepForm target={view} step="other"><button class="wide">{t('switch_user')}</button></StepForm></div>
      <div class="asides"><CancelForm page={page} view={view} /></div>
    </Card>
  ));
}
