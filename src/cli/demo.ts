import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFiles } from '../app/files.ts';
import { serve } from '../app/serve.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopbackName, parseOrigin } from '../core/issuer.ts';
import { createTenant, updateTenant } from '../service/manage-tenants.ts';
import { createUser, requireUser } from '../service/manage-users.ts';
import { issueToken } from '../service/issue-token.ts';
import type { Context } from '../service/context.ts';
import { openFor, type Call } from './call.ts';
import { introspectionCurl } from './curl.ts';
import { DEMO_ADMINISTRATOR, demoSite, makeDemoApplication, type DemoApplication } from './demo-application.ts';
import { ensure, makeDemoClient, quiet } from './demo-client.ts';
import { demoTenants, type DemoTenant } from './demo-tenants.ts';
import { CommandFailure, UsageError, valueOf } from './failure.ts';
import { block, styleFor } from './text.ts';

/** Cutoffs hold for their whole millisecond; a new token must come after it. */
const AFTER_CUTOFF_MS = 2;

/** The server listens beside it where `localhost` means more. */
const LISTENS_ON = '127.0.0.1';

function refuseBeyondLoopback(settings: Settings): void {
  const origin = settings.origin === null ? null : parseOrigin(settings.origin);
  const name = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  if (!isLoopbackName(name) || (origin !== null && !origin.loopback)) {
    throw new UsageError('--demo publishes secrets, and is for loopback only: leave out --host and --origin, or name 127.0.0.1 or localhost');
  }
}

/** Whether a folder may become a demo's: an earlier demo's is told by what its database says, later. */
function refuseForeignFolder(data: string): void {
  if (!existsSync(data) || existsSync(dataFiles(data).database)) return;
  const others = readdirSync(data).filter((name) => name !== 'assay.toml' && name !== 'master.key');
  if (others.length > 0) throw new CommandFailure('conflict', `${data} is not empty: a demo takes only an empty folder, or that of an earlier demo; choose another --data, or leave it out`);
}

async function markAsDemo(ctx: Context, data: string): Promise<void> {
  if ((await ctx.store.readMeta('demo')) !== null) return;
  const tenants = await ctx.store.listTenants();
  if (tenants.length > 0) throw new CommandFailure('conflict', `${data} holds real data: a demo takes only an empty folder, or that of an earlier demo; choose another --data, or leave it out`);
  await ctx.store.writeMeta('demo', '1', []);
}

/** One tenant with its clients and a live token. @returns the line to paste */
async function makeDemoTenant(ctx: Context, row: DemoTenant): Promise<string> {
  const origin = ctx.origin();
  const port = /:[0-9]+$/.exec(origin.host)?.[0] ?? '';
  const change = { preset: row.preset, ...(row.ownHost && { host: `${row.preset}.localhost${port}` }) };
  const tenant = await ensure(await createTenant(ctx, row.preset, change), () => updateTenant(ctx, row.preset, change));
  const issued = await makeDemoClient(ctx, tenant, row.client);
  const caller = row.caller === null ? issued : await makeDemoClient(ctx, tenant, row.caller);
  const { user } = row;
  if (user !== null) await ensure(await createUser(ctx, tenant, user.id, { ...user, emailVerified: true }), () => requireUser(ctx, tenant, user.id));
  await Bun.sleep(AFTER_CUTOFF_MS);
  const scopes = row.client.change.scopes?.filter((scope) => scope !== 'offline_access') ?? [];
  const token = valueOf(await issueToken(ctx, tenant, {
    client: row.client.id, user: user?.id ?? null, org: null, session: row.session, scopes, audience: [],
  }), quiet);
  return introspectionCurl(tenant, origin, caller.client, caller.secret, token.access_token, row.path);
}

/**
 * Serves a demo: a tenant per preset, each with a client and a live token, for each seed product a line to paste, and a
 * person with an application to sign in to. It stands at `localhost`, because passkeys are for names, not for addresses.
 * Secrets and tokens are new at each start.
 * @returns the exit code
 * @throws UsageError beyond loopback, CommandFailure for a folder that holds something else
 */
export async function serveDemo(call: Call, settings: Settings): Promise<number> {
  refuseBeyondLoopback(settings);
  const temporary = call.settingFlags.data === undefined && (process.env['ASSAY_DATA'] ?? '') === '';
  const data = temporary ? mkdtempSync(join(tmpdir(), 'assay-demo-')) : settings.data;
  try {
    return await serveFrom(call, { ...settings, host: LISTENS_ON, data, logLevel: settings.logLevel === 'info' ? 'warn' : settings.logLevel }, temporary);
  } finally {
    if (temporary) rmSync(data, { recursive: true, force: true });
  }
}

async function serveFrom(call: Call, settings: Settings, temporary: boolean): Promise<number> {
  refuseForeignFolder(settings.data);
  const application = await openFor(settings, call.out);
  try {
    await markAsDemo(application.ctx, settings.data);
    return await serve(application, settings, {
      demo: demoSite,
      onReady: async ({ url }) => {
        const lines: (readonly [DemoTenant, string])[] = [];
        for (const row of demoTenants) lines.push([row, await makeDemoTenant(application.ctx, row)]);
        const made = await makeDemoApplication(application.ctx);
        const { username, password } = made;
        await call.out.document({
          url, docs: settings.docs === 'on' ? `${url}/docs` : null, demo: `${url}/demo`, username, password,
          ...(settings.admin === 'on' && { admin: `${url}/admin`, admin_username: DEMO_ADMINISTRATOR, admin_password: made.adminPassword }),
        });
        await call.out.print(renderDemo(call.out.styled, url, settings, temporary, lines, made));
      },
    });
  } catch (error) {
    await application.close();
    if (error instanceof Error && error.name === 'StartTrouble') throw new CommandFailure('cannot_start', error.message);
    throw error;
  }
}

function renderDemo(styled: boolean, url: string, settings: Settings, temporary: boolean, lines: readonly (readonly [DemoTenant, string])[], made: DemoApplication): string {
  const { bold, dim } = styleFor(styled);
  const insecure = settings.tlsCert === null ? '' : ' -k';
  return [
    bold(`Assay demo at ${url}`),
    `Five products' documented requests, each about a live token. Paste any of them into another terminal:`,
    ...lines.flatMap(([row, line]) => (row.title === null ? [] : ['', dim(row.title), line.replace(/^curl/, `curl${insecure}`)])),
    '',
    block(styled, 'An application to sign in to, and whom as', [
      ['Application', `${url}/demo`],
      ['User name', made.username],
      ['Password', made.password],
      ['Account', `${url}/account`],
      ['Mailbox', settings.smtpUrl === null ? `${url}/mailbox` : null],
      ['API', settings.docs === 'on' ? `${url}/docs` : null],
      ['Console', settings.admin === 'on' ? `${url}/admin as ${DEMO_ADMINISTRATOR} with the password ${made.adminPassword}` : null],
      ['Gateway', `${demoSite.gateway} with the secret ${made.gatewaySecret}`],
    ]),
    '',
    temporary ? 'Everything is forgotten when you stop it with Ctrl-C.' : `The data is in ${settings.data}. Ctrl-C stops it.`,
  ].join('\n');
}
