import { hash } from 'node:crypto';
import interfaceStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import interfaceScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import icon from '../pages/icon.svg' with { type: 'text' };
import pageStyle from './docs.css' with { type: 'text' };
import { acceptsGzip } from './accept-encoding.ts';
import { etagOf } from './etag.ts';
import type { DocumentSite } from './openapi.ts';
import { pageHeaders } from './page-headers.ts';
import type { ExtraHeaders } from './respond.ts';
import type { Route } from './routes.ts';
import type { Arrival, ServerContext } from './server-context.ts';

/** Starts Swagger UI: no plugin that asks strangers, nothing kept, dark where the system is. */
const startScript = `'use strict';
const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();
window.ui = SwaggerUIBundle({
  url: '/docs/json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  requestInterceptor: (request) => {
    // Credentials come from this page alone, and a 401 does not make the browser ask for some of its own.
    request.credentials = 'omit';
    // Fields that are left empty are left out.
    const form = String(request.headers['Content-Type'] ?? '').startsWith('application/x-www-form-urlencoded');
    if (form && typeof request.body === 'string') request.body = request.body.split('&').filter((field) => !field.endsWith('=')).join('&');
    return request;
  },
});
`;

/** Style sheets and pictures inside Swagger UI's own style are data; everything else comes from here. */
const headers = pageHeaders(['script-src \'self\'', 'style-src \'self\'', 'img-src \'self\' data:', 'connect-src \'self\'']);

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** A part of the page. */
type Part = { readonly type: string; readonly body: () => Promise<Body> };
/** Small ones are there as they are, large ones in both encodings. */
type Body = string | { readonly gzip: Blob; readonly plain: () => Promise<Blob> };

/** Parts of the page by file name; they come out of the executable. */
const parts = {
  'swagger-ui.js': { type: SCRIPT, body: once(() => largeBody(interfaceScript)) },
  'swagger-ui.css': { type: STYLE, body: once(() => largeBody(interfaceStyle)) },
  'start.js': { type: SCRIPT, body: async () => startScript },
  'page.css': { type: STYLE, body: async () => pageStyle },
  'icon.svg': { type: 'image/svg+xml', body: async () => icon },
} as const satisfies Readonly<Record<string, Part>>;

type PartName = keyof typeof parts;
const partNames: readonly PartName[] = Object.keys(parts).filter((name): name is PartName => name in parts);

/** A large file: packed in the executable, where the build did that, and as it was published when run from source. */
async function largeBody(path: string): Promise<Body> {
  const file = Bun.file(path);
  return path.endsWith('.gz')
    ? { gzip: file, plain: once(async () => new Blob([Bun.gunzipSync(await file.bytes())])) }
    : { gzip: new Blob([Bun.gzipSync(await file.bytes())]), plain: async () => file };
}

/** A part's version: changes when it does. */
type Versions = Readonly<Record<PartName, string>>;

async function versionOf(name: PartName): Promise<[PartName, string]> {
  const body = await parts[name].body();
  return [name, hash('sha256', typeof body === 'string' ? body : await body.gzip.bytes(), 'base64url').slice(0, 16)];
}

/** Every part has been asked for, so none is missing. */
function asVersions(entries: readonly [PartName, string][]): Versions {
  return Object.fromEntries(entries) as Versions;
}

function page(versions: Versions): string {
  const url = (name: PartName): string => `/docs/${name}?v=${versions[name]}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Assay · API documentation</title>
<link rel="icon" href="${url('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${url('swagger-ui.css')}">
<link rel="stylesheet" href="${url('page.css')}">
</head>
<body>
<header class="masthead">
<img src="${url('icon.svg')}" alt="" width="32" height="32">
<h1>Assay</h1>
<a href="/docs/json">OpenAPI document</a>
</header>
<main id="api"><noscript>This page needs JavaScript. The OpenAPI document is at <a href="/docs/json">/docs/json</a>.</noscript></main>
<script src="${url('swagger-ui.js')}"></script>
<script src="${url('start.js')}"></script>
</body>
</html>
`;
}

async function makeDocument(site: DocumentSite, admin: boolean): Promise<string> {
  const { openApiDocument } = await import('./openapi.ts');
  return JSON.stringify(await openApiDocument(site, admin));
}

/** Makes something when it is first asked for, and again only when that failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

/** `GET /docs` and what it needs, on the server's own origin and on tenants' hostnames (wire contract §8, HT-18). */
export function makeDocsPages(server: ServerContext): readonly Route[] {
  const { respond } = server;
  // Made when first asked for: most servers are never looked at.
  const knowVersions = once(() => Promise.all(partNames.map(versionOf)).then(asVersions));
  const documents = {
    own: once(() => makeDocument('own', server.admin ?? true)),
    tenant: once(() => makeDocument('tenant', false)),
  };

  const get = (path: string, answer: (request: Request, arrival: Arrival) => Promise<Response>): readonly Route[] =>
    [{ method: 'GET', allow: 'GET, HEAD', path, handler: answer }, { method: 'HEAD', allow: 'GET, HEAD', path, handler: answer }];

  return [
    ...get('/docs', async (request, { peer }) => {
      const body = page(await knowVersions());
      return respond.page(request, 'text/html; charset=utf-8', body, etagOf(body), peer.requestId, headers);
    }),
    ...get('/docs/json', async (request, { peer, site }) => {
      const body = await documents[site.kind === 'own' ? 'own' : 'tenant']();
      return respond.page(request, 'application/json', body, etagOf(body), peer.requestId, { 'Cache-Control': 'no-cache' });
    }),
    ...partNames.flatMap((name) => get(`/docs/${name}`, async (request, { peer }) => {
      const [current, body] = [(await knowVersions())[name], await parts[name].body()];
      const more = {
        'Cache-Control': request.url.endsWith(`?v=${current}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
        'Cross-Origin-Resource-Policy': 'same-origin',
      };
      const answer = (content: string | Blob, etag: string, extra: ExtraHeaders): Response =>
        respond.page(request, parts[name].type, content, etag, peer.requestId, { ...more, ...extra });
      if (typeof body === 'string') return answer(body, `"${current}"`, {});
      const vary = { Vary: 'Accept-Encoding' };
      if (!acceptsGzip(request.headers.get('accept-encoding'))) return answer(await body.plain(), `"${current}"`, vary);
      const response = answer(body.gzip, `"${current}-gzip"`, vary);
      // A 304 has nothing that would be encoded.
      if (response.status === 200) response.headers.set('Content-Encoding', 'gzip');
      return response;
    })),
  ];
}
