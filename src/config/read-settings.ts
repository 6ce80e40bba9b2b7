import { isLoopbackName, parseOrigin, type Origin } from '../core/issuer.ts';
import { findClosest } from '../core/closest.ts';
import { settingKeys, settingRows, type SettingKey, type Settings } from './settings.ts';

/** Where settings come from: flags first, then the environment, then the file. */
export type SettingSources = {
  /** As parsed from the command line, by key. */
  readonly flags: Readonly<Partial<Record<SettingKey, string | boolean | readonly string[]>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file; null when there is none. Other failures throw. */
  readonly readFile: (path: string) => string | null;
};

export type SettingsReading =
  /** `given`: who said what a setting is, as they call it; what is missing is the default. */
  | { readonly ok: true; readonly settings: Settings; readonly given: Readonly<Partial<Record<SettingKey, string>>> }
  /** `usage`: a flag is wrong, whatever else is. */
  | { readonly ok: false; readonly problems: readonly string[]; readonly usage: boolean };

/** A setting's text, and the name that whoever gave it knows it by. */
type Given = { readonly name: string; readonly values: readonly string[]; readonly flag: boolean };

const PREFIX = 'ASSAY_';
const FILE_NAME = 'assay.toml';

/** Reads all settings, and finds every problem at once (OP-08). Problems never repeat a value. */
export function readSettings(sources: SettingSources): SettingsReading {
  const problems: string[] = [];
  const names: Partial<Record<SettingKey, string>> = {};
  let flagProblems = 0;
  checkEnvironment(sources.env, problems);

  function take<K extends SettingKey>(key: K, file: ReadonlyMap<SettingKey, Given>): Settings[K] {
    const row = settingRows[key];
    const given = fromFlag(sources, key) ?? fromEnvironment(sources, key) ?? file.get(key);
    if (given === undefined) return row.default;
    names[key] = given.name;
    const parsed = row.parse(given.values);
    if (parsed.ok) return parsed.value;
    problems.push(`${given.name} ${parsed.problem}`);
    if (given.flag) flagProblems += 1;
    return row.default;
  }

  const none: ReadonlyMap<SettingKey, Given> = new Map();
  const data = take('data', none);
  const config = take('config', none);
  const file = readSettingsFile(sources, config, data, problems);
  const settings: Settings = {
    data, config,
    host: take('host', file), port: take('port', file),
    origin: take('origin', file), moveOrigin: take('moveOrigin', file), acceptClock: take('acceptClock', file),
    tlsCert: take('tlsCert', file), tlsKey: take('tlsKey', file), trustProxy: take('trustProxy', file),
    masterKeyFile: take('masterKeyFile', file), passwordPepperFile: take('passwordPepperFile', file), logLevel: take('logLevel', file), rateLimits: take('rateLimits', file),
    refreshGrace: take('refreshGrace', file), docs: take('docs', file), rsaBits: take('rsaBits', file),
    smtpUrl: take('smtpUrl', file), mailFrom: take('mailFrom', file), loopbackTargets: take('loopbackTargets', file),
    admin: take('admin', file), metricsListen: take('metricsListen', file), otlpEndpoint: take('otlpEndpoint', file), otlpHeadersFile: take('otlpHeadersFile', file),
    auditStream: take('auditStream', file), auditRetention: take('auditRetention', file), masterKeyCommand: take('masterKeyCommand', file), masterKey: take('masterKey', file),
  };
  if (checkTogether(settings, sources, file, problems)) flagProblems += 1;
  return problems.length === 0 ? { ok: true, settings, given: names } : { ok: false, problems, usage: flagProblems > 0 };
}

/**
 * What is for tests and development is refused where the server can be reached from elsewhere: rate limits switched off,
 * and calls to addresses of this machine (SS-09).
 * @param origin the one in force, stored or derived
 * @returns the problem, or null
 */
export function checkLoopbackOnly(settings: Pick<Settings, 'rateLimits' | 'loopbackTargets' | 'host'>, origin: Origin): string | null {
  const what = settings.rateLimits === 'off' ? `${settingRows.rateLimits.env ?? ''}=off`
    : settings.loopbackTargets === 'allow' ? `${settingRows.loopbackTargets.env ?? ''}=allow` : null;
  if (what === null) return null;
  if (!isLoopbackName(settings.host) && settings.host !== '::1') {
    return `${what} is accepted only while the server listens on loopback; it listens on ${settings.host}`;
  }
  return origin.loopback ? null : `${what} is accepted only while the origin is loopback; it is ${origin.url}`;
}

/** Why the master key does not come from one place; null: it does. */
export function findKeySourceProblem(settings: Pick<Settings, 'masterKeyFile' | 'masterKeyCommand' | 'masterKey'>): string | null {
  const named = (['masterKeyFile', 'masterKeyCommand', 'masterKey'] as const).filter((key) => settings[key] !== null).map((key) => settingRows[key].env ?? key);
  return named.length > 1 ? `the master key comes from one place: keep one of ${named.join(' and ')}` : null;
}

function fromFlag(sources: SettingSources, key: SettingKey): Given | undefined {
  const value = sources.flags[key];
  if (value === undefined || value === false) return undefined;
  const values = typeof value === 'object' ? value : [String(value)];
  return { name: `--${settingRows[key].flag ?? key}`, values, flag: true };
}

function fromEnvironment(sources: SettingSources, key: SettingKey): Given | undefined {
  const { env: name, list } = settingRows[key];
  const text = name === null ? undefined : sources.env[name];
  // Empty means unset: that is what container tools make of a variable that nobody filled in.
  if (name === null || text === undefined || text === '') return undefined;
  return { name, values: list ? text.split(/[\s,]+/).filter((word) => word !== '') : [text], flag: false };
}

function checkEnvironment(env: SettingSources['env'], problems: string[]): void {
  const known = settingKeys.flatMap((key) => settingRows[key].env ?? []);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    // The prefix that all share would make everything look near.
    const meant = findClosest(name.slice(PREFIX.length), known.map((other) => other.slice(PREFIX.length)));
    problems.push(unknown('environment variable', name, meant === null ? null : PREFIX + meant));
  }
}

function unknown(what: string, name: string, meant: string | null): string {
  return `unknown ${what} ${JSON.stringify(name)}${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function tryRead(sources: SettingSources, name: string, path: string, problems: string[]): string | null | undefined {
  try {
    return sources.readFile(path);
  } catch {
    problems.push(`${name}: ${path} cannot be read`);
    return undefined;
  }
}

function readSettingsFile(sources: SettingSources, config: string | null, data: string, problems: string[]): ReadonlyMap<SettingKey, Given> {
  const given = new Map<SettingKey, Given>();
  const path = config ?? `${data.replace(/\/+$/, '')}/${FILE_NAME}`;
  const text = tryRead(sources, 'settings file', path, problems);
  if (text === null && config !== null) problems.push(`settings file: ${path} does not exist`);
  if (text === null || text === undefined) return given;
  const content = parseToml(text);
  if (content === null) {
    problems.push(`settings file: ${path} is not valid TOML`);
    return given;
  }
  const keys = new Map(settingKeys.flatMap((key) => {
    const { toml } = settingRows[key];
    return toml === null ? [] : [[toml, key] as const];
  }));
  for (const [name, value] of Object.entries(content)) {
    const key = keys.get(name);
    const values = key === undefined ? null : tomlTexts(value, settingRows[key]);
    if (key === undefined) problems.push(`${path}: ${unknown('key', name, findClosest(name, [...keys.keys()]))}`);
    else if (values === null) problems.push(`${path}: ${name} has the wrong type`);
    else given.set(key, { name: `${path}: ${name}`, values, flag: false });
  }
  return given;
}

function parseToml(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const content: unknown = Bun.TOML.parse(text);
    return typeof content === 'object' && content !== null ? { ...content } : null;
  } catch {
    return null;
  }
}

/** A TOML value as the text that a flag would have; null when it has another shape. */
function tomlTexts(value: unknown, row: { readonly list: boolean; readonly default: unknown }): readonly string[] | null {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return row.list && items.every((item): item is string => typeof item === 'string') ? items : null;
  }
  // The default tells what the setting holds.
  if (typeof value === 'boolean') return row.default === 'on' || row.default === 'off' ? [value ? 'on' : 'off'] : null;
  if (typeof value === 'number') return typeof row.default === 'number' ? [String(value)] : null;
  return typeof value === 'string' ? [value] : null;
}

/** What no setting can know alone. @returns whether flags that do not fit each other are among the problems */
function checkTogether(settings: Settings, sources: SettingSources, file: ReadonlyMap<SettingKey, Given>, problems: string[]): boolean {
  const { tlsCert, tlsKey } = settings;
  const lonely = (tlsCert === null) !== (tlsKey === null);
  if (lonely) problems.push('--tls-cert and --tls-key go together: give both, or neither');
  for (const [name, path] of [['--tls-cert', tlsCert], ['--tls-key', tlsKey]] as const) {
    if (path === null) continue;
    const text = tryRead(sources, name, path, problems);
    if (text === null) problems.push(`${name}: ${path} does not exist`);
    else if (text !== undefined && !text.includes('-----BEGIN ')) problems.push(`${name}: ${path} is not a PEM file`);
  }
  // An origin that is given and wrong has its own problem already.
  const nowhere = settings.moveOrigin && (fromFlag(sources, 'origin') ?? fromEnvironment(sources, 'origin') ?? file.get('origin')) === undefined;
  if (nowhere) problems.push('--move-origin needs --origin URL: where to move to');
  const keySources = findKeySourceProblem(settings);
  if (keySources !== null) problems.push(keySources);
  const origin = settings.origin === null ? null : parseOrigin(settings.origin);
  const unlimited = origin === null ? null : checkLoopbackOnly(settings, origin);
  if (unlimited !== null) problems.push(unlimited);
  return nowhere || (lonely && (fromFlag(sources, 'tlsCert') ?? fromFlag(sources, 'tlsKey')) !== undefined);
}
