import { dlopen, ptr } from 'bun:ffi';
import { readdirSync, readlinkSync } from 'node:fs';

const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** `return K` of classic BPF. */
const BPF_RETURN = 0x06;

/** Descriptors of this process's sockets; empty where the system does not tell. */
export function socketDescriptors(): ReadonlySet<number> {
  if (process.platform !== 'linux') return new Set();
  const found = new Set<number>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) found.add(Number(name));
    } catch {
      // It was the descriptor of the listing itself.
    }
  }
  return found;
}

function loadLibc(): ReturnType<typeof openLibc> | null {
  for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      return openLibc(name);
    } catch {
      // The other kind of Linux.
    }
  }
  return null;
}

function openLibc(name: string) {
  return dlopen(name, {
    setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
    getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  });
}

/**
 * Sends all new connections of a shared port to its newest listener (Linux: SO_ATTACH_REUSEPORT_CBPF, socket(7)). The other
 * ones keep what they have, and can stop once they have taken it: what the system had handed to a listener that stops would
 * be cut off.
 * @param candidates descriptors among which the newest listener is
 * @param position of the newest among the listeners of the port, from 0
 * @returns whether the system does so
 */
export function steerToNewest(candidates: Iterable<number>, position: number): boolean {
  const libc = loadLibc();
  if (libc === null) return false;
  try {
    // struct sock_filter { u16 code; u8 jt, jf; u32 k }, struct sock_fprog { u16 len; pad; sock_filter* }, on 64 bits.
    const filter = Buffer.alloc(8);
    filter.writeUInt16LE(BPF_RETURN, 0);
    filter.writeUInt32LE(position, 4);
    const program = Buffer.alloc(16);
    program.writeUInt16LE(1, 0);
    program.writeBigUInt64LE(BigInt(ptr(filter)), 8);
    for (const descriptor of candidates) {
      const listens = Buffer.alloc(4);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(4);
      if (libc.symbols.getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, ptr(listens), ptr(size)) !== 0 || listens.readInt32LE() !== 1) continue;
      return libc.symbols.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, ptr(program), 16) === 0;
    }
    return false;
  } finally {
    libc.close();
  }
}
