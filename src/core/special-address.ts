/** Bits of an address, written as a network: the address's bytes and how many of its first bits count. */
type Network = readonly [bytes: readonly number[], bits: number];

const octetForm = /^(?:0|[1-9][0-9]{0,2})$/;
const groupForm = /^[0-9a-f]{1,4}$/i;

function readIpv4(text: string): readonly number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octetForm.test(part) && Number(part) <= 255)) return null;
  return parts.map(Number);
}

/** Groups of a part of an IPv6 address as bytes; the last of it may be a dotted IPv4 address. */
function readGroups(text: string): readonly number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 && group.includes('.') ? readIpv4(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (groupForm.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return null;
  }
  return bytes;
}

function readIpv6(text: string): readonly number[] | null {
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) return null;
  const before = readGroups(head);
  if (tail === undefined) return before?.length === 16 ? before : null;
  const after = readGroups(tail);
  // `::` stands for at least one group, and no dotted part may stand before it.
  if (before === null || after === null || head.includes('.') || before.length + after.length > 14) return null;
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after];
}

/** Bytes of an address as resolvers write it, 4 or 16; null for anything else, zone indices too. */
function readAddress(text: string): readonly number[] | null {
  return text.includes(':') ? readIpv6(text) : readIpv4(text);
}

function network(cidr: string): Network {
  const [address = '', bits] = cidr.split('/');
  const bytes = readAddress(address);
  if (bytes === null) throw new Error(`${cidr} is no network`);
  return [bytes, Number(bits)];
}

function isWithin(bytes: readonly number[], [base, bits]: Network): boolean {
  return bytes.length === base.length && base.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return kept === 0 || (byte >> (8 - kept)) === ((bytes[index] ?? 0) >> (8 - kept));
  });
}

/** What is not the open internet: IANA's special-purpose registries (RFC 6890), and what stands for IPv4 inside IPv6. */
const special: readonly Network[] = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24',
  '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  // Teredo, ORCHID, benchmarks and what else the IETF keeps; documentation; 6to4; documentation; AS112.
  '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '2620:4f:8000::/48',
].map(network);

/** All of IPv6 that is given out as unicast: mapped, compatible, NAT64, unique local, link-local and multicast are outside. */
const globalUnicast = network('2000::/3');
const loopback: readonly Network[] = ['127.0.0.0/8', '::1/128'].map(network);

/** Whether a resolved address is on the open internet (SS-02). What is not an address is not. */
export function isPublicAddress(text: string): boolean {
  const bytes = readAddress(text);
  if (bytes === null || special.some((range) => isWithin(bytes, range))) return false;
  return bytes.length === 4 || isWithin(bytes, globalUnicast);
}

/** Whether a resolved address is this machine itself. IPv4 in IPv6 clothes is not. */
export function isLoopbackAddress(text: string): boolean {
  const bytes = readAddress(text);
  return bytes !== null && loopback.some((range) => isWithin(bytes, range));
}
