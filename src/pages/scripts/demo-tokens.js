/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return */
// @ts-nocheck: for browsers, where the types of this program are not; a browser tests it.
// What the demo's application does with tokens and JSON, without asking anybody: globalThis.demoTokens, for demo.js.
(() => {
  'use strict';
  /** A failure with words for people. */
  class Trouble extends Error {}

  const toBase64Url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const fromBase64Url = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
  const random = (bytes) => toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
  const utf8 = (text) => new TextEncoder().encode(text);

  function openJwt(token) {
    const [head, body] = token.split('.');
    const read = (text) => JSON.parse(new TextDecoder().decode(fromBase64Url(text)));
    return { header: read(head), payload: read(body) };
  }

  const algorithms = {
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
    ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
  };

  /** Checks an ID token against what was expected and the server's keys (OpenID Connect Core §3.1.3.7). @returns its claims. @throws Trouble */
  async function verifyIdToken(token, { issuer, client, nonce, keys }) {
    const { header, payload } = openJwt(token);
    const algorithm = Object.hasOwn(algorithms, header.alg) ? algorithms[header.alg] : undefined;
    const jwk = keys.find(({ kid }) => kid === header.kid);
    if (algorithm === undefined || jwk === undefined) throw new Trouble('The ID token is not signed with a key of this server: it was started afresh, perhaps. Sign in again.');
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    const [head, claims, signature] = token.split('.');
    if (!await crypto.subtle.verify(algorithm, key, fromBase64Url(signature), utf8(`${head}.${claims}`))) throw new Trouble('The signature of the ID token is wrong.');
    if (payload.iss !== issuer) throw new Trouble('The ID token is from another issuer.');
    if (![payload.aud].flat().includes(client)) throw new Trouble('The ID token is for another application.');
    if (payload.nonce !== nonce) throw new Trouble('The ID token answers another request.');
    return payload;
  }

  const times = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);
  const syntax = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false)\b|-?\b\d[\d.]*\b,?/g;

  /** As JSON, lists of plain values on one line. */
  const writeJson = (value) => JSON.stringify(value, null, 2).replaceAll(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (_, inner) => `[${inner.replaceAll(/\n\s+/g, ' ')}]`);

  /** JSON with its names, verdicts and moments marked. */
  function showJson(element, value) {
    const text = writeJson(value);
    element.replaceChildren();
    let end = 0;
    let key = '';
    for (const found of text.matchAll(syntax)) {
      const [whole, string, colon] = found;
      const span = document.createElement('span');
      span.textContent = colon === undefined ? whole : string;
      if (colon !== undefined) {
        key = JSON.parse(string);
        span.className = 'key';
      } else if (whole === 'true' || whole === 'false') span.className = whole === 'true' ? 'yes' : 'no';
      else if (string === undefined && times.has(key)) span.dataset.when = new Date(Number.parseInt(whole, 10) * 1000).toLocaleTimeString();
      element.append(text.slice(end, found.index), span, colon ?? '');
      end = found.index + whole.length;
    }
    element.append(text.slice(end));
  }

  globalThis.demoTokens = { Trouble, toBase64Url, random, utf8, openJwt, verifyIdToken, showJson };
})();
