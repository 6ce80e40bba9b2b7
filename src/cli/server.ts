import type { SettingKey, Settings } from '../config/settings.ts';
import { openFor, readSettingsOf, withData, type Call } from './call.ts';
import { checkStart } from './check-start.ts';
import type { CommandRow } from './declare.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { writeErr } from './output.ts';
import { styleFor } from './text.ts';

const serveSettings: readonly SettingKey[] = ['host', 'port', 'origin', 'moveOrigin', 'acceptClock', 'tlsCert', 'tlsKey', 'trustProxy', 'metricsListen'];

/** Where requests arrive, for people; null where the origin says it, or nobody knows the port before. */
function describeAddress({ host, port, tlsCert }: Settings, url: string): string | null {
  const address = `${tlsCert === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return port === 0 || address === url ? null : `It listens on ${address}.`;
}

/** What came of --move-origin, for people; null without it. @param former null when the data had none */
function describeMove(settings: Settings, former: string | null, url: string): string | null {
  if (!settings.moveOrigin) return null;
  if (former === null || former === url) return `The origin ${former === null ? 'is new' : `was ${url} before`}: nothing had to move, and --move-origin can be left out.`;
  return `Moved from ${former} to ${url}. Issuers changed: tokens issued so far are inactive, and clients must be told the new issuer.`;
}

/** How the first administrator comes to be, for people; null where there is one. */
function describeSetup(setupUrl: string | null): string | null {
  return setupUrl === null ? null : `Nobody administers it yet. Whoever opens this link within a day becomes the administrator:\n  ${setupUrl}`;
}

async function run(call: Call): Promise<number> {
  const { flags, out } = call;
  if (flags.on('check') && flags.on('demo')) throw new UsageError('--check and --demo do not go together');
  const { settings, given } = readSettingsOf(call);
  if (flags.on('check')) {
    const problems = checkStart(settings);
    if (problems.length > 0) throw new CommandFailure('invalid_settings', `${problems.length === 1 ? 'one thing keeps' : `${problems.length} things keep`} the server from starting`, problems);
    await out.document({ ok: true });
    await out.print('The settings are fine.');
    return 0;
  }
  // Half of every other command's time would go into loading what only the server needs.
  if (flags.on('demo')) return (await import('./demo.ts')).serveDemo(call, settings);
  const { serve } = await import('../app/serve.ts');
  const application = await openFor(settings, out);
  if (application.isNew) application.ctx.log.info('data created', { folder: settings.data });
  try {
    const former = (await application.ctx.store.readMeta('origin')) === null ? null : application.ctx.origin().url;
    return await serve(application, settings, {
      given,
      onReady: async ({ url, setupUrl }) => {
        await out.document({ url, docs: settings.docs === 'on' ? `${url}/docs` : null, ...(setupUrl !== null && { setup_url: setupUrl }) });
        const { bold } = styleFor(out.styled);
        // Standard output then belongs to the audit trail, whose readers are to find nothing else there.
        const say = settings.auditStream !== 'stdout' || out.json ? out.print : (text: string) => Promise.resolve(writeErr(`${text}\n`));
        await say(`Assay answers at ${bold(url)}${settings.docs === 'on' ? `, documentation at ${url}/docs` : ''}. Ctrl-C stops it.`);
        for (const line of [describeAddress(settings, url), describeMove(settings, former, url), describeSetup(setupUrl)]) if (line !== null) await say(line);
      },
    });
  } catch (error) {
    await application.close();
    if (error instanceof Error && error.name === 'StartTrouble') throw new CommandFailure('cannot_start', error.message);
    throw error;
  }
}

/** Commands about the server and its data as a whole. */
export const serverCommands: readonly CommandRow[] = [
  {
    name: 'serve', summary: 'Answer requests until stopped (Ctrl-C or SIGTERM)', settings: serveSettings,
    flags: [
      ['--demo', 'show it with ready tenants, a person and an application to sign in to, on loopback only; without --data in a fresh folder that is removed at the end'],
      ['--check', 'only look whether the settings are right, list every problem, and exit'],
    ],
    notes: 'Every setting can also come from the environment (ASSAY_PORT …) or from assay.toml in the data folder; flags win, then the environment.',
    run,
  },
  {
    name: 'migrate', summary: 'Bring the database to this version\'s schema (every command does so as needed)',
    run: (call) => withData(call, async ({ out }) => {
      await out.document({ ok: true });
      await out.print('The database is up to date.');
    }),
  },
];
