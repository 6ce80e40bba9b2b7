import { parseOrigin } from '../core/issuer.ts';
import { isMailAddress, parseSmtpUrl } from '../core/smtp.ts';
import { chooseFrom, isSyslogUrl, parseCidrs, parseHost, parseHostPort, parseHttpUrl, parseInteger, parsePath, type Parse } from './parse-setting.ts';
import { splitCommand } from './split-command.ts';

/** Everything that an operator can set for one start of the program, validated. */
export type Settings = {
  /** Folder of the database, the master key and the settings file. */
  readonly data: string;
  /** Settings file that must exist; null: `assay.toml` in the data folder, if it is there. */
  readonly config: string | null;
  readonly host: string;
  readonly port: number;
  /** Canonical URL of the server; null: what the data says, else it follows host and port. */
  readonly origin: string | null;
  readonly moveOrigin: boolean;
  /** Believe the machine's clock although this data has seen later times. */
  readonly acceptClock: boolean;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** Networks whose `X-Forwarded-*` headers count. */
  readonly trustProxy: readonly string[];
  readonly masterKeyFile: string | null;
  /** Key that goes into passwords of people before they are hashed (CR-03). */
  readonly passwordPepperFile: string | null;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly rateLimits: 'on' | 'off';
  /** Seconds for which a spent refresh token may be answered again (0…60). */
  readonly refreshGrace: number;
  readonly docs: 'on' | 'off';
  /** Modulus length of new RSA signing keys. */
  readonly rsaBits: 2048 | 3072 | 4096;
  /** URL of the mail server; may hold a password, and is never shown. */
  readonly smtpUrl: string | null;
  /** Sender of mails; null: `assay` at the host of the origin. */
  readonly mailFrom: string | null;
  /** Whether this machine may be called at its own addresses (SS-09). */
  readonly loopbackTargets: 'deny' | 'allow';
  /** Whether `/admin` and `/admin/v1` are served. */
  readonly admin: 'on' | 'off';
  /** `host:port` of a listener of its own for metrics; null: none. */
  readonly metricsListen: string | null;
  /** Collector that traces are sent to; null: there are no traces. */
  readonly otlpEndpoint: string | null;
  /** File with headers for the collector, one `Name: value` a line; may hold a secret. */
  readonly otlpHeadersFile: string | null;
  /** Where every audit event goes beside the database. */
  readonly auditStream: string | null;
  /** Days for which the server's own audit events are kept; null: for ever. */
  readonly auditRetention: number | null;
  /** Prints the master key, base64 (a secret store's own command); null: it is in a file. */
  readonly masterKeyCommand: string | null;
  /** The master key itself, base64; never shown. */
  readonly masterKey: string | null;
};

export type SettingKey = keyof Settings;

/** One setting, whichever way it is given. A name that is null: it cannot be given that way. */
export type SettingRow<T> = {
  /** Without the dashes. */
  readonly flag: string | null;
  readonly env: string | null;
  /** Key in the settings file. */
  readonly toml: string | null;
  /** Stands for the value in help; null for a switch, which has none. */
  readonly metavar: string | null;
  /** The flag may be repeated; in the environment values are separated by commas or spaces. */
  readonly list: boolean;
  readonly default: T;
  /** One line. */
  readonly doc: string;
  readonly parse: Parse<T>;
};

const DEFAULT_PORT = 8080;
const MAX_PORT = 65_535;
const MAX_DAYS = 36_500;
const MAX_GRACE_S = 60;

const path: Parse<string | null> = (values) => parsePath(values);

/** Every setting; flags, environment, file, help and documentation come from this table. Its order is the documentation's. */
export const settingRows: { readonly [K in SettingKey]: SettingRow<Settings[K]> } = {
  data: {
    flag: 'data', env: 'ASSAY_DATA', toml: null, metavar: 'DIR', list: false, default: './data',
    doc: 'folder of the database, the master key and assay.toml; made when missing', parse: (values) => parsePath(values),
  },
  config: {
    flag: 'config', env: 'ASSAY_CONFIG', toml: null, metavar: 'FILE', list: false, default: null,
    doc: 'settings file (default: assay.toml in the data folder, if there is one)', parse: path,
  },
  host: {
    flag: 'host', env: 'ASSAY_HOST', toml: 'host', metavar: 'ADDRESS', list: false, default: '127.0.0.1',
    doc: 'address to listen on; 0.0.0.0 or :: for every interface', parse: parseHost,
  },
  port: {
    flag: 'port', env: 'ASSAY_PORT', toml: 'port', metavar: 'PORT', list: false, default: DEFAULT_PORT,
    doc: 'port to listen on; 0 takes any free one', parse: (values) => parseInteger(values, 0, MAX_PORT),
  },
  origin: {
    flag: 'origin', env: 'ASSAY_ORIGIN', toml: 'origin', metavar: 'URL', list: false, default: null,
    doc: 'public URL of the server, kept with the data; issuers are made from it (default: follows host and port)',
    parse: ([text = '']) => {
      const origin = parseOrigin(text);
      return origin === null
        ? { ok: false, problem: 'must look like https://id.example.com or http://127.0.0.1:8080: lower case, no query, no path but a single / at the end' }
        : { ok: true, value: origin.url };
    },
  },
  moveOrigin: {
    flag: 'move-origin', env: null, toml: null, metavar: null, list: false, default: false,
    doc: 'let --origin replace the stored one: issuers change, and tokens issued before become inactive',
    parse: ([text]) => ({ ok: true, value: text === 'true' }),
  },
  acceptClock: {
    flag: 'accept-clock', env: null, toml: null, metavar: null, list: false, default: false,
    doc: 'go by the machine\'s clock although this data has seen later times: after a clock that was ahead was set right',
    parse: ([text]) => ({ ok: true, value: text === 'true' }),
  },
  tlsCert: {
    flag: 'tls-cert', env: 'ASSAY_TLS_CERT', toml: 'tls_cert', metavar: 'FILE', list: false, default: null,
    doc: 'certificate chain (PEM) to serve https with', parse: path,
  },
  tlsKey: {
    flag: 'tls-key', env: 'ASSAY_TLS_KEY', toml: 'tls_key', metavar: 'FILE', list: false, default: null,
    doc: 'private key (PEM) of the certificate', parse: path,
  },
  trustProxy: {
    flag: 'trust-proxy', env: 'ASSAY_TRUST_PROXY', toml: 'trust_proxy', metavar: 'CIDR', list: true, default: [],
    doc: 'network of a proxy whose X-Forwarded-* headers are believed', parse: parseCidrs,
  },
  masterKeyFile: {
    flag: null, env: 'ASSAY_MASTER_KEY_FILE', toml: 'master_key_file', metavar: 'FILE', list: false, default: null,
    doc: 'master key that seals private keys (default: master.key in the data folder); lists two, the new one first, while one replaces the other', parse: path,
  },
  passwordPepperFile: {
    flag: null, env: 'ASSAY_PASSWORD_PEPPER_FILE', toml: 'password_pepper_file', metavar: 'FILE', list: false, default: null,
    doc: 'key (32 bytes in base64) mixed into passwords, kept apart from the database; once used, no password works without it', parse: path,
  },
  logLevel: {
    flag: null, env: 'ASSAY_LOG_LEVEL', toml: 'log_level', metavar: 'LEVEL', list: false, default: 'info',
    doc: 'least important log line that is written: error, warn, info or debug',
    parse: chooseFrom(['error', 'warn', 'info', 'debug']),
  },
  rateLimits: {
    flag: null, env: 'ASSAY_RATE_LIMITS', toml: 'rate_limits', metavar: 'on|off', list: false, default: 'on',
    doc: 'slow down callers that keep failing; off only while the origin is loopback', parse: chooseFrom(['on', 'off']),
  },
  refreshGrace: {
    flag: null, env: 'ASSAY_REFRESH_GRACE', toml: 'refresh_grace', metavar: 'SECONDS', list: false, default: 10,
    doc: 'how long a spent refresh token gets the same answer again, for answers that were lost; 0 to 60',
    parse: (values) => parseInteger(values, 0, MAX_GRACE_S),
  },
  docs: {
    flag: null, env: 'ASSAY_DOCS', toml: 'docs', metavar: 'on|off', list: false, default: 'on',
    doc: 'serve the API documentation at /docs', parse: chooseFrom(['on', 'off']),
  },
  rsaBits: {
    flag: null, env: 'ASSAY_RSA_BITS', toml: 'rsa_bits', metavar: 'BITS', list: false, default: 2048,
    doc: 'size of new RSA signing keys: 2048, 3072 or 4096',
    parse: ([text]) => {
      const bits = ([2048, 3072, 4096] as const).find((size) => String(size) === text);
      return bits === undefined ? { ok: false, problem: 'must be 2048, 3072 or 4096' } : { ok: true, value: bits };
    },
  },
  smtpUrl: {
    flag: null, env: 'ASSAY_SMTP_URL', toml: 'smtp_url', metavar: 'URL', list: false, default: null,
    doc: 'mail server, smtp://user:password@host:587 (with STARTTLS) or smtps://…; without one a loopback server keeps mails at /mailbox, and any other sends none',
    parse: ([text = '']) => (parseSmtpUrl(text) === null
      ? { ok: false, problem: 'must look like smtp://user:password@host:587 or smtps://user:password@host:465, user and password percent-encoded' }
      : { ok: true, value: text }),
  },
  mailFrom: {
    flag: null, env: 'ASSAY_MAIL_FROM', toml: 'mail_from', metavar: 'ADDRESS', list: false, default: null,
    doc: 'sender of mails (default: assay at the host of the origin)',
    parse: ([text = '']) => (isMailAddress(text) ? { ok: true, value: text } : { ok: false, problem: 'must be one mail address without a name, like sign-in@example.com' }),
  },
  loopbackTargets: {
    flag: null, env: 'ASSAY_LOOPBACK_TARGETS', toml: 'loopback_targets', metavar: 'deny|allow', list: false, default: 'deny',
    doc: 'whether applications may be called at addresses of this machine, also over http; allow only while the origin is loopback',
    parse: chooseFrom(['deny', 'allow']),
  },
  admin: {
    flag: null, env: 'ASSAY_ADMIN', toml: 'admin', metavar: 'on|off', list: false, default: 'on',
    doc: 'serve the console at /admin and the admin API at /admin/v1', parse: chooseFrom(['on', 'off']),
  },
  metricsListen: {
    flag: 'metrics', env: 'ASSAY_METRICS_LISTEN', toml: 'metrics_listen', metavar: 'HOST:PORT', list: false, default: null,
    doc: 'answer /metrics to anybody on a listener of its own; on the main one an API key is needed', parse: parseHostPort,
  },
  otlpEndpoint: {
    flag: null, env: 'ASSAY_OTLP_ENDPOINT', toml: 'otlp_endpoint', metavar: 'URL', list: false, default: null,
    doc: 'send traces to this OpenTelemetry collector (OTLP over HTTP), like http://127.0.0.1:4318', parse: parseHttpUrl,
  },
  otlpHeadersFile: {
    flag: null, env: 'ASSAY_OTLP_HEADERS_FILE', toml: 'otlp_headers_file', metavar: 'FILE', list: false, default: null,
    doc: 'headers for the collector, one "Name: value" a line', parse: path,
  },
  auditStream: {
    flag: null, env: 'ASSAY_AUDIT_STREAM', toml: 'audit_stream', metavar: 'WHERE', list: false, default: null,
    doc: 'write every audit event there too: stdout, or syslog as in syslog+udp://127.0.0.1:514, syslog+tcp://host:601 or syslog+unix:///dev/log',
    parse: ([text = '']) => (text === 'stdout' || isSyslogUrl(text)
      ? { ok: true, value: text }
      : { ok: false, problem: 'must be stdout, syslog+udp://HOST:PORT, syslog+tcp://HOST:PORT or syslog+unix:///PATH' }),
  },
  auditRetention: {
    flag: null, env: 'ASSAY_AUDIT_RETENTION', toml: 'audit_retention', metavar: 'DAYS', list: false, default: null,
    doc: 'days for which the server\'s own audit events are kept (default: for ever); tenants have their own', parse: (values) => parseInteger(values, 1, MAX_DAYS),
  },
  masterKeyCommand: {
    flag: null, env: 'ASSAY_MASTER_KEY_COMMAND', toml: 'master_key_command', metavar: 'COMMAND', list: false, default: null,
    doc: 'command that prints the master key (32 bytes in base64), in place of a file; run without a shell, within 10 s', parse: ([text = '']) => (splitCommand(text) === null ? { ok: false, problem: 'must be a command, its quotes closed' } : { ok: true, value: text }),
  },
  masterKey: {
    flag: null, env: 'ASSAY_MASTER_KEY', toml: null, metavar: 'KEY', list: false, default: null,
    doc: 'the master key itself (32 bytes in base64), in place of a file; others on this machine may see it', parse: ([text = '']) => (/^\s*[A-Za-z0-9+/]{43}=(?:[\s,]+[A-Za-z0-9+/]{43}=)*\s*$/.test(text) ? { ok: true, value: text } : { ok: false, problem: 'must be 32 bytes in base64, as `openssl rand -base64 32` prints them' }),
  },
};

/** Keys of the table, in its order. */
export const settingKeys: readonly SettingKey[] = Object.keys(settingRows).filter((key): key is SettingKey => key in settingRows);

/** The settings as rows of a Markdown table, for the documentation. */
export function renderSettingsTable(): string {
  const code = (text: string | null): string => (text === null ? '–' : `\`${text}\``);
  const lines = settingKeys.map((key) => {
    const row = settingRows[key];
    const flag = row.flag === null ? null : `--${row.flag}${row.metavar === null ? '' : ` ${row.metavar}`}`;
    const fallback = Array.isArray(row.default) || row.default === null || row.default === false ? null : String(row.default);
    return `| ${code(flag)} | ${code(row.env)} | ${code(row.toml)} | ${code(fallback)} | ${row.doc.replaceAll('|', '\\|')} |`;
  });
  return ['| flag | environment | assay.toml | default | |', '|---|---|---|---|---|', ...lines].join('\n');
}
