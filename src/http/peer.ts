import { BlockList, isIP } from 'node:net';
import type { RequestOrigin } from '../core/audit-event.ts';

/** The other end of the connection, as Bun tells it. */
export type Connection = { requestIP(request: Request): { readonly address: string } | null };

/** Which addresses are proxies of ours (HT-02). */
export type TrustedProxies = {
  /** Nobody is trusted: no forwarding header counts. */
  readonly none: boolean;
  has(address: string): boolean;
};

/**
 * Reads `--trust-proxy` values: addresses or CIDR ranges.
 * @returns null when one is neither
 */
export function parseTrustedProxies(ranges: readonly string[]): TrustedProxies | null {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits, more] = range.split('/');
    const version = isIP(address);
    const limit = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? limit : Number(bits);
    if (version === 0 || more !== undefined || !/^[0-9]{1,3}$/.test(bits ?? '0') || prefix > limit) return null;
    list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return {
    none: ranges.length === 0,
    has: (address) => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
  };
}

/** IPv4 arrives in IPv6 clothes. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Who sent a request. Looked up only when somebody asks, which most requests never do. */
export class Peer implements RequestOrigin {
  readonly requestId: string;
  readonly #request: Request;
  readonly #connection: Connection | null;
  readonly #proxies: TrustedProxies;
  #address: string | null | undefined;

  constructor(request: Request, requestId: string, connection: Connection | null, proxies: TrustedProxies) {
    this.#request = request;
    this.requestId = requestId;
    this.#connection = connection;
    this.#proxies = proxies;
  }

  /** Address of the direct connection. */
  get #direct(): string | null {
    const address = this.#connection?.requestIP(this.#request)?.address;
    return address === undefined ? null : plainAddress(address);
  }

  /** Whether the direct connection is from a proxy of ours, whose forwarding headers count. */
  get trusted(): boolean {
    const direct = this.#direct;
    return direct !== null && this.#proxies.has(direct);
  }

  /** The client's address: behind proxies of ours the right-most hop that is not one of them. */
  get ip(): string | null {
    this.#address ??= this.#find();
    return this.#address;
  }

  #find(): string | null {
    const direct = this.#direct;
    if (direct === null || !this.#proxies.has(direct)) return direct;
    const hops = (this.#request.headers.get('x-forwarded-for') ?? '').split(',').map((hop) => plainAddress(hop.trim()));
    let nearest = direct;
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) return nearest;
      nearest = hop;
      if (!this.#proxies.has(hop)) return hop;
    }
    return nearest;
  }
}
