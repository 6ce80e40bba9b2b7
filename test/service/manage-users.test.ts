import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Application } from '../../src/app/open.ts';
import type { Tenant } from '../../src/core/model.ts';
import { createUser, deleteUser, requireUser, revokeUserTokens, setUserEnabled, updateUser } from '../../src/service/manage-users.ts';
import { createTenant } from '../../src/service/manage-tenants.ts';
import { must } from '../helpers/fixture.ts';
import { openData, removeFolder, temporaryFolder } from '../helpers/server.ts';

let data: string;
let application: Application;
let tenant: Tenant;

beforeAll(async () => {
  data = temporaryFolder();
  application = await openData(data);
  tenant = must(await createTenant(application.ctx, 'acme', { algorithm: 'ES256' }));
});
afterAll(async () => {
  await application.close();
  removeFolder(data);
});

const create = (username: string, id: string | null = null, email = 'someone@example.com') => createUser(application.ctx, tenant, id, { username, email });
const find = (reference: string) => requireUser(application.ctx, tenant, reference);

describe('names and ids', () => {
  test('OIDC 5.7 an id is a prefixed UUID unless chosen', async () => {
    expect(must(await create('uuid')).id).toMatch(/^usr_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(must(await create('chosen', '42')).id).toBe('42');
    expect(await create('chosen2', '42')).toMatchObject({ ok: false, error: 'already_exists' });
  });

  test('TX-02 nobody\'s name is another\'s id: a command could mean either', async () => {
    must(await create('holder', '4711'));
    expect(await create('4711')).toMatchObject({ ok: false, error: 'conflict' });
    expect(await create('someone-else', 'holder')).toMatchObject({ ok: false, error: 'conflict' });
    must(await create('renamed'));
    expect(await updateUser(application.ctx, tenant, 'renamed', { username: '4711' })).toMatchObject({ ok: false, error: 'conflict' });
    expect(must(await find('4711')).username).toBe('holder');
  });

  test('TX-02 letter case and composition do not make another name', async () => {
    must(await create('Zo\u00EB'));
    for (const name of ['zo\u00EB', 'ZOE\u0308', 'Zo\u00EB']) expect(await create(name)).toMatchObject({ ok: false, error: 'already_exists' });
    expect(must(await find('ZOE\u0308')).username).toBe('Zo\u00EB');
    expect(await create('Z\u03BFe')).toMatchObject({ ok: true });
  });

  test.each([
    ['TX-04 a control character', 'a\u0007b'], ['TX-04 a lone surrogate', 'a\uD800'], ['TX-04 a direction mark', 'a\u202Eb'], ['TX-04 a byte order mark', '\uFEFFa'],
    ['TX-04 257 characters', 'x'.repeat(257)], ['nothing', ''], ['a space at the end', 'a '],
  ])('%s is refused', async (_what, username) => {
    expect(await create(username)).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('TX-01 text that databases might trip over is a name like any other', async () => {
    for (const name of ["' OR 1=1--", '%', '_', '"; DROP TABLE users; --']) {
      must(await create(name));
      expect(must(await find(name)).username).toBe(name);
    }
    expect(await find('100%')).toMatchObject({ ok: false, error: 'not_found' });
  });

  test.each([['nothing-at'], ['a@b@c'], ['a b@c.example'], ['x'.repeat(250) + '@b.example']])('%p is no e-mail address', async (email) => {
    expect(await create('mail', null, email)).toMatchObject({ ok: false, error: 'invalid_request' });
  });
});

describe('changes', () => {
  test('TX-09 name and address change, the id never', async () => {
    const before = must(await create('before'));
    const after = must(await updateUser(application.ctx, tenant, 'before', { username: 'after', email: 'after@example.com', emailVerified: true, name: 'After' }));
    expect(after).toMatchObject({ id: before.id, username: 'after', email: 'after@example.com', emailVerified: true, name: 'After' });
    expect(await find('before')).toMatchObject({ ok: false });
    expect(must(await updateUser(application.ctx, tenant, 'after', { email: 'new@example.com' })).emailVerified).toBe(false);
    expect(must(await updateUser(application.ctx, tenant, 'AFTER', { username: 'After' })).username).toBe('After');
    expect(await updateUser(application.ctx, tenant, 'after', { username: 'chosen' })).toMatchObject({ ok: false, error: 'already_exists' });
  });

  test('INT-92 disabling and revoking move the cutoff; enabling revives nothing', async () => {
    must(await create('asleep'));
    const disabled = must(await setUserEnabled(application.ctx, tenant, 'asleep', false));
    expect(disabled.notBeforeMs).toBe(disabled.disabledAtMs ?? 0);
    expect(must(await setUserEnabled(application.ctx, tenant, 'asleep', true))).toMatchObject({ disabledAtMs: null, notBeforeMs: disabled.notBeforeMs });
    await Bun.sleep(2);
    expect(must(await revokeUserTokens(application.ctx, tenant, 'asleep')).notBeforeMs).toBeGreaterThan(disabled.notBeforeMs);
  });

  test('acts at the same time all take effect, and what was deleted meanwhile is refused', async () => {
    const { id } = must(await create('busy'));
    const acts = await Promise.all([
      updateUser(application.ctx, tenant, id, { name: 'Busy' }), setUserEnabled(application.ctx, tenant, id, false), updateUser(application.ctx, tenant, id, { email: 'busy@example.com' }),
    ]);
    expect(acts.map(({ ok }) => ok)).toEqual([true, true, true]);
    const after = must(await find(id));
    expect(after).toMatchObject({ name: 'Busy', email: 'busy@example.com' });
    expect(after.disabledAtMs).not.toBeNull();
    const [gone, late] = await Promise.all([deleteUser(application.ctx, tenant, id), updateUser(application.ctx, tenant, id, { name: 'Late' })]);
    expect(gone).toMatchObject({ ok: true });
    expect(late).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('TX-09 deleting keeps nothing but the id, which nobody gets again; the name is free', async () => {
    must(await createUser(application.ctx, tenant, 'tomb', { username: 'gone', email: 'gone@example.com', name: 'Gone' }));
    must(await deleteUser(application.ctx, tenant, 'gone'));
    expect(await find('gone')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await find('tomb')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await application.ctx.store.findUser(tenant.id, 'tomb')).toMatchObject({ username: 'tomb', email: '', name: null, deletedAtMs: expect.any(Number) });
    expect(await create('gone', 'tomb')).toMatchObject({ ok: false, error: 'already_exists' });
    expect(await create('gone')).toMatchObject({ ok: true });
  });
});
