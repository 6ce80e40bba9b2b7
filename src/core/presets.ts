import type { AuthMethod } from '../spec/names.ts';
import type {
  DefaultAudience,
  IntrospectionPolicy,
  LayoutName,
  PresetName,
  RefreshRevocation,
  RevocationPolicy,
  ShapeName,
} from './model.ts';

/** One row of tenant settings, as a product documents them. Lifetimes in seconds. */
export type Preset = {
  /** Home layout; null: `root` when the tenant owns a hostname, else `realm`. */
  readonly layout: LayoutName | null;
  readonly introspectionPolicy: IntrospectionPolicy;
  readonly revocationPolicy: RevocationPolicy;
  readonly shape: ShapeName;
  readonly refreshRevocation: RefreshRevocation;
  readonly accessTokenTtl: number;
  readonly refreshTokenTtl: number;
  readonly defaultAudience: DefaultAudience;
  /** What confidential clients use, the documented one first. */
  readonly authMethods: readonly AuthMethod[];
};

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Every preset; the table of wire contract §5. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  standard: {
    layout: null, introspectionPolicy: 'audience', revocationPolicy: 'issued_to', shape: 'standard',
    refreshRevocation: 'grant', accessTokenTtl: 5 * MINUTE, refreshTokenTtl: 30 * DAY,
    defaultAudience: 'issuer', authMethods: ['client_secret_basic', 'client_secret_post'],
  },
  kotauth: {
    layout: 'realm', introspectionPolicy: 'tenant', revocationPolicy: 'tenant', shape: 'kotauth',
    refreshRevocation: 'session', accessTokenTtl: 5 * MINUTE, refreshTokenTtl: DAY,
    defaultAudience: 'issuer', authMethods: ['client_secret_basic', 'client_secret_post'],
  },
  lumoauth: {
    layout: 'org', introspectionPolicy: 'audience', revocationPolicy: 'issued_to', shape: 'standard',
    refreshRevocation: 'grant', accessTokenTtl: HOUR, refreshTokenTtl: 30 * DAY,
    defaultAudience: 'issuer', authMethods: ['client_secret_basic', 'client_secret_post'],
  },
  aero2: {
    layout: 'root', introspectionPolicy: 'issued_to', revocationPolicy: 'issued_to', shape: 'standard',
    refreshRevocation: 'grant', accessTokenTtl: HOUR, refreshTokenTtl: 7 * DAY,
    defaultAudience: 'client', authMethods: ['client_secret_post', 'client_secret_basic'],
  },
  avnology: {
    layout: 'root', introspectionPolicy: 'issued_to', revocationPolicy: 'issued_to', shape: 'avnology',
    refreshRevocation: 'grant', accessTokenTtl: 15 * MINUTE, refreshTokenTtl: 30 * DAY,
    defaultAudience: 'client', authMethods: ['client_secret_post', 'client_secret_basic'],
  },
  workos: {
    layout: 'root', introspectionPolicy: 'issued_to', revocationPolicy: 'issued_to', shape: 'workos',
    refreshRevocation: 'grant', accessTokenTtl: 5 * MINUTE, refreshTokenTtl: 30 * DAY,
    defaultAudience: 'issuer', authMethods: ['client_secret_post', 'client_secret_basic'],
  },
};
