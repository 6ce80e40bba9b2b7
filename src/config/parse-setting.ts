/** Outcome of reading one setting's text. The problem completes the sentence "NAME …" and never repeats the value. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Reads a setting from its text, or texts where it is a list. */
export type Parse<T> = (values: readonly string[]) => Parsed<T>;

/** A path of a file or folder. */
export function parsePath(values: readonly string[]): Parsed<string> {
  const [text = ''] = values;
  return text === '' || text.includes('\0') ? { ok: false, problem: 'must be a path' } : { ok: true, value: text };
}

/** A whole number within bounds, decimal digits only. */
export function parseInteger(values: readonly string[], least: number, most: number): Parsed<number> {
  const [text = ''] = values;
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most
    ? { ok: true, value }
    : { ok: false, problem: `must be a whole number from ${least} to ${most}` };
}

/** One of a few words. */
export function chooseFrom<const T extends string>(words: readonly T[]): Parse<T> {
  return ([text]) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined
      ? { ok: false, problem: `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}` }
      : { ok: true, value: word };
  };
}

const hostnameForm = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;

function isIpv6(text: string): boolean {
  return text.includes(':') && !text.includes('%') && URL.canParse(`http://[${text}]/`);
}

/** An address to listen on: a name, an IPv4 or an IPv6 address, the latter with or without brackets. */
export function parseHost(values: readonly string[]): Parsed<string> {
  const [text = ''] = values;
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  return hostnameForm.test(bare) || isIpv6(bare)
    ? { ok: true, value: bare }
    : { ok: false, problem: 'must be an address or a hostname without port, like 127.0.0.1 or 0.0.0.0' };
}

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0) return false;
  const octets = address.split('.');
  const isIpv4 = octets.length === 4 && octets.every((octet) => /^(?:0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) <= 255);
  if (!isIpv4 && !isIpv6(address)) return false;
  return bits === undefined || (/^(?:0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (isIpv4 ? 32 : 128));
}

/** Networks in CIDR notation; a bare address is a network of one. */
export function parseCidrs(values: readonly string[]): Parsed<readonly string[]> {
  return values.every(isCidr)
    ? { ok: true, value: values }
    : { ok: false, problem: 'must be addresses or networks, like 10.0.0.0/8 or 127.0.0.1' };
}

/** An address and port to listen on: `127.0.0.1:9464`, `[::1]:9464`. */
export function parseHostPort(values: readonly string[]): Parsed<string> {
  const [text = ''] = values;
  const [, host = '', port = ''] = /^(.+):([0-9]{1,5})$/.exec(text) ?? [];
  return parseHost([host]).ok && Number(port) <= 65_535
    ? { ok: true, value: text }
    : { ok: false, problem: 'must be an address and a port, like 127.0.0.1:9464' };
}

/** A URL to call by http or https, without user and password. */
export function parseHttpUrl(values: readonly string[]): Parsed<string> {
  const [text = ''] = values;
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
    ? { ok: true, value: text }
    : { ok: false, problem: 'must be an http or https URL without user and password' };
}

/** Whether text names a syslog receiver. */
export function isSyslogUrl(text: string): boolean {
  return /^syslog\+(?:udp|tcp):\/\/(?:\[[0-9a-f:]+\]|[a-z0-9.-]+):[0-9]{1,5}$/i.test(text) || /^syslog\+unix:\/\/\/[^\0]+$/.test(text);
}
