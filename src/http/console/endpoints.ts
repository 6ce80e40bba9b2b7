import { issuerOf } from '../../core/issuer.ts';
import type { Tenant } from '../../core/model.ts';
import { tenantUrls } from '../../service/documents.ts';
import type { ConsoleCall } from './call.ts';

/** A tenant's issuer, and its endpoints at home. */
export function homeOf({ ctx }: Pick<ConsoleCall, 'ctx'>, tenant: Tenant): ReturnType<typeof tenantUrls> & { readonly issuer: string } {
  return { ...tenantUrls(tenant, ctx.origin()), issuer: issuerOf(tenant, ctx.origin()) };
}
