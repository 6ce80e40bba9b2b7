import { authorizationCode } from './authorization-code.ts';
import { clientCredentials } from './client-credentials.ts';
import type { GrantHandler } from './grant.ts';
import { refreshToken } from './refresh-token.ts';

/** Every grant type that the token endpoint answers; discovery lists exactly these (DS-12). */
export const grantHandlers: ReadonlyMap<string, GrantHandler> = new Map(
  [authorizationCode, clientCredentials, refreshToken].map((handler) => [handler.type, handler]),
);
