/** People who operate a server in its console, and what its pages must be. */
import { expect } from 'bun:test';
import type { AuditType } from '../../src/core/audit-event.ts';
import type { Tenant, User } from '../../src/core/model.ts';
import type { BrowserSession } from '../../src/core/people.ts';
import { everything, putAdministrator } from '../../src/service/manage-access.ts';
import { defaultTenant, must, type Fixture } from './fixture.ts';
import { makePerson, withSession } from './flow.ts';
import type { Person, PersonPage } from './person.ts';
import { listAudit } from './trail.ts';

let count = 0;

/** Somebody in the console, signed in a moment ago unless `session` says otherwise. */
export async function makeOperator(
  fixture: Fixture, { scopes = ['admin'], tenant = null, session = {} }: { readonly scopes?: readonly string[]; readonly tenant?: Tenant | null; readonly session?: Partial<BrowserSession> } = {},
): Promise<{ readonly person: Person; readonly user: User }> {
  count += 1;
  const home = await defaultTenant(fixture);
  const user = await makePerson(fixture, home, `operator-${count}`);
  must(await putAdministrator(fixture.application.ctx, everything, user.id, { scopes, tenant }));
  const { person } = await withSession(fixture, home, user, session);
  return { person, user };
}

/** The newest event of a type, or undefined. */
export async function newestEvent({ application }: Fixture, type: AuditType): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await listAudit(application.ctx.store, { type, limit: 1 }))[0];
}

/** What every page of the console carries (UI-01, UI-02), and none may (HT-09). */
export function expectConsoleHeaders({ headers, url }: Pick<PersonPage, 'headers' | 'url'>): void {
  expect([url, headers.get('content-security-policy')]).toEqual([
    url, 'default-src \'none\'; style-src \'self\'; img-src data:; script-src \'self\'; connect-src \'self\'; base-uri \'none\'; form-action \'self\'; frame-ancestors \'none\'',
  ]);
  const names = ['x-frame-options', 'x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'cache-control', 'content-type', 'access-control-allow-origin'];
  expect(names.map((name) => headers.get(name))).toEqual(['DENY', 'nosniff', 'no-referrer', 'same-origin', 'no-store', 'text/html; charset=utf-8', null]);
}
