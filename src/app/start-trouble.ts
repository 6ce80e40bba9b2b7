/** The server cannot start; the message says why and what to do. */
export class StartTrouble extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartTrouble';
  }
}

/** Why listening failed, in words. @param address `host:port` @param flag what chooses another one */
export function listenTrouble(address: string, flag: string, error: unknown): StartTrouble {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return new StartTrouble(code === 'EADDRINUSE'
    ? `${address} is taken by another program: stop it, or choose another ${flag}`
    : `cannot listen on ${address}: ${error instanceof Error ? error.message : 'unknown reason'}`);
}
