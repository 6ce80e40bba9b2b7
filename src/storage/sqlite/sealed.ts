import { guarded } from './failures.ts';
import { SEALED_FORM, sealedFor, type SealedKind } from '../../core/sealed.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { SealedItem, SealStore } from '../../core/operations-store.ts';

/** One kind of sealed thing: where it is, and what it was sealed for. */
type Place = {
  /** SQL of the rows: `sealed`, and what finds them again as `a` and `b` (text, or null). */
  readonly rows: string;
  /** SQL that sets the text `?1` where it still is `?2`, of the row `?3`, `?4`. */
  readonly replace: string;
  readonly context: (a: string, b: string) => string;
};

type Row = { readonly sealed: string; readonly a: string; readonly b: string | null };

/** A column of a table that holds one sealed text. */
function column(table: string, name: string, a: string, b: string | null, context: Place['context']): Place {
  const other = b ?? 'NULL';
  return {
    rows: `SELECT ${name} AS sealed, ${a} AS a, ${other} AS b FROM ${table}`,
    replace: `UPDATE ${table} SET ${name} = ?1 WHERE ${name} = ?2 AND ${a} = ?3 AND ${other} IS ?4`,
    context,
  };
}

/** Every place of the schema that something is sealed in; the compiler asks for one of each kind (JK-08). */
const places: Readonly<Record<SealedKind, Place>> = {
  signingKey: column('signing_keys', 'sealed_private', 'tenant_id', 'kid', sealedFor.signingKey),
  fingerprintKey: {
    ...column('meta', 'value', 'key', null, sealedFor.fingerprintKey),
    rows: "SELECT value AS sealed, key AS a, NULL AS b FROM meta WHERE key = 'fingerprint_key'",
  },
  totp: column('totp', 'sealed_secret', 'tenant_id', 'user_id', sealedFor.totp),
  proof: column('proofs', 'sealed_data', 'id', null, sealedFor.proof),
  // Of a logout the payload is not sealed, and does not look as if it were.
  mail: column('outbox', 'payload', 'tenant_id', 'id', sealedFor.mail),
  // Several in one row, as JSON: texts of base64url, so they stand in it as they are.
  webhookSecret: {
    rows: "SELECT json_extract(each.value, '$.sealed') AS sealed, webhooks.id AS a, NULL AS b FROM webhooks, json_each(webhooks.secrets) AS each",
    replace: 'UPDATE webhooks SET secrets = replace(secrets, ?2, ?1) WHERE instr(secrets, ?2) > 0 AND id = ?3 AND ?4 IS NULL',
    context: sealedFor.webhookSecret,
  },
  reply: column('replies', 'sealed_body', 'caller', 'key_digest', sealedFor.reply),
};

const kinds = Object.entries(places).map(([kind, place]) => ({ kind, ...place }));

/** What is sealed under the master key, wherever it is; for the change of that key. Rare, so nothing is prepared for it. */
export function sealedPart({ db, writer, memory }: Connection, append: AppendAudit): SealStore {
  return {
    listSealedOtherwise: (keyId, limit) =>
      guarded(() => {
        const items: SealedItem[] = [];
        for (const { kind, rows, context } of kinds) {
          if (items.length >= limit) break;
          const found = db.query<Row, [form: string, own: string, limit: number]>(
            `SELECT sealed, a, b FROM (${rows}) WHERE substr(sealed, 1, ${SEALED_FORM.length + 1}) = ?1 AND substr(sealed, 1, length(?2)) <> ?2 LIMIT ?3`,
          ).all(`${SEALED_FORM}.`, `${SEALED_FORM}.${keyId}.`, limit - items.length);
          for (const { sealed, a, b } of found) items.push({ kind, ref: JSON.stringify([a, b]), context: context(a, b ?? ''), sealed });
        }
        return items;
      }),

    replaceSealed: (changes, events) =>
      writer.write((after) => {
        let replaced = 0;
        for (const { kind, ref, sealed, resealed } of changes) {
          const place = kinds.find((one) => one.kind === kind);
          if (place === undefined) throw new Error(`nothing of the kind ${kind} is sealed`);
          const [a, b] = JSON.parse(ref) as [a: string, b: string | null];
          replaced += db.query<never, [string, string, string, string | null]>(place.replace).run(resealed, sealed, a, b).changes;
        }
        append(events);
        // What is remembered holds sealed text, too.
        after(() => {
          memory.forget('keys');
          memory.forget('meta');
        });
        return replaced;
      }),
  };
}
