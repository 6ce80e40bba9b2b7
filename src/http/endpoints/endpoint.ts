import type { Arrival } from '../server-context.ts';

/**
 * One endpoint at one URL.
 * @param slug the path's tenant, decoded, where the layout has one
 */
export type EndpointHandler = (request: Request, arrival: Arrival, slug: string | undefined) => Promise<Response>;
