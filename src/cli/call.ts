import { readFileSync, statSync } from 'node:fs';
import { ensureDefaultTenant } from '../app/first-tenant.ts';
import { openApplication, type Application } from '../app/open.ts';
import { readSettings, type SettingsReading } from '../config/read-settings.ts';
import type { SettingKey, Settings } from '../config/settings.ts';
import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import type { Context } from '../service/context.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import type { Managed } from '../service/manage-outcome.ts';
import { CommandFailure, UsageError, valueOf } from './failure.ts';
import type { Flags } from './flags.ts';
import type { Output } from './output.ts';
import { makeProgress } from './progress.ts';

/** One command line, parsed. */
export type Call = {
  /** Arguments, in the order that the command declares; optional ones may be missing. */
  readonly args: readonly string[];
  readonly flags: Flags;
  /** What was given for settings, by key. */
  readonly settingFlags: Readonly<Partial<Record<SettingKey, string | boolean | readonly string[]>>>;
  readonly out: Output;
};

/** A command's work on open data. */
export type Work = {
  readonly ctx: Context;
  readonly call: Call;
  readonly flags: Flags;
  readonly out: Output;
  /** The command's argument, by position. */
  readonly arg: (position: number) => string;
  /** The tenant that `--tenant` names. @throws CommandFailure when there is none */
  readonly tenant: () => Promise<Tenant>;
  /** The value of an act; warnings are shown. @throws CommandFailure */
  readonly take: <T>(outcome: Managed<T>) => T;
};

/** Slug of the tenant that a command line concerns. */
export function tenantOf(call: Call): string {
  return call.flags.text('tenant') ?? DEFAULT_TENANT;
}

/** A command to suggest, for the tenant that this command line concerns. */
export function suggestion(command: string, tenant: Pick<Tenant, 'slug'>): string {
  return `\`assay ${command}${tenant.slug === DEFAULT_TENANT ? '' : ` --tenant ${tenant.slug}`}\``;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Below a file there is nothing either.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

/** The settings of this command line, and who said so. @throws UsageError, CommandFailure with every problem */
export function readSettingsOf(call: Call): Extract<SettingsReading, { readonly ok: true }> {
  const reading = readSettings({ flags: call.settingFlags, env: process.env, readFile: readText });
  if (reading.ok) return reading;
  const [first = ''] = reading.problems;
  const description = reading.problems.length === 1 ? first : `${reading.problems.length} settings are wrong`;
  const several = reading.problems.length === 1 ? [] : reading.problems;
  if (reading.usage) throw new UsageError(description, several);
  throw new CommandFailure('invalid_settings', description, several);
}

/** The settings of this command line. @throws as above */
export function settingsOf(call: Call): Settings {
  return readSettingsOf(call).settings;
}

/** Opens the data of a command line, and shows how far a migration is. @throws CommandFailure that says what to do */
export async function openFor(settings: Settings, { json }: Pick<Output, 'json'>): Promise<Application> {
  if (statSync(settings.data, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new CommandFailure('data_unavailable', `--data ${settings.data} is not a folder: name the folder that the database lies in, or is to be made in`);
  }
  const line = makeProgress(json);
  try {
    return await openApplication(settings, line.tellNow);
  } catch (error) {
    // Whatever keeps data from opening is worded for people where it is thrown.
    throw new CommandFailure('data_unavailable', error instanceof Error ? error.message : 'the data cannot be opened');
  } finally {
    line.end();
  }
}

/**
 * Opens the data, does the work, closes the data. Works while a server runs on the same data. Flags are read before: a
 * command line that makes no sense must leave no new folder behind.
 */
export async function withData(call: Call, work: (work: Work) => Promise<void>): Promise<number> {
  return withOpened(call, work);
}

/** The same, for work on the data as a whole. */
export async function withOpened(call: Call, work: (work: Work, application: Application, settings: Settings) => Promise<void>): Promise<number> {
  const settings = settingsOf(call);
  // Commands speak for themselves; the log is for what goes wrong, unless somebody asks for more.
  const application = await openFor(settings.logLevel === 'info' ? { ...settings, logLevel: 'warn' } : settings, call.out);
  if (application.isNew && !call.out.json) call.out.warn(`${settings.data} is new: its database ${application.madeMasterKey ? 'and master.key were' : 'was'} just made`);
  try {
    await ensureDefaultTenant(application, 'await');
    const { ctx } = application;
    const take = <T>(outcome: Managed<T>): T => valueOf(outcome, call.out.warn);
    await work({
      ctx, call, take, flags: call.flags, out: call.out,
      arg: (position) => call.args[position] ?? '',
      tenant: async () => take(await requireTenant(ctx, tenantOf(call))),
    }, application, settings);
    return 0;
  } finally {
    await application.close();
  }
}
