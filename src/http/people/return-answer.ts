import type { ReturnAddress } from '../../core/authorization-request.ts';
import { redirectWith } from '../../core/authorization.ts';
import { redirectSource } from '../../core/redirect-uri.ts';
import { renderFormPost } from '../../pages/endings.tsx';
import type { CookieChange } from '../../service/sign-in/browser.ts';
import { redirect, show, type Visit } from './visit.ts';

/** Sends the person back to the client with an answer, in the way that it asked for (RFC 6749 §4.1.2, Form Post Response Mode §2). */
export async function returnToClient(visit: Visit, address: ReturnAddress, fields: readonly (readonly [string, string])[], cookies: CookieChange = {}): Promise<Response> {
  if (address.responseMode === 'query') return redirect(visit, redirectWith(address.redirectUri, fields), cookies);
  const source = redirectSource(address.redirectUri);
  return show(visit, {
    html: renderFormPost(visit.chrome, { action: address.redirectUri, fields }), scripts: true, formTargets: source === null ? [] : [source],
  }, cookies);
}
