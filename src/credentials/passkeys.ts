import { hash } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';

/** Longest answer of a browser that is read, characters (all of it is ASCII). */
const LONGEST_CREDENTIAL = 16_384;
/** What is offered, and so accepted: EdDSA, ES256, RS256 (WebAuthn §5.8.5). */
const ALGORITHMS = [-8, -7, -257];
/** How long people may take, milliseconds; as long as the challenge lives. */
export const CEREMONY_MS = 300_000;
const transportNames: ReadonlySet<string> = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']);

/**
 * The library, loaded when a passkey is first spoken of: it takes more than 100 ms, and starts and most requests go without.
 * What its certificates' part wants of `Reflect` must be there first, also in a bundle, which does not keep the library's
 * own order (pinned in test/pinned/simplewebauthn.test.ts).
 */
async function library() {
  await import('reflect-metadata');
  return import('@simplewebauthn/server');
}

/** Where passkeys are good: what authenticators and browsers bind them to. */
export type RelyingParty = { readonly rpId: string; readonly origin: string };

/**
 * Whom a passkey belongs to, as authenticators keep it: SHA-256 of tenant and user, base64url. Not the id itself: ids may be
 * longer than the 64 bytes there are, tenants of one host must not overwrite each other's passkeys, and it says nothing of the person
 * (WebAuthn §14.6.1).
 */
export function userHandleOf(tenantId: string, userId: string): string {
  return hash('sha256', `${tenantId}\n${userId}`, 'base64url');
}

/** Options for the browser's `get()`, JSON; no credentials are named, so nothing tells who has some (UI-24). */
export async function requestOptions(party: RelyingParty, challenge: string): Promise<string> {
  const { generateAuthenticationOptions } = await library();
  return JSON.stringify(await generateAuthenticationOptions({
    rpID: party.rpId, challenge: bytesOf(challenge), timeout: CEREMONY_MS, userVerification: 'required',
  }));
}

/** Options for the browser's `create()`, JSON. @param known the person's passkeys, which are not made twice */
export async function creationOptions(party: RelyingParty, challenge: string, person: {
  readonly rpName: string;
  readonly handle: string;
  readonly name: string;
  readonly displayName: string;
  readonly known: readonly { readonly id: string; readonly transports: readonly string[] }[];
}): Promise<string> {
  const { generateRegistrationOptions } = await library();
  return JSON.stringify(await generateRegistrationOptions({
    rpID: party.rpId, rpName: person.rpName, userID: bytesOf(person.handle), userName: person.name, userDisplayName: person.displayName,
    challenge: bytesOf(challenge), timeout: CEREMONY_MS, attestationType: 'none', supportedAlgorithmIDs: ALGORITHMS,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: person.known.map(({ id, transports }) => ({ id, transports: [...transports] })),
  }));
}

/** An answer of `get()`, read but not believed. */
export type Assertion = { readonly id: string; readonly userHandle: string | null; readonly json: AuthenticationResponseJSON };

/** Reads an answer of `get()`; null: it is none. */
export function readAssertion(text: string): Assertion | null {
  const read = readCredential(text);
  if (read === null) return null;
  const { id, response } = read;
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  if (!isBase64Url(clientDataJSON) || !isBase64Url(authenticatorData) || !isBase64Url(signature)) return null;
  const handle = isBase64Url(userHandle) ? userHandle : null;
  return {
    id, userHandle: handle,
    json: {
      id, rawId: id, type: 'public-key', clientExtensionResults: {},
      response: { clientDataJSON, authenticatorData, signature, ...(handle === null ? {} : { userHandle: handle }) },
    },
  };
}

/** What a verified answer of `get()` says. The counter is not judged yet. */
export type Proven = { readonly counter: number; readonly userVerified: boolean };

/**
 * Verifies an answer of `get()` (WebAuthn §7.2): type, challenge, exact origin, rpIdHash, presence, verification of the person, signature.
 * @returns null when anything is wrong
 */
export async function proveAssertion(assertion: Assertion, party: RelyingParty, challenge: string, key: { readonly id: string; readonly publicKey: string }): Promise<Proven | null> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: assertion.json, expectedChallenge: challenge, expectedOrigin: party.origin, expectedRPID: party.rpId, requireUserVerification: true,
      // The library looks at the counter before the signature; ours comes after it, so that nobody else raises the alarm.
      credential: { id: key.id, publicKey: bytesOf(key.publicKey), counter: 0 },
    });
    return verified ? { counter: authenticationInfo.newCounter, userVerified: authenticationInfo.userVerified } : null;
  } catch {
    return null;
  }
}

/** Whether a signature counter went back, or stood still (WebAuthn §6.1.1): there may be a copy of the key. Zero counts nothing. */
export function wentBack(former: number, presented: number): boolean {
  return (former > 0 || presented > 0) && presented <= former;
}

/** A passkey as it is kept. */
export type NewPasskey = { readonly id: string; readonly publicKey: string; readonly counter: number; readonly transports: readonly string[]; readonly synced: boolean };

/** Verifies an answer of `create()` (WebAuthn §7.1). @returns null when it is none, or anything is wrong */
export async function proveAttestation(text: string, party: RelyingParty, challenge: string): Promise<NewPasskey | null> {
  const read = readCredential(text);
  if (read === null) return null;
  const { id, response } = read;
  const { clientDataJSON, attestationObject, transports } = response;
  if (!isBase64Url(clientDataJSON) || !isBase64Url(attestationObject)) return null;
  const json: RegistrationResponseJSON = { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON, attestationObject } };
  const { verifyRegistrationResponse } = await library();
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: json, expectedChallenge: challenge, expectedOrigin: party.origin, expectedRPID: party.rpId,
      requireUserVerification: true, supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified || registrationInfo.credential.id !== id) return null;
    const { credential, credentialDeviceType } = registrationInfo;
    return {
      id, publicKey: Buffer.from(credential.publicKey).toString('base64url'), counter: credential.counter,
      transports: Array.isArray(transports) ? transports.filter((name): name is string => typeof name === 'string' && transportNames.has(name)) : [],
      synced: credentialDeviceType === 'multiDevice',
    };
  } catch {
    return null;
  }
}

/** What both answers have; bounded before it is parsed. */
function readCredential(text: string): { readonly id: string; readonly response: Readonly<Record<string, unknown>> } | null {
  if (text.length > LONGEST_CREDENTIAL) return null;
  const json = parseJson(text);
  if (!isRecord(json) || json['type'] !== 'public-key') return null;
  const { id, rawId, response } = json;
  return isBase64Url(id) && id === rawId && isRecord(response) ? { id, response } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBase64Url(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value);
}

/** The library takes bytes with a buffer of their own. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}
