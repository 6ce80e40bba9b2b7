/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return */
// @ts-nocheck: for browsers, where the types of this program are not; a browser tests it.
// The demo's single-page application: authorization code with PKCE (OAuth 2.1 §4.1), plain browser functions only. What
// it holds is in this tab's sessionStorage, and gone with the tab. Needs demo-tokens.js.
(() => {
  'use strict';
  const { Trouble, toBase64Url, random, utf8, openJwt, verifyIdToken, showJson } = globalThis.demoTokens;
  const main = document.querySelector('main');
  const { client, scope, gateway } = main.dataset;
  const home = location.origin + location.pathname;
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const resultParts = ['person', 'introspection', 'access', 'identity', 'userinfo'];

  const kept = (key) => ({
    read: () => JSON.parse(sessionStorage.getItem(key) ?? 'null'),
    write: (value) => sessionStorage.setItem(key, JSON.stringify(value)),
    forget: () => sessionStorage.removeItem(key),
  });
  const pending = kept('demo.pending');
  const tokens = kept('demo.tokens');

  // ------------------------------------------------------------------------------------------------------- the server

  let metadata = null;

  async function readJson(response) {
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return text === '' ? {} : { error: text.slice(0, 200) };
    }
  }

  async function ask(url, init) {
    let response;
    try {
      response = await fetch(url, { credentials: 'omit', cache: 'no-store', ...init });
    } catch {
      throw new Trouble('The server does not answer. Is the demo still running?');
    }
    return { response, body: await readJson(response) };
  }

  async function post(url, fields) {
    const { response, body } = await ask(url, { method: 'POST', body: new URLSearchParams(fields) });
    if (!response.ok) throw new Trouble(`The server refused: ${body.error ?? response.status}${body.error_description ? ` (${body.error_description})` : ''}.`);
    return body;
  }

  /** Where everything is (OpenID Connect Discovery §4). */
  async function discover() {
    const { response, body } = await ask('/.well-known/openid-configuration');
    if (!response.ok || body.issuer !== location.origin) throw new Trouble('The server does not describe itself as the issuer of this address.');
    metadata = body;
  }

  // ------------------------------------------------------------------------------------------------------- tokens

  async function verify(token, nonce) {
    const { body } = await ask(metadata.jwks_uri);
    return verifyIdToken(token, { issuer: metadata.issuer, client, nonce, keys: body.keys ?? [] });
  }

  /** Takes what the token endpoint gave; what it left out stays. */
  async function take(answer, former) {
    const now = {
      access: answer.access_token,
      refresh: answer.refresh_token ?? former.refresh,
      id: answer.id_token ?? former.id,
      nonce: former.nonce,
      expiresMs: Date.now() + answer.expires_in * 1000,
      revoked: false,
    };
    // At a refresh there need be no nonce (OpenID Connect Core §12.2).
    const nonce = answer.id_token !== undefined && former.id !== undefined ? openJwt(answer.id_token).payload.nonce ?? undefined : former.nonce;
    if (former.id !== undefined && nonce !== undefined && nonce !== former.nonce) throw new Trouble('The new ID token answers another request.');
    const claims = await verify(now.id, nonce);
    if (former.id !== undefined && openJwt(former.id).payload.sub !== claims.sub) throw new Trouble('The new ID token speaks of somebody else.');
    if (answer.id_token !== undefined && claims.exp * 1000 < Date.now()) throw new Trouble('The ID token has expired.');
    now.nonce = nonce;
    tokens.write(now);
  }

  // ------------------------------------------------------------------------------------------------------- acts

  const acts = {
    async signIn() {
      const verifier = random(32);
      const wanted = { kind: 'sign-in', state: random(16), nonce: random(16), verifier };
      pending.write(wanted);
      const url = new URL(metadata.authorization_endpoint);
      url.search = new URLSearchParams({
        response_type: 'code', client_id: client, redirect_uri: home, scope, state: wanted.state, nonce: wanted.nonce,
        code_challenge: toBase64Url(await crypto.subtle.digest('SHA-256', utf8(verifier))), code_challenge_method: 'S256',
      });
      location.assign(url);
      return 'leaving';
    },

    async introspect() {
      await introspect();
    },

    async refresh() {
      const held = tokens.read();
      await take(await post(metadata.token_endpoint, { grant_type: 'refresh_token', refresh_token: held.refresh, client_id: client }), held);
      await showAll();
      say('good', 'New tokens: the refresh token before is spent.');
    },

    async revoke() {
      const held = tokens.read();
      await post(metadata.revocation_endpoint, { token: held.access, token_type_hint: 'access_token', client_id: client });
      tokens.write({ ...held, revoked: true });
      await showAll();
      say('good', 'The access token is revoked: see what introspection says now.');
      part('introspection').scrollIntoView();
    },

    async signOut() {
      const held = tokens.read();
      const wanted = { kind: 'sign-out', state: random(16) };
      pending.write(wanted);
      tokens.forget();
      const url = new URL(metadata.end_session_endpoint);
      url.search = new URLSearchParams({ id_token_hint: held.id, post_logout_redirect_uri: home, state: wanted.state });
      location.assign(url);
      return 'leaving';
    },
  };

  /** What the address brought back: an answer to a request of this tab, or nothing. */
  async function takeAnswer() {
    const answer = new URLSearchParams(location.search);
    if (!answer.has('state') && !answer.has('code') && !answer.has('error')) return;
    // The code must not stay in the history.
    history.replaceState(null, '', home);
    const wanted = pending.read();
    pending.forget();
    if (wanted === null || answer.get('state') !== wanted.state) throw new Trouble('This answer does not belong to a request of this tab (its state differs). Start again.');
    if (wanted.kind === 'sign-out') {
      say('good', 'You are signed out. The session is over here and at the server.');
      return;
    }
    if (answer.get('iss') !== metadata.issuer) throw new Trouble('This answer is from another server (its iss differs).');
    if (answer.has('error')) {
      const description = answer.get('error_description');
      throw new Trouble(answer.get('error') === 'access_denied' ? 'You did not allow it, so nobody is signed in.' : `Signing in failed: ${answer.get('error')}${description === null ? '' : ` (${description})`}.`);
    }
    await take(await post(metadata.token_endpoint, {
      grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: home, client_id: client, code_verifier: wanted.verifier,
    }), { nonce: wanted.nonce });
  }

  // ------------------------------------------------------------------------------------------------------- the page

  function say(mood, text) {
    const note = part('message');
    note.className = `note ${mood}`;
    note.textContent = text;
    note.hidden = false;
  }

  function tag(element, mood, text) {
    element.className = `tag ${mood}`;
    element.textContent = text;
    element.hidden = false;
  }

  function showLeft() {
    const held = tokens.read();
    if (held === null || part('access').hidden) return;
    const seconds = Math.floor((held.expiresMs - Date.now()) / 1000);
    if (held.revoked) tag(part('left'), 'bad', 'revoked');
    else if (seconds <= 0) tag(part('left'), 'bad', 'expired');
    else tag(part('left'), seconds < 60 ? 'warn' : '', `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`);
  }

  async function introspect() {
    const { access } = tokens.read();
    const answer = await post('/demo/introspect', { token: access });
    showJson(part('introspectionBody'), answer);
    tag(part('introspectionTag'), answer.active ? 'good' : 'bad', `${answer.active ? 'active' : 'not active'} at ${new Date().toLocaleTimeString()}`);
    part('curl').textContent = `curl -sS ${metadata.introspection_endpoint} -u ${gateway} -d token=${access}`;
  }

  async function showUserinfo(access) {
    const { response, body } = await ask(metadata.userinfo_endpoint, { headers: { Authorization: `Bearer ${access}` } });
    showJson(part('userinfoBody'), body);
    tag(part('userinfoTag'), response.ok ? 'good' : 'bad', `${response.status}`);
    return response.ok ? body : null;
  }

  function showPerson(claims) {
    const shown = claims.name ?? claims.preferred_username ?? claims.sub;
    part('name').textContent = shown;
    part('email').textContent = claims.email ?? '';
    part('initial').textContent = [...shown][0].toUpperCase();
  }

  function showTokens(held) {
    const access = openJwt(held.access);
    showJson(part('accessHead'), access.header);
    showJson(part('accessBody'), access.payload);
    part('raw').textContent = held.access;
    const { header, payload } = openJwt(held.id);
    showJson(part('identityBody'), payload);
    const checks = [`signed by key ${header.kid.slice(0, 8)}…`, 'issuer', 'audience', ...(payload.nonce === undefined ? [] : ['nonce']), 'lifetime'];
    part('checks').replaceChildren(...checks.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }));
    showPerson(payload);
  }

  async function showAll() {
    const held = tokens.read();
    part('start').hidden = held !== null;
    if (held === null) {
      for (const name of resultParts) part(name).hidden = true;
      return;
    }
    showTokens(held);
    await introspect();
    const profile = await showUserinfo(held.access);
    if (profile !== null) showPerson(profile);
    for (const name of resultParts) part(name).hidden = false;
    showLeft();
  }

  /** One thing at a time; what goes wrong is said. */
  async function run(act) {
    main.setAttribute('aria-busy', 'true');
    for (const button of document.querySelectorAll('button')) button.disabled = true;
    part('message').hidden = true;
    let outcome;
    try {
      outcome = await act();
    } catch (error) {
      say('bad', error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`);
    }
    if (outcome === 'leaving') return;
    main.removeAttribute('aria-busy');
    for (const button of document.querySelectorAll('button')) button.disabled = false;
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-act]');
    if (button === null) return;
    void run(acts[button.dataset.act]).then(() => button.focus({ preventScroll: true }));
  });
  // A page that comes back from the browser's memory shows how things are now.
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  setInterval(showLeft, 1000);

  void run(async () => {
    part('start').hidden = tokens.read() !== null;
    await discover();
    try {
      await takeAnswer();
      const held = tokens.read();
      // Tokens of an earlier start of the demo are nobody's.
      if (held !== null) await verify(held.id, held.nonce);
    } catch (error) {
      tokens.forget();
      await showAll();
      throw error;
    }
    await showAll();
  });
})();
