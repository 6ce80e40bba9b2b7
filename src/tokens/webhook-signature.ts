import { createHmac } from 'node:crypto';
import type { Random } from '../core/ports.ts';
import { SECRET_PREFIX } from '../core/webhook-settings.ts';

const SECRET_BYTES = 32;

/** A fresh signing secret: `whsec_` and 256 random bits in base64. */
export function makeWebhookSecret(random: Random): string {
  return SECRET_PREFIX + Buffer.from(random.text(SECRET_BYTES), 'base64url').toString('base64');
}

/**
 * The headers that a message goes out with (Standard Webhooks, "Webhook Headers"): its id, its time and one signature for each
 * secret, separated by a space.
 * @param secrets as `makeWebhookSecret` makes them. @param timestampS seconds
 */
export function webhookHeaders(secrets: readonly string[], id: string, timestampS: number, body: string): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': signatures.join(' ') };
}
