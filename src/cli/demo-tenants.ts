import type { ClientChange } from '../core/client-settings.ts';
import type { PresetName } from '../core/model.ts';

/** A client of the demo, as `assay client create` would make it. */
export type DemoClient = { readonly id: string; readonly public: boolean; readonly change: ClientChange };

/** One tenant of the demo: a product's documented example, as facts. */
export type DemoTenant = {
  /** Also the slug. */
  readonly preset: PresetName;
  /** Whose documentation the example is from; null: nobody's, and nothing is printed. */
  readonly title: string | null;
  /** Lives at NAME.localhost. */
  readonly ownHost: boolean;
  /** The client that the token is issued to; it asks too, unless there is a `caller`. */
  readonly client: DemoClient;
  readonly caller: DemoClient | null;
  readonly user: { readonly id: string; readonly username: string; readonly email: string; readonly name: string } | null;
  readonly session: string | null;
  /** The documented URL's path, where it is not the canonical one. */
  readonly path?: string;
};

/** A day, seconds: long enough to come back to the terminal tomorrow morning. */
export const DEMO_TOKEN_TTL = 86_400;

const people = ['authorization_code', 'refresh_token'] as const;
const service = ['client_credentials'] as const;
const person = ['openid', 'profile', 'email'];
const day = { accessTokenTtl: DEMO_TOKEN_TTL } as const;

/** One tenant per preset. */
export const demoTenants: readonly DemoTenant[] = [
  {
    preset: 'kotauth', title: 'Kotauth: a backend asks about a browser application\'s token', ownHost: false,
    client: { id: 'my-spa', public: true, change: { ...day, name: 'My single-page app', grants: people, scopes: [...person, 'offline_access'] } },
    caller: { id: 'my-api', public: false, change: { ...day, name: 'My API' } },
    user: { id: '42', username: 'alice', email: 'alice@example.com', name: 'Alice' }, session: null,
  },
  {
    preset: 'avnology', title: 'Avnology: a web application asks about its own token', ownHost: true,
    client: { id: 'cli_abc123def456', public: false, change: { ...day, name: 'Web application', grants: people, scopes: person, authMethod: 'client_secret_post' } },
    caller: null,
    user: { id: 'usr_4f18acec-2712-4be7-a9af-b063b4f6deba', username: 'erin', email: 'erin@example.com', name: 'Erin' }, session: null,
  },
  {
    preset: 'aero2', title: 'Aero2: a service asks about its own token', ownHost: true,
    client: { id: 'svc-orders', public: false, change: { ...day, name: 'Orders service', grants: service, scopes: ['api:read', 'api:write'], authMethod: 'client_secret_post' } },
    caller: null, user: null, session: null,
  },
  {
    preset: 'lumoauth', title: 'LumoAuth: a resource server asks about a user\'s token', ownHost: false,
    client: { id: 'abc123def456', public: false, change: { ...day, name: 'Resource server', grants: people, scopes: person, audience: ['api.example.com'] } },
    caller: null,
    user: { id: '12345', username: 'john', email: 'john@example.com', name: 'John' }, session: null,
  },
  {
    preset: 'workos', title: 'WorkOS: an application asks about a member of an organization', ownHost: true,
    client: {
      id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', public: false,
      change: {
        ...day, name: 'Connect application', grants: people, scopes: person, audience: ['client_123456789'],
        orgId: 'org_01HRDMC6CM357W30QMHMQ96Q0S', authMethod: 'client_secret_post',
      },
    },
    caller: null,
    user: { id: 'user_01JPXN6KA7622KJ4VP83X1NTKX', username: 'frida', email: 'frida@example.com', name: 'Frida' },
    session: 'app_consent_01JPXN6KAQW83AMXXY5WX3RHTJ', path: '/oauth2/introspection',
  },
  {
    preset: 'standard', title: null, ownHost: false,
    client: { id: 'svc-reports', public: false, change: { ...day, name: 'Reports service', grants: service, scopes: ['reports:read'] } },
    caller: null, user: null, session: null,
  },
];
