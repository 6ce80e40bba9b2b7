import { settingKeys, settingRows, type SettingKey, type Settings } from '../config/settings.ts';
import type { SettingFact } from '../http/server-context.ts';

/** Settings that are secrets, or may hold one: of these is told whether they are set. */
const secrets: ReadonlySet<SettingKey> = new Set(['smtpUrl', 'masterKey', 'masterKeyCommand']);

/** What a start was told, for operators. @param given who said so, by setting; what is missing there is the default */
export function describeSettings(settings: Settings, given: Readonly<Partial<Record<SettingKey, string>>>): readonly SettingFact[] {
  return settingKeys.map((key) => {
    const { toml, flag, env, doc } = settingRows[key];
    const value = settings[key];
    const secret = secrets.has(key);
    return { name: toml ?? flag ?? env ?? key, value: secret ? null : value, secret, set: value !== null, source: given[key] ?? null, doc };
  });
}
