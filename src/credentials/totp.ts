import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';

/** Codes of authenticator applications (RFC 6238): SHA-1, six digits, thirty seconds, as every application has them. */
const PERIOD_S = 30;
const settings = { algorithm: 'SHA1', digits: 6, period: PERIOD_S } as const;
/** Steps before and after now that are honoured too: clocks differ. */
const WINDOW = 1;
/** RFC 4226 §4: at least 128 bits, 160 recommended. */
export const TOTP_SECRET_BYTES = 20;

/** What an application needs to begin. */
export type Enrolment = {
  /** base32. */
  readonly secret: string;
  /** `otpauth://…` */
  readonly uri: string;
  /** Inline SVG, dark on white whatever the page's colours are. */
  readonly qr: string;
};

/** base32 of random bytes. @param random base64url */
export function totpSecretFrom(random: string): string {
  const bytes = Buffer.from(random, 'base64url');
  return new Secret({ buffer: Uint8Array.from(bytes).buffer }).base32;
}

/** The secret as the person's application takes it. @param issuer whose account @param label which account */
export function describeEnrolment(secret: string, issuer: string, label: string): Enrolment {
  // A colon would end the issuer within the label.
  const uri = new TOTP({ ...settings, issuer: issuer.replaceAll(':', ' '), label: label.replaceAll(':', ' '), secret: Secret.fromBase32(secret) }).toString();
  const svg = renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 4, whiteColor: '#ffffff', blackColor: '#000000' });
  const qr = svg.replace(/^<svg /, '<svg role="img" ').replace(/>/, '><title>QR</title>');
  return { secret, uri, qr };
}

/** The time step that a code belongs to, among those honoured now; null: none. @param code six digits */
export function findTotpStep(secret: string, code: string, nowMs: number): number | null {
  const delta = TOTP.validate({ token: code, secret: Secret.fromBase32(secret), algorithm: settings.algorithm, digits: settings.digits, period: PERIOD_S, timestamp: nowMs, window: WINDOW });
  return delta === null ? null : TOTP.counter({ period: PERIOD_S, timestamp: nowMs }) + delta;
}
