import { describe, expect, test } from 'bun:test';
import { checkLoopbackOnly, readSettings, type SettingSources } from '../../src/config/read-settings.ts';
import { renderSettingsTable, settingKeys, settingRows } from '../../src/config/settings.ts';
import { parseOrigin } from '../../src/core/issuer.ts';

const PEM = '-----BEGIN CERTIFICATE-----';

function read(sources: Partial<SettingSources> & { readonly files?: Readonly<Record<string, string>> } = {}) {
  const { files = {} } = sources;
  return readSettings({ flags: {}, env: {}, readFile: (path) => files[path] ?? null, ...sources });
}

/** The problems of a reading that must have some. */
function problemsOf(sources: Parameters<typeof read>[0]): readonly string[] {
  const reading = read(sources);
  return reading.ok ? [] : reading.problems;
}

describe('sources', () => {
  test('OP-11 nothing given: loopback, and every default of the table', () => {
    const reading = read();
    if (!reading.ok) throw new Error(reading.problems.join());
    expect(reading.settings).toMatchObject({ data: './data', host: '127.0.0.1', port: 8080, origin: null, logLevel: 'info', rateLimits: 'on', refreshGrace: 10, docs: 'on', rsaBits: 2048 });
    for (const key of settingKeys) expect(reading.settings[key]).toEqual(settingRows[key].default);
  });

  test('flags win over the environment, and that over the file', () => {
    const files = { './data/assay.toml': 'port = 1111\nhost = "localhost"\nrefresh_grace = 5\n' };
    expect(read({ files })).toMatchObject({ ok: true, settings: { port: 1111, host: 'localhost', refreshGrace: 5 } });
    expect(read({ files, env: { ASSAY_PORT: '2222' } })).toMatchObject({ ok: true, settings: { port: 2222, host: 'localhost' } });
    expect(read({ files, env: { ASSAY_PORT: '2222' }, flags: { port: '3333' } })).toMatchObject({ ok: true, settings: { port: 3333 } });
  });

  test('the file lies in the data folder, or is named and must exist', () => {
    expect(read({ flags: { data: '/d' }, files: { '/d/assay.toml': 'port = 1' } })).toMatchObject({ ok: true, settings: { port: 1 } });
    expect(read({ env: { ASSAY_CONFIG: '/c.toml' }, files: { '/c.toml': 'port = 2', './data/assay.toml': 'port = 1' } })).toMatchObject({ ok: true, settings: { port: 2 } });
    expect(problemsOf({ flags: { config: '/none.toml' } })).toEqual(['settings file: /none.toml does not exist']);
  });

  test('lists: repeated flags, words of a variable, an array of the file', () => {
    for (const sources of [
      { flags: { trustProxy: ['10.0.0.0/8', '::1'] } }, { env: { ASSAY_TRUST_PROXY: '10.0.0.0/8, ::1' } }, { files: { './data/assay.toml': 'trust_proxy = ["10.0.0.0/8", "::1"]' } },
    ]) expect(read(sources)).toMatchObject({ ok: true, settings: { trustProxy: ['10.0.0.0/8', '::1'] } });
  });

  test('an empty variable is one that nobody filled in', () => {
    expect(read({ env: { ASSAY_ORIGIN: '', ASSAY_PORT: '' } })).toMatchObject({ ok: true, settings: { origin: null, port: 8080 } });
  });
});

describe('values', () => {
  test.each([
    ['port', '65536'], ['port', '-1'], ['port', 'http'], ['port', '080808080808'], ['host', 'a b'], ['host', 'http://x'], ['host', 'x:1'],
    ['origin', 'https://ID.example.com'], ['origin', 'https://id.example.com/path'], ['origin', 'https://id.example.com?x'], ['origin', 'ftp://x'], ['origin', 'id.example.com'],
    ['trustProxy', '10.0.0.0/33'], ['trustProxy', '256.0.0.1'], ['trustProxy', 'localhost'], ['trustProxy', '::1/129'],
    ['logLevel', 'loud'], ['rateLimits', 'maybe'], ['refreshGrace', '61'], ['docs', 'yes'], ['rsaBits', '1024'],
  ] as const)('OP-08 MTN-02 %s %p is refused, by the name it was given under', (key, value) => {
    const { env } = settingRows[key];
    const reading = read({ flags: { [key]: settingRows[key].list ? [value] : value } });
    expect(reading).toMatchObject({ ok: false, usage: true, problems: [expect.stringMatching(/^--[a-zA-Z-]+ must /)] });
    expect(problemsOf({ env: { [env ?? '']: value } })[0]).toStartWith(env ?? 'never');
  });

  test.each([
    ['https://id.example.com/', 'https://id.example.com'], ['https://id.example.com:443', 'https://id.example.com'], ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ])('MTN-02 origin %s is kept as %s', (origin, kept) => {
    expect(read({ flags: { origin } })).toMatchObject({ ok: true, settings: { origin: kept } });
  });

  test('brackets of an address are taken off', () => {
    expect(read({ flags: { host: '[::1]' } })).toMatchObject({ ok: true, settings: { host: '::1' } });
  });
});

describe('OP-08 all problems at once', () => {
  test('from every source', () => {
    const problems = problemsOf({
      flags: { port: 'x', tlsCert: '/cert.pem' }, env: { ASSAY_PROT: '1', ASSAY_DOCS: 'perhaps', PATH: '/bin' },
      files: { './data/assay.toml': 'prot = 1\nhost = [1]\n[server]\nport = 1\n', '/cert.pem': PEM },
    });
    expect(problems).toEqual([
      'unknown environment variable "ASSAY_PROT"; did you mean ASSAY_PORT?',
      './data/assay.toml: unknown key "prot"; did you mean port?',
      './data/assay.toml: host has the wrong type',
      './data/assay.toml: unknown key "server"',
      '--port must be a whole number from 0 to 65535',
      'ASSAY_DOCS must be on or off',
      '--tls-cert and --tls-key go together: give both, or neither',
    ]);
  });

  test.each([
    ['a file that is no TOML', { files: { './data/assay.toml': 'port =' } }, 'not valid TOML'],
    ['a certificate that is not there', { flags: { tlsCert: '/c', tlsKey: '/k' }, files: { '/k': PEM } }, '/c does not exist'],
    ['a key that is no PEM', { flags: { tlsCert: '/c', tlsKey: '/k' }, files: { '/c': PEM, '/k': 'DER' } }, 'not a PEM file'],
    ['a move to nowhere', { flags: { moveOrigin: true } }, '--move-origin needs --origin'],
    ['a flag for what is not built', { env: { ASSAY_REQUEST_OBJECTS: 'on' } }, 'unknown environment variable'],
    ['a mail server that is none', { env: { ASSAY_SMTP_URL: 'https://mx.example.com' } }, 'ASSAY_SMTP_URL must look like'],
    ['a sender with a name', { env: { ASSAY_MAIL_FROM: 'Acme <a@example.com>' } }, 'ASSAY_MAIL_FROM must be one mail address'],
    ['a word that is none', { env: { ASSAY_LOOPBACK_TARGETS: 'on' } }, 'ASSAY_LOOPBACK_TARGETS must be deny or allow'],
    ['a number where text belongs', { files: { './data/assay.toml': 'host = 7' } }, 'host has the wrong type'],
    ['a switch where text belongs', { files: { './data/assay.toml': 'host = true' } }, 'host has the wrong type'],
    ['a move to what is no origin', { flags: { origin: 'https://id.example.com/path', moveOrigin: true } }, '--origin must look like'],
  ])('%s', (_what, sources, problem) => {
    expect(problemsOf(sources)).toEqual([expect.stringContaining(problem)]);
  });

  test('SS-09 rate limits go off on loopback only', () => {
    const env = { ASSAY_RATE_LIMITS: 'off' };
    expect(problemsOf({ env, flags: { origin: 'https://id.example.com' } })).toEqual([expect.stringContaining('only while the origin is loopback')]);
    expect(read({ env, flags: { origin: 'http://localhost:1' } }).ok).toBe(true);
    const [away, home] = [parseOrigin('https://id.example.com'), parseOrigin('http://127.0.0.1:1')];
    if (away === null || home === null) throw new Error('no origins');
    expect([checkLoopbackOnly({ rateLimits: 'off', loopbackTargets: 'deny', host: '127.0.0.1' }, home), checkLoopbackOnly({ rateLimits: 'on', loopbackTargets: 'deny', host: '0.0.0.0' }, away)]).toEqual([null, null]);
    expect(checkLoopbackOnly({ rateLimits: 'off', loopbackTargets: 'deny', host: '127.0.0.1' }, away)).toContain('https://id.example.com');
    expect(checkLoopbackOnly({ rateLimits: 'off', loopbackTargets: 'deny', host: '0.0.0.0' }, home)).toContain('it listens on 0.0.0.0');
  });

  test('SS-09 this machine is called on loopback only', () => {
    const env = { ASSAY_LOOPBACK_TARGETS: 'allow' };
    expect(problemsOf({ env, flags: { origin: 'https://id.example.com' } })).toEqual([expect.stringContaining('ASSAY_LOOPBACK_TARGETS=allow is accepted only while the origin is loopback')]);
    expect(problemsOf({ env, flags: { origin: 'http://localhost:1', host: '0.0.0.0' } })).toEqual([expect.stringContaining('it listens on 0.0.0.0')]);
    expect(read({ env, flags: { origin: 'http://localhost:1' } }).ok).toBe(true);
  });

  test('the password of the mail server is never repeated', () => {
    expect(problemsOf({ env: { ASSAY_SMTP_URL: 'smtp://me:hunter2@mx.example.com/path' } }).join(' ')).not.toContain('hunter2');
    expect(problemsOf({ files: { './data/assay.toml': 'smtp_url = "smtp//me:hunter2@mx.example.com"' } }).join(' ')).not.toContain('hunter2');
  });
});

test('the table for the documentation has a row for every setting', () => {
  const lines = renderSettingsTable().split('\n');
  expect(lines).toHaveLength(settingKeys.length + 2);
  for (const key of settingKeys) expect(lines.join('\n')).toContain(settingRows[key].env ?? `--${settingRows[key].flag ?? ''}`);
});
