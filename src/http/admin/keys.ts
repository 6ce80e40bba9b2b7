import { t } from 'elysia';
import { keysDocument, masterKeyDocument, revokedKeyDocument } from '../../service/documents.ts';
import { keySchedule, listKeys, revokeKey, rotateKeys } from '../../service/manage-keys.ts';
import { done } from '../../service/manage-outcome.ts';
import { signingAlgorithms } from '../../spec/names.ts';
import { operation, told, type AdminOperation } from './operation.ts';
import { time, timeOrNull } from './schemas.ts';

const key = t.Object({
  kid: t.String({ description: 'The key\'s id, as in the tokens that it signed.' }),
  tenant: t.String(),
  alg: t.Union(signingAlgorithms.map((name) => t.Literal(name))),
  status: t.Union(['next', 'active', 'retired', 'revoked'].map((name) => t.Literal(name)), { description: 'The `active` key signs, the `next` is published already, what a `retired` one signed is good until it expires.' }),
  issuer: t.Union([t.String(), t.Null()], { description: 'Of a key that came from another server: the issuer whose access tokens it verifies.' }),
  created_at: time('When it was made, or came here.'),
  activated_at: timeOrNull('Since when it signs.'),
  retired_at: timeOrNull('When it signed for the last time.'),
  kept_until: timeOrNull('Of a key that came from another server: when it goes.'),
}, { $id: 'SigningKey' });

const rotation = t.Object({
  days: t.Union([t.Integer({ minimum: 1 }), t.Null()], { description: 'Days that a key signs; null: until it is told to stop.' }),
  due_at: timeOrNull('When the next key is to take over.'),
  waits_for: t.Union([t.Literal('next_too_fresh'), t.Literal('no_next'), t.Null()], { description: 'Why it did not, although it is due: the next key was published too recently, or there is none yet.' }),
});

const keys = t.Object({ items: t.Array(key), rotation });

const revoked = t.Object({
  ok: t.Literal(true),
  kid: t.String(),
  revoked: t.Boolean({ description: 'Whether the key is revoked now; false after a dry run.' }),
  signed_since: timeOrNull('Since when it signed; null: it never did here.'),
  tokens_until: timeOrNull('Until when the last of what it signed would have lived; null: nothing of it lives.'),
  grants: t.Integer({ minimum: 0, description: 'Live grants whose access tokens fall. Their refresh tokens stay good.' }),
  id_tokens: t.Boolean({ description: 'Whether ID tokens that it signed prove nothing any more.' }),
});

const isDry = (text: string | undefined): boolean => text === 'true';

/** Signing keys, and the key that seals them. */
export const keyOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/tenants/:tenant/keys', id: 'listKeys', area: 'keys', access: 'read', etag: true,
    summary: 'A tenant\'s signing keys, and when the next one signs',
    answer: keys,
    run: async ({ ctx, tenant }) => {
      const rows = await listKeys(ctx, tenant);
      return done(keysDocument(rows, tenant, keySchedule(ctx, tenant, rows)));
    },
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/keys/rotate', id: 'rotateKeys', area: 'keys', access: 'write',
    summary: 'Let the next key sign from now on',
    text: 'Another one is published as the next. What the former key signed stays good until it expires. A warning says so where resource servers may not know the new key yet.',
    answer: keys,
    run: async ({ ctx, tenant }) => told(await rotateKeys(ctx, tenant), (rows) => keysDocument(rows, tenant, keySchedule(ctx, tenant, rows))),
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/keys/:kid/revoke', id: 'revokeKey', area: 'keys', access: 'write',
    summary: 'Take a key away: everything that it signed is inactive at once',
    text: 'For a key that others may have. Of the active key the next one takes over. With `dry_run=true` nothing is done, and the answer says what would fall.',
    query: t.Object({ dry_run: t.Optional(t.Union([t.Literal('true'), t.Literal('false')])) }),
    answer: revoked,
    run: async ({ ctx, tenant, param, query }) => {
      const dryRun = isDry(query.dry_run);
      return told(await revokeKey(ctx, tenant, param('kid'), { dryRun }), (falls) => revokedKeyDocument(falls, dryRun));
    },
  }),
  operation({
    method: 'GET', path: '/master-key', id: 'getMasterKey', area: 'keys', access: 'read', serverOnly: true,
    summary: 'Which key seals what is secret in the database, and where it comes from',
    text: 'The id names the key and says nothing about it. The key is replaced on the machine itself, by `assay keys rotate-master`.',
    answer: t.Object({
      id: t.String(),
      former_ids: t.Array(t.String(), { description: 'Keys that it replaces just now.' }),
      source: t.Union(['file', 'command', 'environment'].map((name) => t.Literal(name))),
    }),
    run: async ({ ctx }) => done(await masterKeyDocument(ctx)),
  }),
];
