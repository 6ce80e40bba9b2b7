import { isSlug, type Layout } from '../core/layouts.ts';
import { readCredentials } from '../core/client-auth.ts';
import type { Client, Tenant } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { findUsableTenant } from '../service/context.ts';
import type { Store } from '../core/store.ts';
import { limitHeaders, refusedBy } from '../core/limits.ts';
import { answerAuthentication, answerFormFault, answerLimited, answerNotFound } from './failures.ts';
import { parseForm, type FormText, type FormValues, type KnownParameters } from './form.ts';
import type { ExtraHeaders } from './respond.ts';
import type { Arrival, ServerContext } from './server-context.ts';

/** By what a URL names its tenant; null where the layout is not served on this site (wire contract §1). */
export function tenantNameOf(layout: Layout, arrival: Arrival, slug: string | undefined): { readonly slug: string } | { readonly host: string } | null {
  const { site } = arrival;
  if (layout.prefix === '') {
    if (site.kind === 'own') return { slug: DEFAULT_TENANT };
    return site.kind === 'tenant' ? { host: site.host } : null;
  }
  return site.kind === 'own' && slug !== undefined && isSlug(slug) ? { slug } : null;
}

/** The tenant that a URL speaks of, if it may be spoken to. @throws StoreError */
export async function resolveTenant(store: Store, layout: Layout, arrival: Arrival, slug: string | undefined): Promise<Tenant | null> {
  const name = tenantNameOf(layout, arrival, slug);
  return name === null ? null : findUsableTenant(store, name);
}

/** Credentials in a form; every protocol endpoint knows them (RFC 6749 §2.3.1). */
export type CredentialParameters = FormValues & {
  readonly client_id: string;
  readonly client_secret: string;
  readonly client_assertion: string;
  readonly client_assertion_type: string;
};

/** A request whose tenant, form and caller are known. `headers`: how its limits stand, for its answer. */
export type Admitted<F extends FormValues> = { readonly tenant: Tenant; readonly client: Client; readonly form: Partial<F & CredentialParameters>; readonly headers: ExtraHeaders };

/**
 * The steps that introspection, revocation and token requests share, in their order (INT-28): tenant, form, duplicates,
 * client authentication, and the limits that its tenant has.
 * @param body what `readFormText` gave; judged after the tenant, so that a tenant nobody may know of stays unknown
 * @param allowPublic whether a public client may call with its `client_id` alone
 * @returns what the endpoint works with, or the refusal. @throws StoreError
 */
export async function admit<F extends FormValues>(
  server: ServerContext,
  request: Request,
  arrival: Arrival,
  at: { readonly layout: Layout; readonly slug: string | undefined },
  body: FormText,
  known: KnownParameters,
  allowPublic: boolean,
): Promise<Admitted<F> | Response> {
  const { ctx } = server;
  const { peer } = arrival;
  const tenant = await resolveTenant(ctx.store, at.layout, arrival, at.slug);
  if (tenant === null) return answerNotFound(server, peer.requestId);
  const arrived = ctx.limiter.arrive(tenant, peer);
  if (refusedBy(arrived) !== null) return answerLimited(server, arrived, peer.requestId);
  const reading = body.ok ? parseForm<F & CredentialParameters>(body.text, known) : body;
  if (!reading.ok) return answerFormFault(server, reading.fault, peer.requestId);
  const { form } = reading;
  const credentials = readCredentials(request.headers.get('authorization'), form);
  const caller = await ctx.authenticator.authenticate(tenant, credentials, allowPublic, peer);
  if (!caller.ok) return answerAuthentication(server, caller, peer.requestId);
  const called = ctx.limiter.call(tenant, caller.client, peer);
  if (refusedBy(called) !== null) return answerLimited(server, [...arrived, ...called], peer.requestId);
  return { tenant, client: caller.client, form, headers: limitHeaders([...arrived, ...called]) };
}
