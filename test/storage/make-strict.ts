/**
 * Makes the tables of generated migrations STRICT, which drizzle-kit cannot: run after each `drizzle-kit generate`.
 *
 *   bun test/storage/make-strict.ts
 *
 * Tables that are only ever found by a short primary key are also WITHOUT ROWID: one tree instead of two.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const withoutRowid = new Set([
  'meta', 'client_secrets', 'refresh_tokens', 'revoked_ids', 'sessions', 'passwords', 'totp', 'recovery_codes', 'sign_in_failures', 'organizations',
  'roles', 'administrators', 'admin_invitations', 'replies', 'activity', 'audit_anchors',
]);
const folder = join(import.meta.dir, '../../drizzle');

/** Rewrites each `CREATE TABLE … );` of a migration's text. A rebuilt table (`__new_x`) counts as x. */
export function makeStrict(text: string): string {
  return text.replace(/^CREATE TABLE `(?:__new_)?(\w+)` \(\n[^;]*?\n\);/gm, (statement, table: string) =>
    statement.replace(/\);$/, withoutRowid.has(table) ? ') STRICT, WITHOUT ROWID;' : ') STRICT;'),
  );
}

if (import.meta.main) {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
    const path = join(folder, file);
    const before = readFileSync(path, 'utf8');
    const after = makeStrict(before);
    if (after !== before) writeFileSync(path, after);
  }
}
