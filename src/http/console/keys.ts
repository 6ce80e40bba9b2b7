/** Signing keys in the console. */
import type { SigningKeyRow } from '../../core/store.ts';
import { keySchedule, listKeys, revokeKey, rotateKeys } from '../../service/manage-keys.ts';
import { done, refused } from '../../service/manage-outcome.ts';
import { mono, soft, time, type Badge, type FactGroup, type Mood, type Value } from '../../pages/admin/views.ts';
import { tenantOf, type ConsoleCall } from './call.ts';
import { homeOf } from './endpoints.ts';
import { resource } from './resource.ts';

const moods: Readonly<Record<SigningKeyRow['status'], Mood>> = { active: 'good', next: 'calm', retired: 'calm', revoked: 'bad' };
const meanings: Readonly<Record<SigningKeyRow['status'], string>> = {
  active: 'It signs what is issued now.', next: 'It is published, so that everybody knows it before it signs.',
  retired: 'It signs no more; what it signed stays good until it expires.', revoked: 'Nothing that it signed is good.',
};

const shorter = (kid: string): string => `${kid.slice(0, 12)}…`;
const stateOf = ({ status }: SigningKeyRow): Badge => ({ text: status, mood: moods[status] });
const sinceOf = (key: SigningKeyRow): Value => time(key.retiredAtMs ?? key.activatedAtMs ?? key.createdAtMs);

async function find(call: ConsoleCall, kid: string): Promise<SigningKeyRow | undefined> {
  return (await listKeys(call.ctx, tenantOf(call))).find((key) => key.kid === kid);
}

/** What dies with a key, in words. */
async function consequences(key: SigningKeyRow, call: ConsoleCall): Promise<readonly string[]> {
  const foreseen = await revokeKey(call.ctx, tenantOf(call), key.kid, { dryRun: true });
  if (!foreseen.ok) return [];
  const { grants, tokensUntilMs, idTokens } = foreseen.value;
  return [
    key.status === 'active' ? 'It signs at this moment: the next key takes over at once, and everything that this one signed is void.' : key.status === 'next' ? 'It has not signed anything yet: another takes its place, and nothing else happens.' : 'Everything that it signed is void.',
    ...(tokensUntilMs === null ? [] : [`Access tokens that it signed would have lived until ${new Date(tokensUntilMs).toISOString()} at the latest. Programs that verify tokens themselves notice when they fetch the key set again.`]),
    ...(grants === 0 ? [] : [`${grants} live ${grants === 1 ? 'grant has' : 'grants have'} access tokens of it. Their refresh tokens stay good, and bring new ones.`]),
    ...(idTokens ? ['ID tokens that it signed prove nothing any more.'] : []),
    'This cannot be taken back. To replace a key that nobody else has, rotate instead.',
  ];
}

async function factsOf(key: SigningKeyRow): Promise<readonly FactGroup[]> {
  return [
    { title: 'Key', explain: meanings[key.status], facts: [
      ['Key ID', mono(key.kid, true)], ['Algorithm', key.algorithm], ['Made', time(key.createdAtMs)], ['Signs since', time(key.activatedAtMs)], ['Signs no more since', time(key.retiredAtMs)],
      ...(key.issuer === null ? [] : [['Was another server\'s, whose issuer is', mono(key.issuer)] as const]),
    ] },
    { title: 'Public key', explain: 'As the key set publishes it.', facts: [['JWK', mono(key.publicJwk, true)]] },
  ];
}

export const keyResource = resource<SigningKeyRow>({
  name: 'keys', at: 'tenant', area: 'keys', icon: 'lock', title: 'Keys', one: 'key',
  explain: 'What signs this tenant\'s tokens. One signs, one is next, former ones stay for what they signed.', empty: 'The first keys are being made; look again in a moment.',
  columns: [
    { title: 'Key ID', cell: (key) => mono(shorter(key.kid)) }, { title: 'State', cell: (key) => ({ kind: 'badge', ...stateOf(key) }) }, { title: 'Algorithm', cell: (key) => key.algorithm },
    { title: 'Since', cell: sinceOf }, { title: 'Made', cell: (key) => time(key.createdAtMs), minor: true },
    { title: 'Next turn', cell: async (key, call) => {
      if (key.status !== 'active') return null;
      const { days, dueAtMs, waitsFor } = keySchedule(call.ctx, tenantOf(call), await listKeys(call.ctx, tenantOf(call)));
      if (days === null) return soft('only by hand');
      return waitsFor === null ? time(dueAtMs) : soft(waitsFor === 'no_next' ? 'due; the next key is being made' : 'due; the next key is too new');
    } },
  ],
  list: async (call) => ({ items: await listKeys(call.ctx, tenantOf(call)), next: null }),
  id: ({ kid }) => kid, label: ({ kid }) => shorter(kid), state: stateOf, dim: ({ status }) => status === 'retired' || status === 'revoked',
  links: (call) => [{ text: 'Key set (JWKS)', href: homeOf(call, tenantOf(call)).jwks, tone: 'plain' }],
  load: async (call, kid) => {
    const key = await find(call, kid);
    return key === undefined ? refused('not_found', 'there is no such key') : done(key);
  },
  facts: factsOf,
  actions: [{
    name: 'revoke', label: 'Revoke', tone: 'danger', recent: true, when: ({ status }) => status !== 'revoked', says: consequences,
    async act(call, key) {
      const revoked = await revokeKey(call.ctx, tenantOf(call), key.kid);
      return revoked.ok ? done({ said: 'The key is revoked.' }, revoked.warnings) : revoked;
    },
  }],
  bulk: [{
    name: 'rotate', label: 'Rotate', tone: 'main', recent: true,
    says: () => ['The next key signs from now on, and another is published. What the former one signed stays good until it expires.'],
    async act(call) {
      const rotated = await rotateKeys(call.ctx, tenantOf(call));
      return rotated.ok ? done({ said: 'The next key signs now.' }, rotated.warnings) : rotated;
    },
  }],
});
