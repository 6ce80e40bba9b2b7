import { expect, test } from 'bun:test';
import { decideLogout, type LogoutFacts, type LogoutRequest, type LogoutVerdict } from '../../src/core/logout.ts';

const BACK = 'https://app.example/bye?x=1';
const bare: LogoutRequest = { clientId: null, redirectUri: null, state: null };
const back: LogoutRequest = { ...bare, redirectUri: BACK, state: 's&t=1 \u00E9' };
const client = { id: 'app', postLogoutRedirectUris: ['https://app.example/', BACK] };
const session = { id: 'ses_1', userId: 'usr_1' };
const hint = { sub: 'usr_1', clientId: 'app', sid: 'ses_1' };
const nothing: LogoutFacts = { hint: null, client: null, session: null, confirmed: false };
const TO = `${BACK}&state=s%26t%3D1%20%C3%A9`;

const refuse = (reason: Extract<LogoutVerdict, { act: 'refuse' }>['reason']): LogoutVerdict => ({ act: 'refuse', reason });
const end = (to: string | null, offer = false): LogoutVerdict => ({ act: 'end', to, offer });
const confirm = (to: string | null): LogoutVerdict => ({ act: 'confirm', to });

const rows: readonly (readonly [name: string, request: LogoutRequest, facts: Partial<LogoutFacts>, verdict: LogoutVerdict])[] = [
  ['LO-02 a hint of this session', bare, { hint, client, session }, end(null)],
  ['LO-02 … and a registered address, with the exact state', back, { hint, client, session }, end(TO)],
  ['LO-02 … and client_id beside it', { ...back, clientId: 'app' }, { hint, client, session }, end(TO)],
  ['LO-02 without state', { ...back, state: null }, { hint, client, session }, end(BACK)],
  ['LO-02 an address without a query', { ...back, redirectUri: 'https://app.example/', state: 'x' }, { hint, client, session }, end('https://app.example/?state=x')],
  ['LO-02 a hint without sid, of this user', bare, { hint: { ...hint, sid: null }, client, session }, end(null)],
  ['LO-02, UI-11 a hint of another session of this user is no proof', back, { hint: { ...hint, sid: 'ses_0' }, client, session }, confirm(TO)],
  ['LO-02 … until confirmed', back, { hint: { ...hint, sid: 'ses_0' }, client, session, confirmed: true }, end(TO)],
  ['LO-03 an address that is not registered', { ...back, redirectUri: 'https://evil.example/' }, { hint, client, session }, refuse('redirect_mismatch')],
  ['LO-03 … with another query', { ...back, redirectUri: `${BACK}&y=2` }, { hint, client, session }, refuse('redirect_mismatch')],
  ['LO-03 … in other case', { ...back, redirectUri: 'https://APP.example/' }, { hint, client, session }, refuse('redirect_mismatch')],
  ['LO-03 … also when confirmed', { ...back, redirectUri: 'https://evil.example/' }, { hint, client, session, confirmed: true }, refuse('redirect_mismatch')],
  ['LO-03 … also without a session', { ...back, redirectUri: 'https://evil.example/' }, { hint, client }, refuse('redirect_mismatch')],
  ['LO-03 … of a client that is gone', back, { hint, session }, refuse('redirect_mismatch')],
  ['LO-04 an address alone leads nowhere', back, { session }, confirm(null)],
  ['LO-04 … also when confirmed', back, { session, confirmed: true }, end(null)],
  ['LO-04 … also without a session', back, {}, end(null, true)],
  ['LO-04 with client_id: the person is asked', { ...back, clientId: 'app' }, { client, session }, confirm(TO)],
  ['LO-04 … and sent back once they said so', { ...back, clientId: 'app' }, { client, session, confirmed: true }, end(TO)],
  ['LO-04 … and not registered', { ...back, clientId: 'app', redirectUri: 'https://evil.example/' }, { client, session }, refuse('redirect_mismatch')],
  ['LO-04 … without a session: a link and no redirect', { ...back, clientId: 'app' }, { client }, end(TO, true)],
  ['LO-04 an unknown client', { ...back, clientId: 'ghost' }, { session }, refuse('unknown_client')],
  ['LO-05 a hint that is not ours', bare, { hint: 'invalid', session }, refuse('logout_invalid')],
  ['LO-05 … also when confirmed', bare, { hint: 'invalid', session, confirmed: true }, refuse('logout_invalid')],
  ['LO-05 … also without a session', bare, { hint: 'invalid' }, refuse('logout_invalid')],
  ['LO-06 client_id is not whom the hint was made for', { ...bare, clientId: 'other' }, { hint, client: { ...client, id: 'other' }, session }, refuse('logout_invalid')],
  ['LO-07 no hint: the person is asked', bare, { session }, confirm(null)],
  ['LO-07 … and it ends once they said so', bare, { session, confirmed: true }, end(null)],
  ['LO-08 a hint of another user', back, { hint: { ...hint, sub: 'usr_2' }, client, session }, confirm(TO)],
  ['LO-08 … whose sid is this session\'s', back, { hint: { ...hint, sub: 'usr_2' }, client, session }, confirm(TO)],
  ['LO-09 a hint and no session', back, { hint, client }, end(TO)],
  ['LO-09 nothing at all', bare, {}, end(null, true)],
  ['LO-09 a hint of a client that is gone, and no address', bare, { hint, session }, end(null)],
];

test.each(rows.map((row) => [...row] as const))('RP-Initiated Logout §2 · %s', (_name, request, facts, verdict) => {
  expect(decideLogout(request, { ...nothing, ...facts })).toEqual(verdict);
});
