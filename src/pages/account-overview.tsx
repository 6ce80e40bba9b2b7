/** @jsxImportSource preact */
/** Who the person is: name, address, organizations. */
import type { VNode } from 'preact';
import { ActForm, Part } from './account-parts.tsx';
import { CodeField, Field } from './fields.tsx';
import { Icon } from './icons.tsx';
import { Named, type Page } from './layout.tsx';
import { formatList } from './times.ts';
import type { OverviewView } from './views.ts';

type PartProps = { readonly page: Page; readonly view: OverviewView };

/** The overview. */
export function OverviewPart({ page, view }: PartProps): VNode {
  const { t } = page;
  const { user } = view;
  return (
    <>
      <Part title={t('profile.title')} explain={t('profile.explain')}>
        <dl class="pairs"><dt>{t('profile.username')}</dt><dd><bdi>{user.username}</bdi></dd></dl>
        <ActForm page={page} csrf={view.csrf} act="profile" class="row">
          <Field name="name" label={t('field.name')} autocomplete="name" value={user.name ?? ''} problem={view.problem} />
          <button>{t('profile.save')}</button>
        </ActForm>
      </Part>
      <EmailPart page={page} view={view} />
      {view.orgs.length === 0 ? null : (
        <Part title={t('orgs.title')} explain={t('orgs.explain')}>
          <ul class="items">
            {view.orgs.map(({ name, roles }) => (
              <li key={name}>
                <Icon name="people" />
                <div><strong><bdi>{name}</bdi></strong><span class="small">{roles.length === 0 ? t('orgs.no_roles') : formatList(page.chrome.locale, roles)}</span></div>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}

function EmailPart({ page, view }: PartProps): VNode {
  const { t } = page;
  const { user } = view;
  const state = user.emailVerified ? <span class="tag good">{t('email.verified')}</span> : <span class="tag warn">{t('email.unverified')}</span>;
  return (
    <Part title={t('email.title')} beside={state} explain={<Named>{user.email}</Named>}>
      {awaitsCode(view) ? (
        <ActForm page={page} csrf={view.csrf} act="email_code" class="row">
          <CodeField page={page} label={t('email.code')} problem={view.problem} />
          <button class="main">{t('email.confirm')}</button>
        </ActForm>
      ) : null}
      {user.emailVerified ? null : <ActForm page={page} csrf={view.csrf} act="verify_email"><button>{t('email.verify')}</button></ActForm>}
      <hr />
      <ActForm page={page} csrf={view.csrf} act="email" class="row">
        <Field name="email" label={t('email.new')} type="email" autocomplete="email" problem={view.problem} />
        <button>{t('email.change')}</button>
      </ActForm>
    </Part>
  );
}

/** A code was sent for the new address, or for the one there is; or one was typed and was wrong. */
function awaitsCode({ done, problem }: OverviewView): boolean {
  return done === 'code_sent' || done === 'email_sent' || problem === 'wrong_code';
}
