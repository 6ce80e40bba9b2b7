import type { Difference } from '../../core/configuration/difference.ts';
import type { WebhookMembers } from '../../core/configuration/fields.ts';
import type { Entry } from '../../core/configuration/read.ts';
import type { Tenant } from '../../core/model.ts';
import { sealedFor } from '../../core/sealed.ts';
import type { Webhook } from '../../core/webhook.ts';
import { signingSecrets } from '../../core/webhook-settings.ts';
import { unseal } from '../../keys/seal.ts';
import { digestOf, sameDigest } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { done, refused, type Managed } from '../manage-outcome.ts';
import { createWebhook, deleteWebhook, OVERLAP_S, rotateWebhookSecret, setWebhookEnabled, updateWebhook } from '../manage-webhooks.ts';

/** How a warning ends that names something whose secret was made here: a secret that nobody was shown helps nobody. */
export const SECRET_UNKNOWN = ' has a secret that nobody knows; refer to one in the file, or rotate it';

/** Whether the newest of a webhook's secrets is this one. @throws UnsealError */
export function hasWebhookSecret(ctx: Pick<Context, 'master' | 'clock'>, webhook: Webhook, text: string): boolean {
  const [newest] = signingSecrets(webhook.secrets, ctx.clock.now());
  return newest !== undefined && sameDigest(digestOf(unseal(ctx.master, sealedFor.webhookSecret(webhook.id), newest.sealed)), digestOf(text));
}

/** Makes one webhook of a tenant as the file wants it. @param entry undefined: it is to go */
export async function applyWebhook(ctx: Context, tenant: Tenant, difference: Difference, entry: Entry<WebhookMembers> | undefined, secret: string | null): Promise<Managed<unknown>> {
  const { name, action } = difference;
  const known = (await ctx.store.listWebhooks(tenant.id)).find((webhook) => webhook.name === name);
  if (entry === undefined) return known === undefined ? done(null) : deleteWebhook(ctx, tenant, known.id);
  const changed = difference.members.flatMap((member) => entry.changes.get(member.name) ?? []);
  const { enabled, ...change } = changed.reduce<WebhookMembers>((all, one) => ({ ...all, ...one }), {});
  if (action === 'create') return create(ctx, tenant, name, { enabled, ...change }, secret);
  if (known === undefined) return refused('conflict', 'it is not there any more');
  const updated = Object.keys(change).length === 0 ? done(known) : await updateWebhook(ctx, tenant, known.id, change);
  const switched = !updated.ok || enabled === undefined ? updated : await setWebhookEnabled(ctx, tenant, known.id, enabled);
  // The receiver gets the new secret when it gets it: until then the former one signs along.
  return !switched.ok || secret === null || !difference.secret ? switched : rotateWebhookSecret(ctx, tenant, known.id, { secret, overlap: OVERLAP_S });
}

async function create(ctx: Context, tenant: Tenant, name: string, { url, events = [], enabled = true }: { readonly [Name in keyof WebhookMembers]: WebhookMembers[Name] | undefined }, secret: string | null): Promise<Managed<unknown>> {
  if (url === undefined) return refused('invalid_request', 'its url is missing', { member: 'url' });
  const created = await createWebhook(ctx, tenant, { name, url, events, secret });
  if (!created.ok) return created;
  const switched = enabled ? done(null) : await setWebhookEnabled(ctx, tenant, created.value.webhook.id, false);
  if (!switched.ok || secret !== null) return switched;
  return done(null, [`the webhook ${tenant.slug}/${name}${SECRET_UNKNOWN}`]);
}
