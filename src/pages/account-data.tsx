/** @jsxImportSource preact */
/** What is stored about the person, and the way to be forgotten. */
import type { VNode } from 'preact';
import { ActForm, Part } from './account-parts.tsx';
import { Field } from './fields.tsx';
import { Icon } from './icons.tsx';
import type { Page } from './layout.tsx';
import type { DataView } from './views.ts';

/** The part about data. */
export function DataPart({ page, view }: { readonly page: Page; readonly view: DataView }): VNode {
  const { t } = page;
  return (
    <>
      <Part title={t('data.title')} explain={t('data.explain')}>
        <div class="row"><a class="button" href={`${page.chrome.base}/account/data.json`}><Icon name="download" />{t('data.download')}</a></div>
      </Part>
      <Part title={t('delete.title')} explain={t('delete.explain')}>
        <ActForm page={page} csrf={view.csrf} act="delete" class="stack">
          <Field name="username" label={t('delete.confirm', { username: view.user.username })} autocomplete="off" problem={view.problem} />
          <button class="danger">{t('delete.submit')}</button>
        </ActForm>
      </Part>
    </>
  );
}
