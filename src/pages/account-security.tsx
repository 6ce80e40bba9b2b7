/** @jsxImportSource preact */
/** How the person proves who they are: password, passkeys, authenticator app, recovery codes. */
import type { VNode } from 'preact';
import { ActForm, fillTime, Part } from './account-parts.tsx';
import { CodeField, Field, NewPasswordField, PasskeyForm } from './fields.tsx';
import { Icon } from './icons.tsx';
import type { Page } from './layout.tsx';
import type { SecurityView } from './views.ts';

type PartProps = { readonly page: Page; readonly view: SecurityView };

/** The part about security. New recovery codes come first: they are shown only now. */
export function SecurityPart({ page, view }: PartProps): VNode {
  return (
    <>
      {view.newRecoveryCodes === null ? null : <NewCodes page={page} codes={view.newRecoveryCodes} />}
      {view.passwords ? <PasswordPart page={page} view={view} /> : null}
      <PasskeysPart page={page} view={view} />
      <TotpPart page={page} view={view} />
      {view.totp === 'on' || view.recoveryCodesLeft > 0 ? <CodesPart page={page} view={view} /> : null}
    </>
  );
}

function PasswordPart({ page, view }: PartProps): VNode {
  const { t } = page;
  const explain = !view.hasPassword ? t('password.none') : view.passwordChangedAtMs === null ? undefined : fillTime(page, 'password.changed', view.passwordChangedAtMs);
  return (
    <Part title={t('password.title')} explain={explain}>
      <ActForm page={page} csrf={view.csrf} act="password" class="stack">
        <input type="hidden" autocomplete="username" value={view.user.username} />
        {view.hasPassword ? <Field name="current" label={t('field.current_password')} type="password" autocomplete="current-password" problem={view.problem} /> : null}
        <NewPasswordField page={page} minLength={view.minLength} label={t('field.new_password')} problem={view.problem} />
        <Field name="again" label={t('field.again')} type="password" autocomplete="new-password" problem={view.problem} />
        <label class="check"><input type="checkbox" name="everywhere" value="yes" checked />{t('password.everywhere')}</label>
        <button class="main">{t(view.hasPassword ? 'password.change' : 'password.set')}</button>
      </ActForm>
      {view.hasPassword && view.passwordRemovable ? (
        <>
          <hr />
          <ActForm page={page} csrf={view.csrf} act="password_remove">
            <button class="slight">{t('password.remove')}</button>
            <p class="hint">{t('password.remove.explain')}</p>
          </ActForm>
        </>
      ) : null}
    </Part>
  );
}

function PasskeysPart({ page, view }: PartProps): VNode {
  const { t } = page;
  return (
    <Part title={t('passkeys.title')} explain={t('passkeys.explain')}>
      {view.passkeys.length === 0 ? <p class="soft">{t('passkeys.none')}</p> : <PasskeyList page={page} view={view} />}
      {view.passkeyNotice === null ? null : <div class="note"><Icon name="alert" /><span>{t(`passkey.notice.${view.passkeyNotice}`)}</span></div>}
      {view.passkeyOptions === null ? null : (
        <PasskeyForm page={page} kind="create" action={`${page.chrome.base}/account`} csrf={view.csrf} named={['act', 'passkey_add']} options={view.passkeyOptions}>
          <div class="row">
            <Field id="passkey-name" name="name" label={t('field.passkey_name')} autocomplete="off" hint={t('hint.passkey_name')} problem={view.problem} maxlength={64} optional />
          </div>
          <div class="row"><button><Icon name="passkey" />{t('passkeys.add')}</button></div>
        </PasskeyForm>
      )}
    </Part>
  );
}

function PasskeyList({ page, view }: PartProps): VNode {
  const { t } = page;
  return (
    <ul class="items">
      {view.passkeys.map(({ id, name, createdAtMs, lastUsedAtMs, synced }) => (
        <li key={id}>
          <Icon name="passkey" />
          <div>
            <strong><bdi>{name}</bdi></strong> {synced ? <span class="tag">{t('passkeys.synced')}</span> : null}
            <span class="small">{fillTime(page, 'passkeys.created', createdAtMs)}, {lastUsedAtMs === null ? t('passkeys.unused') : fillTime(page, 'passkeys.used', lastUsedAtMs)}</span>
          </div>
          <ActForm page={page} csrf={view.csrf} act="passkey_remove">
            <input type="hidden" name="id" value={id} />
            <button class="danger" aria-label={t('passkeys.remove.label', { name })}>{t('passkeys.remove')}</button>
          </ActForm>
        </li>
      ))}
    </ul>
  );
}

function TotpPart({ page, view }: PartProps): VNode {
  const { t } = page;
  const on = view.totp === 'on';
  const state = on ? <span class="tag good">{t('two_step.on')}</span> : <span class="tag">{t('two_step.off')}</span>;
  return (
    <Part title={t('two_step.title')} beside={state} explain={t('two_step.explain')}>
      {typeof view.totp === 'object' ? <Enrolment page={page} view={view} enrolment={view.totp.enrolment} /> : (
        <ActForm page={page} csrf={view.csrf} act={on ? 'totp_remove' : 'totp_begin'}>
          <button class={on ? 'danger' : ''}>{t(on ? 'two_step.remove' : 'two_step.begin')}</button>
        </ActForm>
      )}
    </Part>
  );
}

type EnrolmentProps = PartProps & { readonly enrolment: Extract<SecurityView['totp'], object>['enrolment'] };

function Enrolment({ page, view, enrolment: { qr, secret, uri } }: EnrolmentProps): VNode {
  const { t } = page;
  return (
    <>
      <p>{t('two_step.scan')}</p>
      <div class="qr" role="img" aria-label={t('two_step.qr')} dangerouslySetInnerHTML={{ __html: qr }} />
      <p class="small"><a href={uri}>{t('two_step.open')}</a></p>
      <p class="small">{t('two_step.secret')}</p>
      <code class="secret mono">{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
      <ActForm page={page} csrf={view.csrf} act="totp_confirm" class="row">
        <CodeField page={page} problem={view.problem} autofocus={view.problem === null || view.problem === 'wrong_code'} />
        <button class="main">{t('two_step.confirm')}</button>
      </ActForm>
    </>
  );
}

function CodesPart({ page, view }: PartProps): VNode {
  const { t } = page;
  return (
    <Part title={t('codes.title')} beside={<span class={view.recoveryCodesLeft < 3 ? 'tag warn' : 'tag'}>{t('codes.left', { count: view.recoveryCodesLeft })}</span>} explain={t('codes.explain')}>
      <ActForm page={page} csrf={view.csrf} act="recovery_codes">
        <button>{t('codes.make')}</button>
        <p class="hint">{t('codes.replace')}</p>
      </ActForm>
    </Part>
  );
}

function NewCodes({ page: { chrome, t }, codes }: { readonly page: Page; readonly codes: readonly string[] }): VNode {
  return (
    <Part title={`${t('codes.title')} · ${chrome.brand.name}`} explain={t('codes.explain')} printed>
      <div class="note warn"><Icon name="alert" /><span>{t('codes.keep')}</span></div>
      <ul class="codes mono">{codes.map((code) => <li key={code}>{code}</li>)}</ul>
    </Part>
  );
}
