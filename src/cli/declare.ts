import { Option, type Command } from 'commander';
import { settingKeys, settingRows, type SettingKey } from '../config/settings.ts';
import type { Call } from './call.ts';
import { readFlags } from './flags.ts';
import { makeOutput } from './output.ts';

/** One flag of a command: `--name <METAVAR>`, what it says, and whether it may be repeated. */
export type FlagRow = readonly [flags: string, doc: string, repeat?: 'repeat'];

/** A command as data. */
export type CommandRow = {
  readonly name: string;
  readonly summary: string;
  /** What its group does when no command is named. */
  readonly isDefault?: true;
  /** `<NEEDED>` and `[OPTIONAL]` arguments. */
  readonly args?: readonly (readonly [form: string, doc: string])[];
  readonly flags?: readonly FlagRow[];
  /** Settings that it takes as flags beside --data and --config. */
  readonly settings?: readonly SettingKey[];
  /** Concerns a tenant's things; the value says what holds without --tenant. */
  readonly tenant?: 'default' | 'all tenants';
  /** Shown below the flags. */
  readonly notes?: string;
  /** @returns the exit code */
  readonly run: (call: Call) => Promise<number>;
};

/** Tells the program how a command ended. */
export type Ended = (code: number) => void;

function collect(value: string, former: unknown): readonly string[] {
  return Array.isArray(former) ? [...(former as readonly string[]), value] : [value];
}

function makeOption([flags, doc, repeat]: FlagRow): Option {
  const option = new Option(flags, repeat === undefined ? doc : `${doc} (may be repeated)`);
  return repeat === undefined ? option : option.argParser(collect);
}

function settingOption(key: SettingKey): Option {
  const { flag, metavar, doc, list, default: fallback } = settingRows[key];
  const shown = typeof fallback === 'string' || typeof fallback === 'number' ? `${doc} (default: ${fallback})` : doc;
  const form = `--${flag ?? key}${metavar === null ? '' : ` <${metavar}>`}`;
  return makeOption(list ? [form, shown, 'repeat'] : [form, shown]);
}

/** Options of every command, also understood before its name. */
export function addCommonOptions(command: Command): Command {
  return command.addOption(settingOption('data')).addOption(settingOption('config')).option('--json', 'one JSON document on stdout, for programs');
}

/** Adds a command to a group. */
export function declareCommand(group: Command, row: CommandRow, ended: Ended): void {
  const command = group.command(row.name, { isDefault: row.isDefault === true }).summary(row.summary).description(`${row.summary}.`);
  for (const [form, doc] of row.args ?? []) command.argument(form, doc);
  for (const flag of row.flags ?? []) command.addOption(makeOption(flag));
  for (const key of row.settings ?? []) command.addOption(settingOption(key));
  if (row.tenant !== undefined) command.option('--tenant <SLUG>', `tenant that it concerns (default: ${row.tenant})`);
  addCommonOptions(command);
  if (row.notes !== undefined) command.addHelpText('after', `\n${row.notes}`);
  const settingsTaken: readonly SettingKey[] = ['data', 'config', ...(row.settings ?? [])];
  command.action(async () => {
    const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
    ended(await row.run({
      args: command.args,
      flags: readFlags(options),
      settingFlags: pickSettings(options, settingsTaken),
      out: makeOutput(options['json'] === true),
    }));
  });
}

/** Only a command's own settings: `--host` of a tenant is not that of the server. */
function pickSettings(options: Readonly<Record<string, unknown>>, taken: readonly SettingKey[]): Call['settingFlags'] {
  const picked: Partial<Record<SettingKey, string | boolean | readonly string[]>> = {};
  for (const key of settingKeys) {
    const value = options[(settingRows[key].flag ?? key).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (!taken.includes(key)) continue;
    if (typeof value === 'string' || typeof value === 'boolean') picked[key] = value;
    else if (Array.isArray(value)) picked[key] = value as readonly string[];
  }
  return picked;
}
