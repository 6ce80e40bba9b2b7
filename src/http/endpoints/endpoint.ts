import type { Arrival } from '../server-context.ts';

/** Variable parts of a path, by name; `slug` stands apart. */
export type PathParts = Readonly<Record<string, string>>;

/**
 * One endpoint at one URL.
 * @param slug the path's tenant, decoded, where the layout has one
 */
export type EndpointHandler = (request: Request, arrival: Arrival, slug: string | undefined, parts: PathParts) => Promise<Response>;
