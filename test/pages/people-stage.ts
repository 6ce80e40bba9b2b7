/** Serves rendered pages to a browser, under the policy that the real server sends. */
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
const assets: Readonly<Record<string, string>> = {
  'webauthn.js': join(root, 'node_modules/@simplewebauthn/browser/dist/bundle/index.umd.min.js'),
  'passkeys.js': join(root, 'src/pages/scripts/passkeys.js'),
  'form-post.js': join(root, 'src/pages/scripts/form-post.js'),
};

/** A server for pages that are there already, with the headers of the real one; what forms bring is kept. */
export class Stage {
  readonly pages = new Map<string, string>();
  readonly posted: { readonly path: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  private readonly server = Bun.serve({ port: 0, fetch: (request) => this.answer(request) });
  readonly origin = `http://localhost:${this.server.port}`;

  stop(): Promise<void> {
    return this.server.stop(true);
  }

  private async answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    if (request.method === 'POST') {
      this.posted.push({ path, fields: Object.fromEntries(new URLSearchParams(await request.text())) });
      return new Response('thanks', { headers: { 'content-type': 'text/plain' } });
    }
    const file = assets[path.replace('/assets/', '')];
    if (file !== undefined) return new Response(Bun.file(file), { headers: { 'content-type': 'text/javascript' } });
    const html = this.pages.get(path.slice(1));
    if (html === undefined) return new Response('', { status: 404 });
    const style = new Bun.CryptoHasher('sha256').update(/<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '').digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${style}'; img-src 'self' data:; script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
    return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy } });
  }
}
