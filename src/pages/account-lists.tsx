/** @jsxImportSource preact */
/** Where the person is signed in, and which applications may act for them. */
import type { VNode } from 'preact';
import { ActForm, fillTime, Part } from './account-parts.tsx';
import { ScopeName } from './consent.tsx';
import { Icon } from './icons.tsx';
import type { Page } from './layout.tsx';
import { formatList } from './times.ts';
import type { ApplicationsView, ApplicationView, SessionsView, SessionView } from './views.ts';

/** The part about sessions. */
export function SessionsPart({ page, view }: { readonly page: Page; readonly view: SessionsView }): VNode {
  const { t } = page;
  const others = view.sessions.some(({ current }) => !current);
  return (
    <Part title={t('sessions.title')} explain={t('sessions.explain')}>
      {others ? <ActForm page={page} csrf={view.csrf} act="sessions_end"><button class="danger">{t('sessions.end_all')}</button></ActForm> : null}
      <ul class="items">{view.sessions.map((session) => <Session key={session.id} page={page} session={session} csrf={view.csrf} />)}</ul>
    </Part>
  );
}

function Session({ page, session, csrf }: { readonly page: Page; readonly session: SessionView; readonly csrf: string }): VNode {
  const { t, chrome } = page;
  const device = session.device ?? t('sessions.unknown');
  return (
    <li>
      <Icon name="device" />
      <div>
        <strong><bdi>{device}</bdi></strong> {session.current ? <span class="tag good">{t('sessions.current')}</span> : null}
        <span class="small">
          {session.ip === null ? null : <><bdi>{session.ip}</bdi> · </>}
          {fillTime(page, 'sessions.started', session.startedAtMs)}, {fillTime(page, 'sessions.seen', session.lastSeenAtMs)}
        </span>
        {session.apps.length === 0 ? null : <span class="small">{t('sessions.apps', { apps: formatList(chrome.locale, session.apps) })}</span>}
      </div>
      {session.current ? null : (
        <ActForm page={page} csrf={csrf} act="session_end">
          <input type="hidden" name="id" value={session.id} />
          <button aria-label={t('sessions.end.label', { device })}>{t('sessions.end')}</button>
        </ActForm>
      )}
    </li>
  );
}

/** The part about applications. */
export function ApplicationsPart({ page, view }: { readonly page: Page; readonly view: ApplicationsView }): VNode {
  const { t } = page;
  return (
    <Part title={t('applications.title')} explain={view.applications.length === 0 ? t('applications.none') : t('applications.explain')}>
      {view.applications.length === 0 ? null : (
        <ul class="items">{view.applications.map((application) => <Application key={application.id} page={page} application={application} csrf={view.csrf} />)}</ul>
      )}
    </Part>
  );
}

function Application({ page, application, csrf }: { readonly page: Page; readonly application: ApplicationView; readonly csrf: string }): VNode {
  const { t } = page;
  const { client, scopes, resources, orgs, allowedAtMs, lastUsedAtMs } = application;
  return (
    <li>
      <Icon name="app" />
      <div>
        <strong><bdi>{client.name}</bdi></strong> {client.unverified ? <span class="tag warn">{t('unverified')}</span> : null}
        <span class="small">
          <bdi>{client.host}</bdi> · {fillTime(page, 'applications.allowed', allowedAtMs)}
          {lastUsedAtMs === null ? null : <>, {fillTime(page, 'applications.used', lastUsedAtMs)}</>}
        </span>
        {scopes.length + resources.length + orgs.length === 0 ? null : (
          <dl class="pairs">
            {scopes.length === 0 ? null : <><dt>{t('applications.may')}</dt><dd><ul>{scopes.map((scope) => <li key={scope.scope}><ScopeName page={page} scope={scope} /></li>)}</ul></dd></>}
            {resources.length === 0 ? null : <><dt>{t('applications.at')}</dt><dd><ul class="mono">{resources.map((one) => <li key={one}><bdi>{one}</bdi></li>)}</ul></dd></>}
            {orgs.length === 0 ? null : <><dt>{t('applications.for')}</dt><dd><ul>{orgs.map((one) => <li key={one}><bdi>{one}</bdi></li>)}</ul></dd></>}
          </dl>
        )}
      </div>
      <ActForm page={page} csrf={csrf} act="application_revoke">
        <input type="hidden" name="id" value={application.id} />
        <button class="danger" aria-label={t('applications.revoke.label', { client: client.name })}>{t('applications.revoke')}</button>
      </ActForm>
    </li>
  );
}
