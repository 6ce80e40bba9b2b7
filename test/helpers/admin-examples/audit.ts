/** Calls of operations about the audit trail. */
import { expect } from 'bun:test';
import type { AdminExample, AdminStage } from '../admin.ts';

const acme = { parts: { tenant: 'acme' } };

/** A client whose events are wanted. */
async function someClient(stage: AdminStage): Promise<string> {
  const id = stage.fresh('heard');
  await stage.made('createClient', { ...acme, body: { client_id: id } });
  return id;
}

export const auditExamples: readonly AdminExample[] = [
  {
    id: 'searchAudit', request: async (stage) => ({ query: { client_id: await someClient(stage), type: 'client_created,client_deleted', outcome: 'success', since: '2020-01-01', until: '2100-01-01T00:00:00Z', tenant: 'acme' } }),
    expect: ({ json }) => expect(json.items).toMatchObject([{ type: 'client_created', tenant: 'acme', ip: '127.0.0.1' }]),
  },
  { id: 'exportAudit', request: () => ({ query: { format: 'csv', tenant: '' } }), expect: ({ text, headers }) => {
    expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['text/csv; charset=utf-8', 'attachment; filename="audit-server.csv"']);
    expect(text).toStartWith('time,type,tenant,');
  } },
  { id: 'verifyAudit', request: () => ({ query: { head: `1:${'A'.repeat(43)}` } }), expect: ({ json }) => expect(json).toMatchObject({ ok: true, complete: true, holds_head: false }) },
  { id: 'searchTenantAudit', request: async (stage) => ({ ...acme, query: { client_id: await someClient(stage), limit: '1' } }), expect: ({ json }) => expect(json.items).toHaveLength(1) },
  { id: 'exportTenantAudit', request: () => ({ ...acme, query: { type: 'tenant_created' } }), expect: ({ text }) => {
    expect(text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['tenant_created']);
  } },
  { id: 'verifyTenantAudit', request: () => acme, expect: ({ json }) => expect(json).toMatchObject({ ok: true, items: [{ tenant: 'acme', broken: null, complete: true }] }) },
];
