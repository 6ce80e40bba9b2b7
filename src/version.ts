/**
 * What was built. `bun run build` replaces the two names below by strings (`--define`); from source there is
 * nothing to replace, and package.json and the word `source` stand in.
 */
import { version as manifestVersion } from '../package.json' with { type: 'json' };

declare const ASSAY_BUILD_VERSION: string;
declare const ASSAY_BUILD_COMMIT: string;

/** The version of the product, like `0.1.0`. */
export const version: string = typeof ASSAY_BUILD_VERSION === 'string' ? ASSAY_BUILD_VERSION : manifestVersion;

/** The git commit that the executable was built from, 12 hex digits with `+` when files were changed; `source` when run from source. */
export const commit: string = typeof ASSAY_BUILD_COMMIT === 'string' ? ASSAY_BUILD_COMMIT : 'source';
