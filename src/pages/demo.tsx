/** @jsxImportSource preact */
/** The demo's single-page application: what it says without its script, and the places that the script fills. */
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import demoRules from './demo.css' with { type: 'text' };
import icon from './icon.svg' with { type: 'text' };
import { Icon } from './icons.tsx';
import { peopleStyle } from './style.ts';

export type DemoView = {
  /** The server's own, without a trailing slash. */
  readonly origin: string;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly gateway: string;
  readonly username: string;
  /** Whether there is documentation, and a mailbox. */
  readonly docs: boolean;
  readonly mailbox: boolean;
};

/** The page's one style sheet; its hash stands in the page's content security policy. */
export const demoStyle = `${peopleStyle(null)}\n${demoRules}`;

const picture = `data:image/svg+xml;base64,${btoa(icon)}`;

/** The whole document. In English: it is for developers. */
export function renderDemo(view: DemoView): string {
  const places = [['/account', 'Account'], ...(view.mailbox ? [['/mailbox', 'Mailbox']] : []), ...(view.docs ? [['/docs', 'API']] : [])] as const;
  return `<!doctype html>${renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>Assay · Demo application</title>
        <link rel="icon" href={picture} />
        <style dangerouslySetInnerHTML={{ __html: demoStyle }} />
        <script src="/assets/demo-tokens.js" defer />
        <script src="/assets/demo.js" defer />
      </head>
      <body>
        <header class="top narrow">
          <div>
            <a class="brand" href="/"><img src={picture} alt="" width="36" height="36" />Assay demo</a>
            <nav class="places" aria-label="Pages of this server">{places.map(([path, name]) => <a key={path} href={path}>{name}</a>)}</nav>
          </div>
        </header>
        <div class="pane narrow">
          <main class="parts" data-client={view.client} data-scope={view.scopes.join(' ')} data-gateway={view.gateway}>
            <div>
              <h1>A single-page application</h1>
              <p class="soft">It runs in your browser, has no secret, and signs people in at this very server: authorization code with PKCE. Then it shows what it got, and what that is worth right now.</p>
            </div>
            <p class="note" data-part="message" role="status" hidden />
            <noscript><p class="note warn">This page needs JavaScript.</p></noscript>
            <StartPart view={view} />
            <PersonPart />
            <IntrospectionPart gateway={view.gateway} />
            <AccessPart />
            <JsonPart name="identity" title="ID token" explain="For this application alone: who signed in, and how. It checked the token before it believed it."><ul class="checks" data-part="checks" /></JsonPart>
            <JsonPart name="userinfo" title="Userinfo" explain="The person's profile, as the userinfo endpoint tells it to whoever holds the access token." />
          </main>
        </div>
      </body>
    </html>,
  )}`;
}

function StartPart({ view }: { readonly view: DemoView }): VNode {
  return (
    <section class="part" data-part="start" hidden>
      <header><h2>Sign in</h2></header>
      <p>Your user name is <strong>{view.username}</strong>; the password stands in the terminal where the demo was started. Or make an account of your own{view.mailbox ? <>: mails are not sent, they are in the <a href="/mailbox">mailbox</a></> : null}.</p>
      <dl class="pairs">
        <dt>Server</dt><dd class="mono">{view.origin}</dd>
        <dt>Client</dt><dd class="mono">{view.client}</dd>
        <dt>Scope</dt><dd class="mono">{view.scopes.join(' ')}</dd>
      </dl>
      <div class="acts"><button type="button" class="main" data-act="signIn">Sign in<Icon name="forward" size={18} /></button></div>
    </section>
  );
}

function PersonPart(): VNode {
  return (
    <section class="part" data-part="person" aria-label="Signed in" hidden>
      <div class="who">
        <div class="person">
          <span class="face" aria-hidden="true" data-part="initial" />
          <span><strong><bdi data-part="name" /></strong><span class="small soft"><bdi data-part="email" /></span></span>
        </div>
        <button type="button" data-act="signOut">Sign out</button>
      </div>
    </section>
  );
}

function IntrospectionPart({ gateway }: { readonly gateway: string }): VNode {
  return (
    <JsonPart
      name="introspection" title="Introspection"
      explain={<>Is the access token good right now? Only a confidential client may ask, and a page can never be one: whatever it knows, everybody who opens it knows. So it asks the demo server at <code class="mono">/demo/introspect</code>, which asks as its gateway <code class="mono">{gateway}</code>.</>}
    >
      <div class="acts"><button type="button" class="main" data-act="introspect"><Icon name="shield" size={18} />Introspect again</button></div>
      <details>
        <summary>The same with curl</summary>
        <pre class="curl" data-part="curl" tabindex={0} />
        <p class="hint">curl asks for the gateway's secret: it stands in the terminal too, and never in this page.</p>
      </details>
    </JsonPart>
  );
}

function AccessPart(): VNode {
  return (
    <section class="part" data-part="access" hidden>
      <header><h2>Access token</h2><span class="tag" data-part="left" /></header>
      <p>For services. The application only passes it on; it is opened here because you want to see.</p>
      <pre data-part="accessHead" tabindex={0} aria-label="Header" />
      <pre data-part="accessBody" tabindex={0} aria-label="Payload" />
      <div class="acts">
        <button type="button" data-act="refresh"><Icon name="repeat" size={18} />Refresh</button>
        <button type="button" class="danger" data-act="revoke">Revoke access token</button>
      </div>
      <p class="hint">Refreshing spends the refresh token and brings another. Revoking ends this access token at once; the refresh token lives on.</p>
      <details>
        <summary>As it travels</summary>
        <pre class="raw" data-part="raw" tabindex={0} />
      </details>
    </section>
  );
}

/** A part whose middle is JSON. */
function JsonPart({ name, title, explain, children }: { readonly name: string; readonly title: string; readonly explain: ComponentChildren; readonly children?: ComponentChildren }): VNode {
  return (
    <section class="part" data-part={name} hidden>
      <header><h2>{title}</h2><span class="tag" data-part={`${name}Tag`} hidden /></header>
      <p>{explain}</p>
      <pre data-part={`${name}Body`} tabindex={0} aria-label={title} />
      {children}
    </section>
  );
}
