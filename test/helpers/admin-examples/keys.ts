/** Calls of operations about signing keys and the key that seals them. */
import { expect } from 'bun:test';
import type { AdminExample, AdminStage } from '../admin.ts';
import { listAudit } from '../trail.ts';

type Key = { readonly kid: string; readonly status: string; readonly activated_at: string | null };

/** A tenant of its own, whose keys nobody else turns over. */
async function someTenant(stage: AdminStage): Promise<string> {
  const slug = stage.fresh('keys');
  await stage.made('createTenant', { body: { slug, alg: 'ES256' } });
  return slug;
}

async function keysOf(stage: AdminStage, tenant: string): Promise<readonly Key[]> {
  const { json } = await stage.call('listKeys', { parts: { tenant } });
  return json.items as readonly Key[];
}

async function activeKey(stage: AdminStage, tenant: string): Promise<Key> {
  const key = (await keysOf(stage, tenant)).find(({ status }) => status === 'active');
  if (key === undefined) throw new Error('no key signs');
  return key;
}

export const keyExamples: readonly AdminExample[] = [
  {
    id: 'listKeys', request: () => ({ parts: { tenant: 'acme' } }),
    expect: ({ json }) => {
      expect((json.items as readonly Key[]).map(({ status }) => status).toSorted()).toEqual(['active', 'next']);
      expect(json.rotation).toMatchObject({ days: 90, waits_for: null });
    },
  },
  {
    id: 'rotateKeys', request: async (stage) => ({ parts: { tenant: await someTenant(stage) } }),
    expect: ({ json }) => {
      expect((json.items as readonly Key[]).map(({ status }) => status).toSorted()).toEqual(['active', 'next', 'retired']);
      expect(json.warnings).toMatchObject([expect.stringContaining('published only')]);
    },
  },
  {
    id: 'revokeKey', request: async (stage) => {
      const tenant = await someTenant(stage);
      return { parts: { tenant, kid: (await activeKey(stage, tenant)).kid }, query: { dry_run: 'true' } };
    },
    expect: async ({ json }, stage) => {
      expect(json).toMatchObject({ ok: true, revoked: false, grants: 0, id_tokens: true, signed_since: expect.any(String), tokens_until: expect.any(String) });
      // JK-05: and in earnest, in the name of who asked.
      const tenant = await someTenant(stage);
      const { kid } = await activeKey(stage, tenant);
      const { json: done } = await stage.call('revokeKey', { parts: { tenant, kid } });
      expect(done).toMatchObject({ ok: true, kid, revoked: true });
      expect((await keysOf(stage, tenant)).find((key) => key.kid === kid)?.status).toBe('revoked');
      const [event] = await listAudit(stage.fixture.application.ctx.store, { tenant, type: 'key_revoked', limit: 1 });
      expect(event).toMatchObject({ subject: kid, actor: expect.not.stringMatching(/^operator$/) });
    },
  },
  {
    id: 'getMasterKey', request: () => ({}),
    expect: ({ json }, stage) => expect(json).toEqual({ id: stage.fixture.application.ctx.master.id, former_ids: [], source: 'file' }),
  },
];
