import { auditTypes, type AuditType } from './audit-event.ts';
import { findClosest } from './closest.ts';
import { findNameFault } from './identifiers.ts';
import { readOutboundTarget } from './outbound.ts';
import { isPublicAddress } from './special-address.ts';
import type { Webhook, WebhookSecret } from './webhook.ts';

/** What an operator wants of a webhook; what is left out stays. */
export type WebhookChange = {
  readonly name?: string;
  readonly url?: string;
  /** Empty: all. */
  readonly events?: readonly string[];
};

/** Webhooks of one tenant, or of the server itself. */
export const MOST_WEBHOOKS = 50;
/** Secrets of one webhook that sign at once. */
const MOST_SECRETS = 4;

/** Bytes of a secret, and how it begins (Standard Webhooks, "Signature scheme"). */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;
export const SECRET_PREFIX = 'whsec_';

/** What is wrong with a supplied signing secret; null when nothing is. */
export function findWebhookSecretFault(secret: string): string | null {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : '';
  const bytes = (encoded.length / 4) * 3 - (encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0);
  return /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded) && bytes >= LEAST_BYTES && bytes <= MOST_BYTES
    ? null
    : `a signing secret is ${SECRET_PREFIX} and ${LEAST_BYTES} to ${MOST_BYTES} bytes in base64`;
}

/** What is wrong with an address (SS-01, SS-02). Where a name leads is seen at each call. @param loopbackServer whether the server's own origin is loopback */
function findUrlFault(url: string, loopbackServer: boolean): string | null {
  const reading = readOutboundTarget(url, loopbackServer);
  if (!reading.ok) return reading.fault;
  const { hostname, loopback } = reading.target;
  const isAddress = hostname.includes(':') || /^[0-9.]+$/.test(hostname);
  return isAddress && !loopback && !isPublicAddress(hostname) ? 'it is an address that is not on the open internet' : null;
}

/** Why a webhook may not be as it is, and which member it is; null when it may. */
export function findWebhookFault(webhook: Pick<Webhook, 'name' | 'url'> & { readonly events: readonly string[] }, loopbackServer: boolean): { readonly member: string; readonly fault: string } | null {
  const name = findNameFault(webhook.name);
  if (name !== null) return { member: 'name', fault: `the name cannot be used: ${name}` };
  const url = findUrlFault(webhook.url, loopbackServer);
  if (url !== null) return { member: 'url', fault: `the URL cannot be used: ${url}` };
  const unknown = webhook.events.find((type) => !isAuditType(type));
  if (unknown === undefined) return null;
  const meant = findClosest(unknown, auditTypes);
  return { member: 'events', fault: `there are no events of type ${JSON.stringify(unknown)}${meant === null ? '' : `; did you mean ${meant}?`}` };
}

const knownTypes: ReadonlySet<string> = new Set(auditTypes);

/** Whether there are events of this type. */
export function isAuditType(type: string): type is AuditType {
  return knownTypes.has(type);
}

/** Secrets that sign now, the newest first. */
export function signingSecrets(secrets: readonly WebhookSecret[], nowMs: number): readonly WebhookSecret[] {
  return secrets.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > nowMs);
}

/** A webhook's secrets with a new one: the others end with the overlap (milliseconds), and what ended goes. */
export function addSecret(secrets: readonly WebhookSecret[], added: WebhookSecret, overlapMs: number, nowMs: number): readonly WebhookSecret[] {
  const endMs = nowMs + overlapMs;
  const former = signingSecrets(secrets, nowMs).map((secret) => ({ ...secret, expiresAtMs: Math.min(secret.expiresAtMs ?? endMs, endMs) }));
  return [added, ...signingSecrets(former, nowMs)].slice(0, MOST_SECRETS);
}
