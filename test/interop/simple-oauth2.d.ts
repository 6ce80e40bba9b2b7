/** What the tests use of simple-oauth2, which brings no types. */
declare module 'simple-oauth2' {
  type Token = { readonly token: Readonly<Record<string, unknown>>; revoke(kind: 'access_token' | 'refresh_token'): Promise<unknown>; revokeAll(): Promise<void>; refresh(): Promise<Token> };
  export class ClientCredentials {
    constructor(config: object);
    getToken(parameters: object): Promise<Token>;
    createToken(token: object): Token;
  }
}
