import { expect } from 'bun:test';
import type { AdminExample, AdminRequest, AdminStage } from '../admin.ts';

/** A webhook of acme or, with `word` Server, of the server; nobody has that name, so that calls come to nothing soon. */
async function made(stage: AdminStage, word: '' | 'Server', more: object = {}): Promise<{ readonly parts: Readonly<Record<string, string>>; readonly id: string }> {
  const own: Readonly<Record<string, string>> = word === '' ? { tenant: 'acme' } : {};
  const { id } = await stage.made(`create${word}Webhook`, { parts: own, body: { name: stage.fresh('hook'), url: 'https://hooks.invalid/in', ...more } });
  return { parts: { ...own, webhook: id }, id };
}

const one = (word: '' | 'Server', rest: Omit<AdminRequest, 'parts'> = {}) => async (stage: AdminStage): Promise<AdminRequest> => ({ parts: (await made(stage, word)).parts, ...rest });

const examplesOf = (word: '' | 'Server'): readonly AdminExample[] => {
  const parts: Readonly<Record<string, string>> = word === '' ? { tenant: 'acme' } : {};
  return [
    {
      id: `create${word}Webhook`, request: () => ({ parts, body: { name: 'crm', url: 'https://hooks.invalid/crm', events: ['user_created'] } }),
      expect: ({ json }) => expect(json).toMatchObject({ tenant: word === '' ? 'acme' : null, events: ['user_created'], enabled: true, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) }),
    },
    {
      id: `list${word}Webhooks`, request: async (stage) => {
        await made(stage, word);
        return { parts };
      },
      expect: ({ json, text }) => expect([json.items.length > 0, /whsec_|sealed|"secret"/.test(text)]).toEqual([true, false]),
    },
    { id: `get${word}Webhook`, request: one(word), expect: ({ json }) => expect(json.secret).toBeUndefined() },
    { id: `get${word}WebhookStatus`, request: one(word) },
    { id: `update${word}Webhook`, request: one(word, { body: { name: 'new', events: ['user_created', 'user_deleted'] } }), expect: ({ json }) => expect(json).toMatchObject({ name: 'new', events: ['user_created', 'user_deleted'] }) },
    { id: `delete${word}Webhook`, request: one(word) },
    { id: `rotate${word}WebhookSecret`, request: one(word, { body: { overlap: 60 } }), expect: ({ json }) => expect([json.secrets.length, json.secret.startsWith('whsec_')]).toEqual([2, true]) },
    { id: `enable${word}Webhook`, request: one(word), expect: ({ json }) => expect(json.enabled).toBe(true) },
    { id: `disable${word}Webhook`, request: one(word), expect: ({ json }) => expect(json.enabled).toBe(false) },
    { id: `test${word}Webhook`, request: one(word), expect: ({ json }) => expect(json.event_id).toMatch(/^evt_[0-9]+$/) },
    { id: `list${word}WebhookDeliveries`, request: one(word) },
    {
      id: `replay${word}WebhookEvents`, request: async (stage) => {
        const { parts: own } = await made(stage, word);
        return { parts: own, body: { since: new Date(Date.now() - 60_000).toISOString() } };
      },
      expect: ({ json }) => expect(json.next).toBeNull(),
    },
  ];
};

/** Calls of the area of webhooks, and of the feed of events. */
export const webhookExamples: readonly AdminExample[] = [
  ...examplesOf(''), ...examplesOf('Server'),
  {
    id: 'listEvents', request: () => ({ query: { type: 'tenant_created', limit: '1' } }),
    expect: ({ json }) => expect([json.items.length, json.items[0].type, json.items[0].data.ip]).toEqual([1, 'tenant_created', undefined]),
  },
  {
    id: 'listTenantEvents', request: () => ({ parts: { tenant: 'acme' } }),
    expect: ({ json }) => expect(json.items.every(({ data }: { readonly data: { readonly tenant: string } }) => data.tenant === 'acme')).toBe(true),
  },
];
