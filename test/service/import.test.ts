/** Imports: rehearsed and done by the same acts, in pieces, again and again. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { SignJWT } from 'jose';
import { UnreadableImport, type Imported, type ImportedThing, type ImportRemark } from '../../src/core/imported.ts';
import { liveSecrets } from '../../src/core/client-auth.ts';
import type { Tenant } from '../../src/core/model.ts';
import { importers, type ImportProduct } from '../../src/importers/products.ts';
import { checkPassword } from '../../src/service/credentials/password.ts';
import { importThings } from '../../src/service/import/import.ts';
import type { ImportReport } from '../../src/service/import/tally.ts';
import { introspect } from '../../src/service/introspect.ts';
import { setClientEnabled } from '../../src/service/manage-clients.ts';
import type { Managed } from '../../src/service/manage-outcome.ts';
import { knowsSecret } from '../../src/service/manage-secrets.ts';
import { createUser, deleteUser, setUserEnabled, updateUser } from '../../src/service/manage-users.ts';
import { revoke } from '../../src/service/revoke.ts';
import { argon2, bcrypt, bare, keycloakCredential, keycloakKey, keycloakRealm, keycloakUser, PASSWORD, piecesOf, salt, scrypt } from '../importers/exports.ts';
import { listAudit } from '../helpers/trail.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const OLD = 'https://old.example.com/realms/acme';
const CURRENT = '$argon2id$v=19$m=19456,t=2,p=1$';

let rig: Rig;
let acme: Tenant;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
});
afterEach(() => rig.close());

type How = { readonly apply?: boolean; readonly update?: boolean };

async function take(things: Imported, { apply = true, update = false }: How = {}): Promise<Managed<ImportReport>> {
  return importThings(rig.ctx, acme, { product: 'test', things, apply, update });
}

const takeFile = async (product: ImportProduct, text: string, how: How = {}): Promise<ImportReport> =>
  wanted(await take(importers[product]({ bytes: piecesOf(text), issuer: OLD, passphrase: null }), how));

async function* listed(...things: readonly (ImportedThing | ImportRemark)[]): Imported {
  yield* things;
}

function person(username: string, more: Partial<Extract<ImportedThing, { readonly kind: 'user' }>> = {}): Extract<ImportedThing, { readonly kind: 'user' }> {
  return { kind: 'user', id: `id-${username}`, username, email: `${username}@example.com`, emailVerified: true, name: null, attributes: {}, password: null, enabled: true, ...more };
}

function client(id: string, more: Partial<Extract<ImportedThing, { readonly kind: 'client' }>> = {}): Extract<ImportedThing, { readonly kind: 'client' }> {
  return { kind: 'client', id, public: false, change: { grants: ['client_credentials'] }, secret: null, enabled: true, ...more };
}

const signsIn = async (name: string, password = PASSWORD): Promise<boolean> =>
  (await checkPassword(rig.ctx, { tenant: acme, from: { ip: null, requestId: null }, locale: null, device: null }, name, password)).ok;
const said = (report: ImportReport): string => report.remarks.map(({ text }) => text).join('\n');
const trail = async (): Promise<number> => (await listAudit(rig.ctx.store, { limit: 1000 })).length;

describe('a realm of Keycloak', () => {
  const key = keycloakKey();
  const realm = keycloakRealm([
    ...(['pbkdf2', 'pbkdf2-sha256', 'pbkdf2-sha512', 'argon2'] as const).map((algorithm) => keycloakUser(algorithm, { credentials: [keycloakCredential(algorithm)] })),
    keycloakUser('jane'), keycloakUser('joe', { enabled: false, credentials: [keycloakCredential('argon2')] }), keycloakUser('tim', { requiredActions: ['UPDATE_PASSWORD'], credentials: [keycloakCredential('pbkdf2-sha256')] }),
  ], [key.component]);

  test('a rehearsal says what the import then does, and writes nothing', async () => {
    const before = [rig.ctx.store.revision(), rig.ctx.store.epoch(), await trail()] as const;
    const rehearsed = await takeFile('keycloak', realm, { apply: false });
    expect([rig.ctx.store.revision(), rig.ctx.store.epoch(), await trail()]).toEqual([...before]);
    expect(await rig.ctx.store.listUsers(acme.id)).toEqual([]);
    expect(await takeFile('keycloak', realm)).toEqual(rehearsed);
    expect(rehearsed.counts).toMatchObject({
      tenant: { left: 1 }, role: { created: 2, refused: 1 }, organization: { created: 1 }, client: { created: 5, refused: 3 }, keys: { created: 1 },
      user: { created: 7, refused: 0 }, membership: { created: 1, refused: 1 },
    });
  });

  test('CR-01 everybody signs in with the password that they had, and its hash is ours from then on', async () => {
    await takeFile('keycloak', realm);
    for (const name of ['pbkdf2', 'pbkdf2-sha256', 'pbkdf2-sha512', 'argon2']) {
      const { digest } = there(await rig.ctx.store.findPassword(acme.id, `f7a5-${name}`));
      expect([name, digest.startsWith(CURRENT)]).toEqual([name, false]);
      expect([name, await signsIn(name, 'wrong')]).toEqual([name, false]);
      expect([name, await signsIn(name)]).toEqual([name, true]);
      expect(there(await rig.ctx.store.findPassword(acme.id, `f7a5-${name}`)).digest).toStartWith(CURRENT);
      expect(await signsIn(name)).toBe(true);
    }
    expect(await signsIn('joe')).toBe(false);
    expect(await rig.ctx.store.findPassword(acme.id, 'f7a5-tim')).toMatchObject({ mustChange: true });
    expect(await rig.ctx.store.findUser(acme.id, 'f7a5-joe')).toMatchObject({ disabledAtMs: expect.any(Number) });
    expect(await rig.ctx.store.findPassword(acme.id, 'f7a5-jane')).toBeNull();
  });

  test('clients have their secrets, or none; what cannot be had of them is left out and told', async () => {
    const report = await takeFile('keycloak', realm);
    const web = there(await rig.ctx.store.findClient(acme.id, 'web'));
    expect(await knowsSecret(rig.ctx, web, 'kc-web-secret-0123456789abcdef-0123456789')).toBe(true);
    expect(web).toMatchObject({ redirectUris: ['https://shop.example/callback', 'https://shop.example/other'], accessTokenTtl: 120, backchannelLogoutUri: 'https://shop.example/backchannel' });
    for (const id of ['masked', 'orders-api', 'signed']) expect(there(await rig.ctx.store.findClient(acme.id, id)).secrets).toEqual([]);
    expect(there(await rig.ctx.store.findClient(acme.id, 'masked')).disabledAtMs).not.toBeNull();
    expect(said(report)).toMatch(/its secret cannot be kept/);
    expect(said(report)).toMatch(/http:\/\/shop\.example\/plain.*loopback/);
  });

  test('a token of the old server is active at its issuer until it is revoked or over', async () => {
    await takeFile('keycloak', realm);
    const { client: caller } = await rig.client(acme, 'caller', { introspect: 'tenant' });
    const nowS = Math.floor(rig.clock.now() / 1000);
    const token = (jti: string): Promise<string> => new SignJWT({ iss: OLD, sub: 'f7a5-jane', azp: 'web', typ: 'Bearer', scope: 'openid profile', aud: 'account', jti, sid: 's', iat: nowS - 5, exp: nowS + 600 })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' }).sign(key.privateKey);
    expect(await introspect(rig.ctx, acme, caller, await token('j-1'))).toMatchObject({ active: true, issuer: OLD, facts: { userId: 'f7a5-jane', clientId: 'web' } });
    await revoke(rig.ctx, acme, there(await rig.ctx.store.findClient(acme.id, 'web')), await token('j-1'), { ip: null, requestId: null });
    expect(await introspect(rig.ctx, acme, caller, await token('j-1'))).toMatchObject({ active: false });
    const other = await token('j-2');
    expect(await introspect(rig.ctx, acme, caller, other)).toMatchObject({ active: true });
    rig.clock.advance(601_000);
    expect(await introspect(rig.ctx, acme, caller, other)).toMatchObject({ active: false });
  });

  test('done again, nothing changes; with update what differs is as in the file', async () => {
    await takeFile('keycloak', realm);
    const before = rig.ctx.store.epoch();
    const again = await takeFile('keycloak', realm);
    expect(again.counts).toMatchObject({ client: { created: 0, left: 5 }, user: { created: 0, left: 7 }, membership: { created: 0, left: 1 }, keys: { created: 0, left: 1 } });
    expect(rig.ctx.store.epoch()).toBe(before);
    wanted(await updateUser(rig.ctx, acme, 'jane', { name: 'Somebody', attributes: { own: 'kept' } }));
    const updated = await takeFile('keycloak', realm, { update: true });
    expect(updated.counts).toMatchObject({ user: { changed: 1, left: 6 }, tenant: { changed: 1 } });
    expect(await rig.ctx.store.findUser(acme.id, 'f7a5-jane')).toMatchObject({ name: 'Jane jane', attributes: { own: 'kept', given_name: 'Jane' } });
    expect(await rig.ctx.store.findTenant({ id: acme.id })).toMatchObject({ accessTokenTtl: 600, people: { sessionTtl: 72_000 } });
    expect((await takeFile('keycloak', realm, { update: true })).counts).toMatchObject({ user: { changed: 0 }, tenant: { changed: 0 }, client: { changed: 0 } });
  });

  test('LG-02 neither report nor audit trail holds a secret or a hash', async () => {
    const report = await takeFile('keycloak', realm);
    const text = JSON.stringify([report, await listAudit(rig.ctx.store, { limit: 1000 })]);
    expect(text).not.toMatch(/kc-web-secret|\$argon2|\$pbkdf2|secretData|MUST-NOT/);
    expect(await rig.events('import_finished')).toMatchObject([{ tenant: 'acme', actor: 'operator', outcome: 'success', reason: 'test created_17 changed_0 left_1 refused_5', count: 17 }]);
    expect((await rig.events('password_set')).map(({ subject, reason }) => [subject, reason])).toContainEqual(['f7a5-tim', 'imported temporary']);
  });
});

describe('other hashes', () => {
  test.each([['bcrypt', bcrypt('$2a$')], ['argon2id', argon2()], ['scrypt', `$scrypt$ln=14,r=8,p=1$${salt.bare}$${bare(scrypt())}`]])('CR-01 %s: signs in, and becomes ours', async (_name, digest) => {
    wanted(await take(listed(person('jane', { password: { digest, temporary: false } }))));
    expect(await signsIn('jane')).toBe(true);
    expect(there(await rig.ctx.store.findPassword(acme.id, 'id-jane')).digest).toStartWith(CURRENT);
  });

  test('what cannot be verified here is never stored', async () => {
    const report = wanted(await take(listed(person('jane', { password: { digest: `p1.${argon2()}`, temporary: false } }))));
    expect([await rig.ctx.store.findPassword(acme.id, 'id-jane'), said(report)]).toEqual([null, expect.stringContaining('set anew')]);
  });

  test('a password that is here stays; a person without one gets it with update', async () => {
    const file = person('jane', { password: { digest: bcrypt(), temporary: false } });
    wanted(await take(listed(person('jane'))));
    expect(wanted(await take(listed(file))).counts.user.left).toBe(1);
    expect(await rig.ctx.store.findPassword(acme.id, 'id-jane')).toBeNull();
    expect(wanted(await take(listed(file), { update: true })).counts.user.changed).toBe(1);
    expect(await signsIn('jane')).toBe(true);
    const { digest } = there(await rig.ctx.store.findPassword(acme.id, 'id-jane'));
    expect(wanted(await take(listed(file), { update: true })).counts.user.left).toBe(1);
    expect(there(await rig.ctx.store.findPassword(acme.id, 'id-jane')).digest).toBe(digest);
  });
});

describe('who is who', () => {
  test('ids are kept where they can be, else told', async () => {
    const report = wanted(await take(listed(person('jane', { id: 'auth0|1' }), person('joe', { id: 'has space' }), person('tim', { id: null }))));
    expect(await rig.ctx.store.findUserByName(acme.id, 'jane')).toMatchObject({ id: 'auth0|1' });
    expect(there(await rig.ctx.store.findUserByName(acme.id, 'joe')).id).toStartWith('usr_');
    expect(said(report)).toMatch(/cannot be kept[\s\S]*does not tell its id|does not tell its id[\s\S]*cannot be kept/);
    expect(wanted(await take(listed(person('joe', { id: 'has space' }), person('tim', { id: null })))).counts.user).toEqual({ created: 0, changed: 0, left: 2, refused: 0 });
  });

  test('a namesake who was here before is not taken for somebody of the file, nor gets their place', async () => {
    wanted(await createUser(rig.ctx, acme, null, { username: 'jane', email: 'other@example.com' }));
    const org: ImportedThing = { kind: 'organization', id: 'org_1', name: 'Globex' };
    const places: readonly ImportedThing[] = [{ kind: 'membership', orgId: 'org_1', user: 'jane', by: 'username', roles: [] }];
    for (const id of [null, 'id-jane']) {
      const report = wanted(await take(listed(org, person('jane', { id }), ...places), { update: true }));
      expect(report.counts).toMatchObject({ user: { created: 0, changed: 0, refused: 1 }, membership: { created: 0, refused: 1 } });
    }
    const missing = wanted(await take(listed(...places)));
    expect(missing.counts.membership.refused).toBe(1);
    expect(await rig.ctx.store.listMemberships(acme.id, { orgId: 'org_1' })).toEqual([]);
  });

  test('an id that somebody deleted had is never given again', async () => {
    wanted(await take(listed(person('jane'))));
    wanted(await deleteUser(rig.ctx, acme, 'jane'));
    expect(wanted(await take(listed(person('jane')), { update: true })).counts.user).toMatchObject({ created: 0, refused: 1 });
  });

  test('what was suspended here stays so; what was suspended there is from its first moment', async () => {
    wanted(await take(listed(person('jane'), person('joe', { enabled: false }), client('svc'), client('off', { enabled: false }))));
    wanted(await setUserEnabled(rig.ctx, acme, 'jane', false));
    wanted(await setClientEnabled(rig.ctx, acme, 'svc', false));
    wanted(await take(listed(person('jane'), person('joe'), client('svc'), client('off')), { update: true }));
    const { store } = rig.ctx;
    for (const user of await store.listUsers(acme.id)) expect(user.disabledAtMs).not.toBeNull();
    for (const one of await store.listClients(acme.id)) expect(one.disabledAtMs).not.toBeNull();
    expect((await rig.events('user_disabled')).map(({ subject }) => subject)).toEqual(['id-joe', 'id-jane']);
  });

  test('memberships: roles that are not there are left out, rows of the same person find each other', async () => {
    const membership = (orgId: string, roles: readonly string[]): ImportedThing => ({ kind: 'membership', orgId, user: 'jane', by: 'username', roles });
    const things: readonly ImportedThing[] = [
      { kind: 'role', name: 'clerk' }, { kind: 'organization', id: 'org_1', name: 'Globex' }, { kind: 'organization', id: 'org_2', name: 'Initech' },
      person('jane', { id: null }), membership('org_1', ['clerk', 'ghost']), person('jane', { id: null }), membership('org_2', []), membership('org_3', []),
    ];
    const report = wanted(await take(listed(...things), { apply: false }));
    expect(wanted(await take(listed(...things)))).toEqual(report);
    expect(report.counts).toMatchObject({ user: { created: 1, left: 1 }, membership: { created: 2, refused: 1 } });
    const { id } = there(await rig.ctx.store.findUserByName(acme.id, 'jane'));
    expect((await rig.ctx.store.listMemberships(acme.id, { userId: id })).map(({ orgId, roles }) => [orgId, roles])).toEqual([['org_1', ['clerk']], ['org_2', []]]);
  });
});

describe('clients', () => {
  test('with update, the secret of the file is the secret', async () => {
    const first = 'first-secret-0123456789abcdef0123456789';
    const second = 'second-secret-0123456789abcdef012345678';
    wanted(await take(listed(client('svc', { secret: first }))));
    expect(wanted(await take(listed(client('svc', { secret: second })))).counts.client.left).toBe(1);
    expect(wanted(await take(listed(client('svc', { secret: second })), { update: true })).counts.client.changed).toBe(1);
    const svc = there(await rig.ctx.store.findClient(acme.id, 'svc'));
    expect([await knowsSecret(rig.ctx, svc, first), await knowsSecret(rig.ctx, svc, second), liveSecrets(svc, rig.clock.now()).length]).toEqual([false, true, 1]);
  });

  test('an id that is a person\'s, or that no client may have, is refused by the acts\' own words', async () => {
    const report = wanted(await take(listed(person('jane'), client('usr_1'))));
    expect(report.remarks.find(({ refused }) => refused === 'client')?.text).toContain('must not begin with usr_');
    expect(wanted(await take(listed(client('id-jane')))).counts.client.refused).toBe(1);
  });
});

describe('large files and files that break off', () => {
  test('20,000 users in a few seconds, and again', async () => {
    async function* many(): Imported {
      for (let index = 0; index < 20_000; index += 1) yield person(`user${index}`, { password: { digest: '$2a$04$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu', temporary: false } });
    }
    const startedMs = performance.now();
    expect(wanted(await take(many())).counts.user).toMatchObject({ created: 20_000, refused: 0 });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(wanted(await take(many())).counts.user).toMatchObject({ created: 0, left: 20_000 });
  }, 60_000);

  test('what came before the break stays, is told, and the next time goes on', async () => {
    async function* broken(): Imported {
      for (let index = 0; index < 600; index += 1) yield person(`user${index}`);
      throw new UnreadableImport('the file is not JSON');
    }
    expect(await take(broken())).toMatchObject({ ok: false, description: 'the file is not JSON; 500 things that stood before it are imported' });
    expect((await rig.events('import_finished')).map(({ outcome, count }) => [outcome, count])).toEqual([['failure', 500]]);
    const whole = listed(...Array.from({ length: 600 }, (_, index) => person(`user${index}`)));
    expect(wanted(await take(whole)).counts.user).toMatchObject({ created: 100, left: 500 });
  });
});
