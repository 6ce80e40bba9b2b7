import { createReadStream, statSync } from 'node:fs';
import { importedKinds, isUnreadable, remarkOn, type Imported, type ImportedKind } from '../core/imported.ts';
import type { ImportProduct } from '../importers/products.ts';
import type { ImportSource } from '../importers/text.ts';
import type { GroupedRemark, ImportReport } from '../service/import/tally.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import { tenantOf, withData, type Call, type Work } from './call.ts';
import { readInput } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { makeProgress } from './progress.ts';
import { plain, styleFor, table } from './text.ts';

/** Everything was, or would be, imported; and something was, or would be, refused. */
const TAKEN = 0;
const REFUSED = 1;

/** One of several things, and several. */
const words: Readonly<Record<ImportedKind, readonly [one: string, several: string]>> = {
  tenant: ['setting of the tenant', 'settings of the tenant'], role: ['role', 'roles'], organization: ['organization', 'organizations'], client: ['client', 'clients'],
  keys: ['signing key', 'signing keys'], user: ['user', 'users'], membership: ['membership', 'memberships'],
};

/** A file's bytes, or those of standard input. @throws CommandFailure */
function open(path: string): AsyncIterable<Uint8Array> {
  if (path === '-') return Bun.stdin.stream();
  const trouble = (error: unknown): CommandFailure =>
    new CommandFailure('invalid_request', `${path} cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'}`);
  try {
    if (statSync(path).isDirectory()) throw new CommandFailure('invalid_request', `${path} is a folder: name a file`);
  } catch (error) {
    throw error instanceof CommandFailure ? error : trouble(error);
  }
  return (async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of createReadStream(path)) yield piece as Uint8Array;
    } catch (error) {
      throw error instanceof Error && 'code' in error && 'syscall' in error ? trouble(error) : error;
    }
  })();
}

/** The JWK set of the old server goes before what the file has to say about its keys: both can be there. */
async function* withJwks(issuer: string, jwks: unknown, things: Imported): Imported {
  yield { kind: 'keys', issuer, jwks };
  yield* things;
}

async function* withIssuerRemark(things: Imported, issuer: string | null, product: ImportProduct): Imported {
  // Only these two have keys in their files.
  if (issuer !== null && product !== 'keycloak' && product !== 'kotauth') yield remarkOn('keys', 'the issuer is told, but no JWK set: exports of this product hold no keys');
  yield* things;
}

async function readThings(product: ImportProduct, source: ImportSource, jwksPath: string | undefined): Promise<Imported> {
  const { importers, readJwks } = await import('../importers/products.ts');
  const things = importers[product](source);
  if (jwksPath === undefined) return withIssuerRemark(things, source.issuer, product);
  if (source.issuer === null) throw new UsageError('--jwks needs --issuer: the issuer of the tokens that these keys signed, exactly as their claim `iss`');
  try {
    return withJwks(source.issuer, await readJwks(open(jwksPath)), things);
  } catch (error) {
    throw isUnreadable(error) ? new CommandFailure('invalid_request', `${jwksPath}: ${error.message}`) : error;
  }
}

function documentOf(report: ImportReport, about: { readonly product: string; readonly tenant: string; readonly applied: boolean }): object {
  return {
    ...about, counts: report.counts, more_remarks: report.moreRemarks,
    remarks: report.remarks.map(({ text, refused, count, about: things }) => ({ text, refused, count, about: things })),
  };
}

function renderRemark({ text, count, about }: GroupedRemark): string {
  const more = count > about.length ? `, and ${count - about.length} more` : '';
  return plain(`  ${text}: ${about.join('; ')}${more}`);
}

function renderReport(report: ImportReport, styled: boolean, applied: boolean): string {
  const { bold } = styleFor(styled);
  const rows = importedKinds.flatMap((kind) => {
    const { created, changed, left, refused } = report.counts[kind];
    return created + changed + left + refused === 0 ? [] : [[words[kind][1], String(created), String(changed), String(left), String(refused)]];
  });
  const refusals = report.remarks.filter(({ refused }) => refused !== null);
  const others = report.remarks.filter(({ refused }) => refused === null);
  return [
    rows.length === 0 ? 'The file holds nothing that could be imported.'
      : table(styled, ['', applied ? 'CREATED' : 'TO CREATE', applied ? 'CHANGED' : 'TO CHANGE', 'LEFT AS IT IS', 'REFUSED'], rows),
    ...(refusals.length === 0 ? [] : ['', bold('Refused'), ...refusals.map(renderRemark)]),
    ...(others.length === 0 ? [] : ['', bold('Remarks'), ...others.map(renderRemark)]),
    ...(report.moreRemarks === 0 ? [] : [`  … and ${report.moreRemarks} more remarks`]),
  ].join('\n');
}

/** The tenant, which must be there: an import never decides where it lives. @throws CommandFailure */
async function requireTarget({ ctx, call }: Work): ReturnType<Work['tenant']> {
  const slug = tenantOf(call);
  const found = await requireTenant(ctx, slug);
  if (!found.ok) throw new CommandFailure(found.error, `${found.description}; \`assay tenant create ${slug}\` makes it`);
  return found.value;
}

async function runImport(product: ImportProduct, call: Call): Promise<number> {
  const [path = ''] = call.args;
  const { flags } = call;
  const jwksPath = flags.text('jwks');
  const sealed = flags.on('passphrase-stdin');
  if ([path === '-', jwksPath === '-', sealed].filter(Boolean).length > 1) throw new UsageError('standard input can be read for one thing only');
  const passphrase = sealed ? await readInput('the passphrase of the export') : null;
  const things = await readThings(product, { bytes: open(path), issuer: flags.text('issuer') ?? null, passphrase }, jwksPath);
  const apply = flags.on('apply');
  let code = TAKEN;
  await withData(call, async (work) => {
    const tenant = await requireTarget(work);
    const { importThings } = await import('../service/import/import.ts');
    const line = makeProgress(work.out.json);
    const outcome = await importThings(work.ctx, tenant, { product, things, apply, update: flags.on('update'), told: (count) => line.tell(`${count} things`, 0, null) }).finally(line.end);
    if (!outcome.ok) throw new CommandFailure(outcome.error, `${path === '-' ? 'standard input' : path}: ${outcome.description}`);
    const report = outcome.value;
    if (importedKinds.some((kind) => report.counts[kind].refused > 0)) code = REFUSED;
    await work.out.document(documentOf(report, { product, tenant: tenant.slug, applied: apply }));
    await work.out.print(renderReport(report, work.out.styled, apply));
    if (!apply) await work.out.print('\nNothing was changed. Add --apply to do it.');
  });
  return code;
}

const common: readonly FlagRow[] = [
  ['--issuer <URL>', 'issuer of the old server\'s tokens, exactly as their claim `iss`: they stay good until they expire'],
  ['--jwks <FILE>', 'the old server\'s JWK set, or "-" to read it from standard input; needs --issuer'],
  ['--apply', 'do it (else only say what would be done)'],
  ['--update', 'also change what is there already; else it is left as it is'],
];

const again = 'It can be repeated: what is there is left alone, and an import that was cut short goes on.\nExit code 1: something was, or would be, refused.';

function row(product: ImportProduct, from: string, file: string, notes: string, more: readonly FlagRow[] = []): CommandRow {
  return {
    name: product, summary: `Take over ${from}`, args: [['<FILE>', `${file}, or "-" to read it from standard input`]], tenant: 'default', flags: [...common, ...more],
    notes: `${notes}\n${again}`, run: (call) => runImport(product, call),
  };
}

/** `assay import …` */
export const importCommands: readonly CommandRow[] = [
  row('keycloak', 'a realm of Keycloak: clients, roles, organizations, users, signing keys', 'the realm in JSON', 'Write it with `kc.sh export --realm NAME --users same_file --file realm.json`: an export of the console has no users, and masks secrets.\nOld tokens stay good with --issuer https://OLD/realms/NAME.'),
  row('hydra', 'OAuth 2.0 clients of Ory Hydra', 'the clients in JSON', 'Write it with `hydra list oauth2-clients --format json`. Hydra keeps hashes of secrets only: clients have none until `assay client rotate-secret`.'),
  row('kotauth', 'a tenant of Kotauth: applications, roles, users, signing keys', 'the export, sealed or in JSON', 'An export holds no secrets of applications and no ids of users: both are new here.', [['--passphrase-stdin', 'read the passphrase of a sealed export from standard input']]),
  row('auth0', 'users of Auth0', 'users in JSON, JSON lines or CSV', 'Hashes of passwords come from Auth0\'s support, as JSON lines: import those first, then the users with --update.'),
  row('workos', 'users, organizations and memberships of WorkOS', 'what the API lists, in JSON, or CSV', 'Lists in files of their own: organizations first, then users, then memberships.'),
];
