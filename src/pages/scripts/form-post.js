/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument */
// @ts-nocheck: for browsers, where the types of this program are not; a browser tests it.
'use strict';
// Submits the one form of the page (OAuth 2.0 Form Post Response Mode §2). By the prototype, because a field may be called "submit".
HTMLFormElement.prototype.submit.call(document.forms[0]);
