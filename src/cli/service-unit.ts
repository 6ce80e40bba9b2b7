import { resolve } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { settingsOf, type Call } from './call.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given } from './flags.ts';

/** Where systemd keeps the data of its services. */
const STATE = '/var/lib/';
const PRIVILEGED_PORTS = 1024;

/** What the unit is told. */
export type UnitWish = {
  /** Absolute path of the executable. */
  readonly program: string;
  /** User that it runs as; undefined: one that exists while it runs (DynamicUser). */
  readonly user?: string;
  /** Absolute data folder. */
  readonly data: string;
  /** Absolute path of the master key, which then is handed over as a credential; undefined: it lies in the data folder. */
  readonly masterKey?: string;
  readonly settings: Pick<Settings, 'host' | 'port' | 'origin' | 'tlsCert' | 'tlsKey' | 'trustProxy'>;
};

/** A word of a unit's command line (systemd.service(5), "Command lines"): quoted, specifiers and variables taken as they are. */
function word(text: string): string {
  const safe = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(safe) ? safe : `"${safe}"`;
}

/** A path in a unit, not on a command line. */
const plainPath = (path: string): string => path.replaceAll('%', '%%').replaceAll(' ', '\\x20');

function commandLine({ program, data, settings }: UnitWish): string {
  const { host, port, origin, tlsCert, tlsKey, trustProxy } = settings;
  // Files that only root may read are handed over as credentials; %d is where.
  const flags: readonly (readonly [flag: string, value: string | null])[] = [
    ['--data', word(data)], ['--host', word(host)], ['--port', String(port)], ['--origin', origin === null ? null : word(origin)],
    ['--tls-cert', tlsCert === null ? null : '%d/tls-cert'], ['--tls-key', tlsKey === null ? null : '%d/tls-key'],
    ...trustProxy.map((network) => ['--trust-proxy', word(network)] as const),
  ];
  return [word(program), 'serve', ...flags.flatMap(([flag, value]) => (value === null ? [] : [flag, value]))].join(' ');
}

/** Who it runs as, and where its data is. */
function ownerLines({ user, data }: UnitWish): readonly string[] {
  const name = data.startsWith(STATE) ? data.slice(STATE.length) : null;
  const inState = name !== null && /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/.test(name) && !name.split('/').includes('..');
  return [
    ...(user === undefined ? ['DynamicUser=yes'] : [`User=${user}`]),
    ...(inState ? [`StateDirectory=${name}`, 'StateDirectoryMode=0700'] : [`ReadWritePaths=${plainPath(data)}`]),
  ];
}

/** A systemd unit that gives the server what it needs and no more. */
export function writeUnit(wish: UnitWish): string {
  const { masterKey, settings: { port, tlsCert, tlsKey } } = wish;
  const credentials = [['master-key', masterKey], ['tls-cert', tlsCert], ['tls-key', tlsKey]].flatMap(([name, path]) => (typeof path === 'string' ? [`LoadCredential=${name}:${plainPath(path)}`] : []));
  return `${[
    '# Made by `assay service-unit`. Put it at /etc/systemd/system/assay.service, then: systemctl daemon-reload; systemctl enable --now assay',
    '[Unit]',
    'Description=Assay, an OAuth 2.1 and OpenID Connect authorization server',
    'After=network-online.target',
    'Wants=network-online.target',
    '',
    '[Service]',
    // The program has no way to tell systemd that it is ready: started is when it runs, and /readyz says the rest.
    'Type=exec',
    `ExecStart=${commandLine(wish)}`,
    'Restart=on-failure',
    'RestartSec=2',
    'TimeoutStopSec=30',
    'LimitNOFILE=65536',
    ...(masterKey === undefined ? [] : ['Environment=ASSAY_MASTER_KEY_FILE=%d/master-key']),
    '# Further settings, as ASSAY_SMTP_URL=…; only root should be able to read the file.',
    'EnvironmentFile=-/etc/assay/environment',
    ...credentials,
    ...ownerLines(wish),
    'UMask=0077',
    ...(port !== 0 && port < PRIVILEGED_PORTS ? ['AmbientCapabilities=CAP_NET_BIND_SERVICE', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE'] : ['CapabilityBoundingSet=', 'PrivateUsers=yes']),
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectProc=invisible',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
    '# MemoryDenyWriteExecute is left out: the JavaScript engine makes machine code while it runs.',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`;
}

async function run(call: Call): Promise<number> {
  const settings = settingsOf(call);
  const { flags, out } = call;
  const user = flags.text('user');
  if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,30}$/.test(user)) throw new UsageError('--user is a name of a user of this machine, like assay');
  const data = call.settingFlags.data === undefined && process.env['ASSAY_DATA'] === undefined ? `${STATE}assay` : resolve(settings.data);
  const absolute = (name: string): string | undefined => {
    const path = flags.text(name);
    return path === undefined ? undefined : resolve(path);
  };
  const [masterKey, tlsCert, tlsKey] = [absolute('master-key'), absolute('tls-cert'), absolute('tls-key')];
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError('--tls-cert and --tls-key go together: give both, or neither');
  const unit = writeUnit({
    program: flags.text('program') ?? '/usr/local/bin/assay', data, ...given<Pick<UnitWish, 'user' | 'masterKey'>>({ user, masterKey }),
    settings: { ...settings, tlsCert: tlsCert ?? null, tlsKey: tlsKey ?? null },
  });
  await out.document({ unit });
  await out.print(unit.trimEnd());
  return 0;
}

/** `assay service-unit` */
export const serviceUnitCommands: readonly CommandRow[] = [
  {
    name: 'service-unit', summary: 'Print a systemd unit that lets the server do what it needs and no more',
    settings: ['host', 'port', 'origin', 'trustProxy'],
    flags: [
      ['--user <NAME>', 'user that it runs as (default: one that exists only while it runs)'],
      ['--master-key <FILE>', 'the master key, handed over as a credential (default: it lies in the data folder, and is made there)'],
      ['--tls-cert <FILE>', 'certificate with its chain (PEM), handed over as a credential'],
      ['--tls-key <FILE>', 'its key, likewise'],
      ['--program <FILE>', 'the executable (default: /usr/local/bin/assay)'],
    ],
    notes: 'Files that are handed over as credentials only root needs to be able to read. The data folder is /var/lib/assay unless --data says otherwise.\nA certificate that is handed over is taken up by `systemctl restart`: systemd copies credentials at the start.',
    run,
  },
];
