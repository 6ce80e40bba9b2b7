/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return */
// @ts-nocheck: for browsers, where the types of this program are not; a browser tests it.
// Passkeys on our pages: form[data-passkey=get|create] has the browser's options in data-options and the words for
// failures in data-cancelled, data-failed and data-waiting. What the browser answers goes into its hidden field
// `credential`, and the form is sent like any other. Needs @simplewebauthn/browser as SimpleWebAuthnBrowser.
(() => {
  'use strict';
  const webauthn = globalThis.SimpleWebAuthnBrowser;
  const form = document.querySelector('form[data-passkey]');
  if (!form || !webauthn || !globalThis.PublicKeyCredential || !webauthn.browserSupportsWebAuthn()) return;
  const optionsJSON = JSON.parse(form.dataset.options);
  const creates = form.dataset.passkey === 'create';
  const live = form.querySelector('[aria-live]');
  const button = form.querySelector('button');

  /** Fills the form and sends it, once. */
  function send(credential) {
    form.elements.failure.value = '';
    form.elements.credential.value = JSON.stringify(credential);
    HTMLFormElement.prototype.submit.call(form);
  }

  /** Says what went wrong; nothing is sent. */
  function explain(error) {
    const failure = error.name === 'NotAllowedError' || error.name === 'AbortError' ? 'cancelled' : 'failed';
    form.elements.failure.value = failure;
    live.dataset.failure = failure;
    live.textContent = form.dataset[failure];
  }

  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    delete live.dataset.failure;
    live.textContent = form.dataset.waiting;
    const asked = creates ? webauthn.startRegistration({ optionsJSON }) : webauthn.startAuthentication({ optionsJSON });
    asked.then(send, explain).finally(() => { button.disabled = false; });
  });
  for (const element of document.querySelectorAll('[data-needs-passkeys]')) element.hidden = false;

  // Passkeys among the suggestions of the name field. The button's ceremony ends this one; that is not worth a word.
  if (creates || !document.querySelector('input[autocomplete$="webauthn"]')) return;
  webauthn.browserSupportsWebAuthnAutofill()
    .then((can) => can ? webauthn.startAuthentication({ optionsJSON, useBrowserAutofill: true }).then(send) : undefined)
    .catch(() => undefined);
})();
