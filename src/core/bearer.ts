/** Where a request carries its access token (RFC 6750 §2). */
export type BearerReading =
  | { readonly ok: true; readonly token: string | null }
  /** In two ways at once, doubled or broken (OAuth 2.1 §5.3.2). */
  | { readonly ok: false };

const bearerForm = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Finds the one access token of a request. Never in the URL (RFC 9700 §4.3.2).
 * @param authorization the header, null when absent; doubled ones arrive joined by a comma
 * @param inForm `access_token` of a form body, null when there is none (RFC 6750 §2.2)
 */
export function readBearer(authorization: string | null, inForm: string | null): BearerReading {
  if (authorization === null) return { ok: true, token: inForm };
  if (!/^bearer(?: |,|$)/i.test(authorization)) return { ok: true, token: inForm };
  const token = bearerForm.exec(authorization)?.[1];
  return token === undefined || inForm !== null ? { ok: false } : { ok: true, token };
}
