import type { Acr, Amr } from './people.ts';

/**
 * What each method proves. A code by mail stands in for the password, and resets it, so both are one factor; `user` says
 * how a passkey was used and is none by itself.
 */
const factorOf: Readonly<Record<Amr, 'knows' | 'has' | null>> = {
  pwd: 'knows', email: 'knows', otp: 'has', rc: 'has', hwk: 'has', swk: 'has', user: null, mfa: null,
};

/**
 * The class that methods reach (UI-26): a passkey with the person verified by their device `phr`, two different factors
 * `mfa`, anything else `1fa`.
 */
export function acrOf(amr: readonly Amr[]): Acr {
  if (amr.includes('user') && (amr.includes('hwk') || amr.includes('swk'))) return 'phr';
  const factors = new Set(amr.map((method) => factorOf[method]));
  return factors.has('knows') && factors.has('has') ? 'mfa' : '1fa';
}

/** What two steps of one sign-in proved together; says `mfa` where they are two factors (RFC 8176 §2). */
export function joinAmr(first: readonly Amr[], second: readonly Amr[]): readonly Amr[] {
  const joined = [...new Set([...first, ...second])].filter((method) => method !== 'mfa');
  return acrOf(joined) === '1fa' ? joined : [...joined, 'mfa'];
}
