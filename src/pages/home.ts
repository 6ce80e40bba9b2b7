import icon from './icon.svg' with { type: 'text' };

/** The page's one style sheet; its hash stands in the page's content security policy. */
export const homeStyle = `
:root { color-scheme: light dark; --ink: #1c1b1a; --soft: #6a6560; --line: #e4dfd8; --ground: #fbfaf8; --accent: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1ede7; --soft: #a79f95; --line: #37332e; --ground: #171512; --accent: #e8b04a; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.6 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: 12vh 1.5rem 4rem; }
img { display: block; margin-bottom: 1.5rem; }
h1 { margin: 0 0 .5rem; font-size: 2.75rem; line-height: 1.1; letter-spacing: -.025em; }
p { margin: 0; color: var(--soft); }
ul { list-style: none; margin: 2.5rem 0; padding: 0; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
a { display: flex; flex-wrap: wrap; gap: .125rem 1rem; align-items: baseline; justify-content: space-between; padding: .875rem 0; color: inherit; text-decoration: none; }
a strong { font-weight: 600; }
a:hover strong, a:focus-visible strong { color: var(--accent); text-decoration: underline; text-underline-offset: .2em; }
code { font: .875rem/1.6 ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere; }
`;

/** What not every server has. */
export type HomePlaces = {
  readonly docs: boolean;
  /** Where the server is operated. */
  readonly admin: boolean;
  /** The demo's application, and its mailbox. */
  readonly demo: boolean;
  readonly mailbox: boolean;
};

type Place = { readonly name: string; readonly path: string };

const account: Place = { name: 'Your account', path: '/account' };
const operating: Place = { name: 'Console', path: '/admin' };
const application: Place = { name: 'Demo application', path: '/demo' };
const mails: Place = { name: 'Mailbox', path: '/mailbox' };
const documentation: Place = { name: 'API documentation', path: '/docs' };
const places: readonly Place[] = [
  { name: 'Discovery', path: '/.well-known/openid-configuration' },
  { name: 'Signing keys', path: '/oauth2/jwks.json' },
  { name: 'Health', path: '/healthz' },
  { name: 'Readiness', path: '/readyz' },
];

/**
 * The page at `GET /`: what this is and where to go.
 * @param origin the server's own, never the request's
 */
export function homePage(origin: string, { docs, admin, demo, mailbox }: HomePlaces): string {
  const picture = `data:image/svg+xml;base64,${btoa(icon)}`;
  const links = [...(demo ? [application] : []), account, ...(admin ? [operating] : []), ...(mailbox ? [mails] : []), ...(docs ? [documentation] : []), ...places]
    .map(({ name, path }) => `<li><a href="${path}"><strong>${name}</strong><code>${path}</code></a></li>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Assay</title>
<link rel="icon" href="${picture}">
<style>${homeStyle}</style>
</head>
<body>
<main>
<img src="${picture}" alt="" width="56" height="56">
<h1>Assay</h1>
<p>Tells whether a token is genuine and what it is worth, right now. OAuth 2.1 and OpenID Connect, introspection and revocation first.</p>
<ul>
${links}
</ul>
<p><code>${origin}</code></p>
</main>
</body>
</html>
`;
}
