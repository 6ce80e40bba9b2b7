import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { listenTrouble, StartTrouble } from './start-trouble.ts';

/** The outer wall: a body beyond it never reaches us (bytes). Our reader refuses far smaller ones with an answer. */
const MAX_REQUEST_BODY = 1_048_576;
/** A connection without traffic is closed after so long (seconds). */
const IDLE_TIMEOUT_S = 30;

/** A certificate with its chain, and its key: PEM. */
export type Tls = { readonly cert: string; readonly key: string };

/** Answers requests. */
export type Answering = (request: Request, server: Bun.Server<undefined>) => Promise<Response> | Response;

/** The TLS files of a start; null: there are none. @throws StartTrouble also where they cannot be served */
export function readServableTls(settings: Pick<Settings, 'tlsCert' | 'tlsKey'>): Tls | null {
  const tls = readTls(settings);
  const fault = tls === null ? null : findTlsFault(tls);
  if (fault !== null) throw new StartTrouble(`${settings.tlsCert} and ${settings.tlsKey} cannot be served: ${fault}`);
  return tls;
}

/** The TLS files as they are now; null: there are none. @throws StartTrouble */
export function readTls(settings: Pick<Settings, 'tlsCert' | 'tlsKey'>): Tls | null {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === null && tlsKey === null) return null;
  if (tlsCert === null || tlsKey === null) throw new StartTrouble('--tls-cert and --tls-key belong together: give both');
  try {
    return { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
  } catch (error) {
    throw new StartTrouble(`the TLS files cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

/** Why a certificate cannot be served; null: it can. An expired one can: whoever put it there is told otherwise. */
export function findTlsFault({ cert, key }: Tls): string | null {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? null : 'the key is not that of the certificate';
  } catch {
    return 'a PEM certificate and an unencrypted PEM private key are needed';
  }
}

type Place = { readonly host: string; readonly port: number };

function open({ host, port }: Place, tls: Tls | null, reusePort: boolean, fetch: Answering): Bun.Server<undefined> {
  return Bun.serve({
    hostname: host,
    port,
    maxRequestBodySize: MAX_REQUEST_BODY,
    idleTimeout: IDLE_TIMEOUT_S,
    development: false,
    // Outside of development Bun shares ports by default: two servers would answer in turn, and nobody would be told.
    reusePort,
    ...(tls !== null && { tls }),
    fetch,
    error: () => new Response('{"error":"server_error"}', { status: 500, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' } }),
  });
}

/**
 * Names a listener for the whole machine, until this process ends: of two servers that start at the same moment, and would
 * share a port, one is refused. Only Linux has such names; elsewhere looking whether the port is free has to do.
 */
function claim({ host, port }: Place): void {
  if (process.platform !== 'linux') return;
  Bun.listen({ unix: `\0assay-tls-${host}-${port}`, socket: { open: (socket) => void socket.end(), data: () => undefined } }).unref();
}

/**
 * Listens. With TLS the port can be shared by a later listener of this process, since the certificate of a listener never
 * changes; that nobody else has the port is made sure before. @throws StartTrouble
 */
export function listen(place: Place, tls: Tls | null, fetch: Answering): Bun.Server<undefined> {
  try {
    if (tls === null) return open(place, null, false, fetch);
    const alone = open(place, tls, false, fetch);
    const port = alone.port ?? place.port;
    void alone.stop(true);
    claim({ ...place, port });
    return open({ ...place, port }, tls, true, fetch);
  } catch (error) {
    throw listenTrouble(`${place.host}:${place.port}`, '--port', error);
  }
}

/** What a browser may take `localhost` for, where the machine has it. Another program there would get the demo's visitors. */
const OTHER_LOOPBACK = '::1';

/** The same at the other address of `localhost`, where the machine has one. @throws StartTrouble */
export async function listenBeside(first: Bun.Server<undefined>, settings: Place, tls: Tls | null, fetch: Answering): Promise<readonly Bun.Server<undefined>[]> {
  const beside = { ...settings, host: OTHER_LOOPBACK };
  try {
    await listen({ ...beside, port: 0 }, null, fetch).stop(true);
  } catch {
    return [first];
  }
  try {
    return [first, listen({ ...beside, port: first.port ?? settings.port }, tls, fetch)];
  } catch (error) {
    await first.stop(true);
    throw error;
  }
}

/** Another listener beside the one that is there, with another certificate. Throws the system's error. */
export function listenAgain(place: Place, tls: Tls, fetch: Answering): Bun.Server<undefined> {
  return open(place, tls, true, fetch);
}
