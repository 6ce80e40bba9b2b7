import { UnreadableImport, type Imported } from '../core/imported.ts';
import { importAuth0 } from './auth0.ts';
import { importHydra } from './hydra.ts';
import { importKeycloak } from './keycloak.ts';
import { importKotauth } from './kotauth.ts';
import { readAll, readPieces, type ImportSource } from './text.ts';
import { importWorkos } from './workos.ts';

/** Products whose exports can be read. */
export const importers = {
  keycloak: importKeycloak, hydra: importHydra, kotauth: importKotauth, auth0: importAuth0, workos: importWorkos,
} as const satisfies Readonly<Record<string, (source: ImportSource) => Imported>>;
export type ImportProduct = keyof typeof importers;

/** A JWK set in a file of its own, for tokens of an issuer. @throws UnreadableImport */
export async function readJwks(bytes: AsyncIterable<Uint8Array>): Promise<unknown> {
  try {
    return JSON.parse(await readAll(readPieces(bytes))) as unknown;
  } catch (error) {
    if (error instanceof UnreadableImport) throw error;
    throw new UnreadableImport('the JWK set is not JSON');
  }
}
