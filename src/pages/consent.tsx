/** @jsxImportSource preact */
/** What an application may do in the person's name: the question, and the list of scopes that the account page shows too. */
import type { VNode } from 'preact';
import { Fault, StepForm } from './fields.tsx';
import { Icon, type IconName } from './icons.tsx';
import { beginPage, Card, fillText, Named, Party, Person, renderDocument, type Page } from './layout.tsx';
import { OWN_SCOPE } from './text.ts';
import { formatDuration } from './times.ts';
import type { Chrome, ConsentView, ScopeView } from './views.ts';

const scopeIcons: Readonly<Record<NonNullable<ScopeView['key']>, IconName>> = { openid: 'shield', profile: 'person', email: 'mail', address: 'globe', phone: 'person', offline_access: 'repeat' };

/** The consent page. Its first button allows. */
export function renderConsent(chrome: Chrome, view: ConsentView): string {
  const page = beginPage(chrome);
  const { t } = page;
  const { client, user } = view;
  return renderDocument(page, { title: t('consent.title'), faulty: view.problem !== null }, (
    <Card page={page}>
      <Party page={page} client={client} />
      <h1>{fillText(t, 'consent.heading', { client: <bdi>{client.name}</bdi> })}</h1>
      {client.unverified ? <div class="note warn"><Icon name="alert" /><span>{fillText(t, 'unverified.explain', { brand: <bdi>{chrome.brand.name}</bdi> })}</span></div> : null}
      <Fault page={page} problem={view.problem} retryAfterS={view.retryAfterS} />
      <Person name={user.name} email={user.email} slim />
      <StepForm target={view} step="consent" class="stack">
        <Scopes page={page} scopes={view.scopes} />
        {view.resources.length === 0 ? null : <Resources page={page} resources={view.resources} />}
        {view.orgs.length > 1 ? <Organizations page={page} orgs={view.orgs} faulty={view.problem === 'choose_one'} /> : null}
        <Facts page={page} view={view} />
        <div class="buttons">
          <button class="main" name="decision" value="allow">{t('consent.allow')}</button>
          <button name="decision" value="deny">{t('consent.deny')}</button>
        </div>
      </StepForm>
      <div class="asides"><StepForm target={view} step="other"><button class="plain">{t('switch_user')}</button></StepForm></div>
    </Card>
  ));
}

function Scopes({ page, scopes }: { readonly page: Page; readonly scopes: readonly ScopeView[] }): VNode {
  const { t } = page;
  if (scopes.length === 0) return <p>{t('consent.no_scopes')}</p>;
  return (
    <div>
      <h2 class="caption" id="scopes">{t('consent.scopes')}</h2>
      <ul class="scopes" aria-labelledby="scopes">
        {scopes.map((scope) => (
          <li key={scope.scope}>
            <Icon name={scope.key === null ? 'app' : scopeIcons[scope.key]} />
            <div>
              <ScopeName page={page} scope={scope} />{scope.known ? <> <span class="tag">{t('consent.known')}</span></> : null}
              {scope.key === null ? null : <span class="small soft">{t(`scope.${scope.key}.explain`)}</span>}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A scope in our words, in the tenant's, or by its own name. */
export function ScopeName({ page, scope }: { readonly page: Page; readonly scope: ScopeView }): VNode {
  if (scope.key !== null) return <>{page.t(`scope.${scope.key}`)}</>;
  const own = page.chrome.overrides[`${OWN_SCOPE}${scope.scope}`];
  return own === undefined ? <bdi class="mono">{scope.scope}</bdi> : <>{own} <bdi class="mono small soft">{scope.scope}</bdi></>;
}

function Resources({ page, resources }: { readonly page: Page; readonly resources: readonly string[] }): VNode {
  return (
    <div>
      <h2 class="caption" id="resources">{page.t('consent.resources')}</h2>
      <ul class="scopes" aria-labelledby="resources">
        {resources.map((resource) => <li key={resource}><Icon name="globe" /><div><bdi class="mono">{resource}</bdi></div></li>)}
      </ul>
    </div>
  );
}

function Organizations({ page, orgs, faulty }: { readonly page: Page; readonly orgs: ConsentView['orgs']; readonly faulty: boolean }): VNode {
  return (
    <fieldset aria-describedby={faulty ? 'problem' : undefined}>
      <legend class="caption">{page.t('consent.org')}</legend>
      <div class="choices">
        {orgs.map(({ id, name, chosen }) => <label key={id}><input type="radio" name="org" value={id} checked={chosen} required /><bdi>{name}</bdi></label>)}
      </div>
    </fieldset>
  );
}

/** How long it lasts, and what happens next. */
function Facts({ page: { chrome, t }, view }: { readonly page: Page; readonly view: ConsentView }): VNode {
  const lifetime = view.lifetimeS === null ? t('consent.lifetime.session') : t('consent.lifetime', { duration: formatDuration(chrome.locale, view.lifetimeS) });
  return (
    <ul class="facts">
      <li><Icon name="clock" size={18} /><span>{lifetime}</span></li>
      <li><Icon name="forward" size={18} /><span>{fillText(t, 'consent.next', { host: <Named>{view.client.host}</Named> })}</span></li>
    </ul>
  );
}
