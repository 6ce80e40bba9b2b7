import { X509Certificate } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import type { Log } from '../core/ports.ts';
import { socketDescriptors, steerToNewest } from './steer.ts';
import { findTlsFault, listenAgain, readTls, type Answering, type Tls } from './listen.ts';

/** How often the files are looked at, milliseconds. */
const LOOK_EVERY_MS = 60_000;

/**
 * A listener that gives way goes on for so long, milliseconds, and asks each connection to end after its answer: when it
 * stops, none is left that waits for its next request, which would be cut off. New ones go to the new listener where the
 * system can be told so; elsewhere both take their part meanwhile.
 */
const LEAVING_MS = 5_000;

/** Listeners of this process, whose certificate follows its files. */
export type FollowedTls = {
  /** Stops all of them, those included that only finish what they had. */
  stop(now: boolean): Promise<unknown>;
  /** Looks at the files now. */
  look(): void;
  /** Looks no more. */
  end(): void;
};

/** What it works with. */
export type Following = {
  readonly settings: Pick<Settings, 'tlsCert' | 'tlsKey' | 'host' | 'port'>;
  /** The listener that is there. */
  readonly server: Bun.Server<undefined>;
  readonly tls: Tls;
  readonly fetch: Answering;
  readonly log: Log;
  readonly everyMs?: number;
  readonly leavingMs?: number;
};

/** The same answer, after which the connection ends. */
function asLast(answer: Response): Response {
  answer.headers.set('Connection', 'close');
  return answer;
}

/** Until when a certificate is good, as its own words say. */
function validTo({ cert }: Tls): string {
  return new X509Certificate(cert).validTo;
}

/**
 * Serves a new certificate when its files changed: looked at every minute, and on SIGHUP. A second listener takes new
 * connections beside the first, which gives way within seconds and finishes what it has. A new certificate that cannot be
 * served is told, once, and the former one goes on.
 */
export function followTls({ settings, server: first, tls, fetch, log, everyMs = LOOK_EVERY_MS, leavingMs = LEAVING_MS }: Following): FollowedTls {
  let served = tls;
  let current = first;
  let refused: Tls | null = null;
  const leaving = new Set<Bun.Server<undefined>>();

  function refuse(reason: string, files: Tls | null): void {
    const known = files === null ? refused?.cert === '' : refused?.cert === files.cert && refused.key === files.key;
    refused = files ?? { cert: '', key: '' };
    if (!known) log.error('the new TLS certificate cannot be used; the former one goes on', { reason, valid_to: validTo(served), fix: 'put the certificate with its chain, and its key, where --tls-cert and --tls-key say; they are looked at every minute and on SIGHUP' });
  }

  function readFiles(): Tls | null {
    try {
      return readTls(settings);
    } catch (error) {
      refuse(error instanceof Error ? error.message : 'the files cannot be read', null);
      return null;
    }
  }

  function retire(server: Bun.Server<undefined>): void {
    leaving.add(server);
    const gone = (): boolean => leaving.delete(server);
    server.reload({ fetch: async (request, connection) => asLast(await fetch(request, connection)) });
    const timer = setTimeout(() => void server.stop(false).then(gone, gone), leavingMs);
    timer.unref();
  }

  function look(): void {
    const files = readFiles();
    if (files === null || (files.cert === served.cert && files.key === served.key)) return;
    const fault = findTlsFault(files);
    if (fault !== null) return refuse(fault, files);
    try {
      const before = socketDescriptors();
      const next = listenAgain({ host: settings.host, port: current.port ?? settings.port }, files, fetch);
      steerToNewest(socketDescriptors().difference(before), leaving.size + 1);
      retire(current);
      current = next;
      served = files;
      refused = null;
      log.info('TLS certificate replaced', { valid_to: validTo(files) });
    } catch (error) {
      refuse(error instanceof Error ? error.message : 'it cannot be listened with', files);
    }
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  process.on('SIGHUP', look);
  return {
    look,
    end: () => {
      clearInterval(timer);
      process.off('SIGHUP', look);
    },
    stop: (now) => Promise.all([current, ...leaving].map((server) => server.stop(now))),
  };
}
