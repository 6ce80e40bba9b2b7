import { BACKCHANNEL_LOGOUT_EVENT, LOGOUT_TOKEN_TYPE } from '../spec/names.ts';
import type { SigningKey } from '../keys/ring.ts';
import { mintJwt } from './mint.ts';

/** Long enough for one delivery; a new one is made for each (LO-11). Seconds. */
const LIFETIME_S = 120;

/** What a logout token says. */
export type LogoutFacts = {
  readonly issuer: string;
  readonly clientId: string;
  readonly sub: string;
  /** The `sid` of the ID tokens that the application got (LO-12). */
  readonly sid: string;
  /** Of this delivery. */
  readonly id: string;
  readonly nowMs: number;
};

/** Signs a logout token (OpenID Connect Back-Channel Logout §2.4): `sub` and `sid` always, never a nonce. */
export async function mintLogoutToken(key: SigningKey, { issuer, clientId, sub, sid, id, nowMs }: LogoutFacts): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return mintJwt(key, LOGOUT_TOKEN_TYPE, {
    iss: issuer, aud: clientId, iat, exp: iat + LIFETIME_S, jti: id, events: { [BACKCHANNEL_LOGOUT_EVENT]: {} }, sub, sid,
  });
}
