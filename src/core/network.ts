/**
 * What addresses are counted by: themselves, but those of one IPv6 network, their first 64 bits, as one (RL-02).
 * @param ip null when it is not known
 */
export function networkOf(ip: string | null): string {
  if (ip === null || !ip.includes(':')) return ip ?? '';
  const [head = '', tail] = ip.split('::');
  const groups = head === '' ? [] : head.split(':');
  // What `::` leaves out are zeros, and they may belong to the network.
  if (tail !== undefined) groups.push(...Array.from({ length: 8 - groups.length - tail.split(':').length }, () => '0'), ...tail.split(':'));
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16)).join(':');
}
