/** Single messages to a socket of this machine: what `/dev/log` takes. Neither Node's API nor Bun's offers them, Linux does. */

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Neither waits nor raises a signal. */
const FLAGS = 0x40 | 0x40_00;
/** Room for a path in `sockaddr_un`, its end included. */
const PATH_BYTES = 108;
/** A receiver that is behind gets so many chances, and so long between them (milliseconds). */
const CHANCES = 50;
const CHANCE_MS = 10;

const libraries = ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`];

/** A way to a local socket. */
export type LocalDatagrams = {
  /** @returns false when nothing of it was taken: there is none that takes messages. @throws Error when only the rest was not */
  readonly send: (messages: readonly Uint8Array[]) => Promise<boolean>;
  readonly close: () => void;
};

/** @returns null where there is no such thing: on another system, or with a longer path */
export async function openLocalDatagrams(path: string): Promise<LocalDatagrams | null> {
  const name = Buffer.from(path, 'utf8');
  if (process.platform !== 'linux' || name.length >= PATH_BYTES) return null;
  const { dlopen, ptr } = await import('bun:ffi');
  const open = (library: string) => dlopen(library, {
    socket: { args: ['int', 'int', 'int'], returns: 'int' },
    sendto: { args: ['int', 'ptr', 'u64', 'int', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['int'], returns: 'int' },
  });
  let system: ReturnType<typeof open> | null = null;
  for (const library of libraries) {
    try {
      system ??= open(library);
    } catch {
      // The other kind of Linux.
    }
  }
  if (system === null) return null;
  const { symbols } = system;
  const socket = symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (socket < 0) return null;
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  const sendOne = (message: Uint8Array): boolean => Number(symbols.sendto(socket, ptr(message), message.length, FLAGS, ptr(address), address.length)) === message.length;
  return {
    async send(messages) {
      for (const [index, message] of messages.entries()) {
        let taken = sendOne(message);
        if (!taken && index === 0) return false;
        for (let chance = 1; !taken && chance < CHANCES; chance += 1) {
          await Bun.sleep(CHANCE_MS);
          taken = sendOne(message);
        }
        if (!taken) throw new Error('it takes nothing');
      }
      return true;
    },
    close: () => void symbols.close(socket),
  };
}
