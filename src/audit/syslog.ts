import { createSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { asciiJsonLine } from '../core/json-line.ts';
import type { AuditRow } from '../core/operations-store.ts';
import { isoTime } from '../core/times.ts';
import type { AuditSink } from './stream.ts';
import { openLocalDatagrams } from './local-datagrams.ts';

/** Facility 13: log audit (RFC 5424 §6.2.1). */
const FACILITY = 13;
const severities: Readonly<Record<AuditRow['outcome'], number>> = { success: 6, denied: 5, failure: 4 };
/** A receiver that takes longer is as good as gone, milliseconds. */
const PATIENCE_MS = 10_000;
/** What was handed over so shortly before a connection broke may not have arrived, milliseconds. */
const DOUBTFUL_MS = 5_000;

/** A receiver of syslog messages, as the setting names it. */
export type SyslogTarget =
  | { readonly kind: 'udp' | 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Reads the setting, which was checked before. */
export function parseSyslogTarget(url: string): SyslogTarget {
  const path = /^syslog\+unix:\/\/(\/.+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const [, kind, host = '', port = ''] = /^syslog\+(udp|tcp):\/\/(?:\[?([^\]]+?)\]?):([0-9]+)$/i.exec(url) ?? [];
  return { kind: kind?.toLowerCase() === 'tcp' ? 'tcp' : 'udp', host, port: Number(port) };
}

/** What a message says: the event's document, in ASCII, so that it needs no mark of its encoding. */
export type DescribeEvent = (row: AuditRow) => object;

/** One message (RFC 5424 §6). Its id is the event's type. */
export function formatSyslog(row: AuditRow, document: object, host: string, pid: number): string {
  const name = host.replace(/[^\x21-\x7E]/g, '').slice(0, 255);
  return `<${FACILITY * 8 + severities[row.outcome]}>1 ${isoTime(row.timeMs)} ${name === '' ? '-' : name} assay ${pid} ${row.type.slice(0, 32)} - ${asciiJsonLine(document)}`;
}

/** Opens the way to a receiver; it connects at the first event. */
export function openSyslog(target: SyslogTarget, describe: DescribeEvent, nowMs: () => number): AuditSink {
  const host = hostname();
  const messageOf = (row: AuditRow): Buffer => Buffer.from(formatSyslog(row, describe(row), host, process.pid), 'latin1');
  const framed = (rows: readonly AuditRow[]): Buffer => Buffer.concat(rows.map((row) => {
    const message = messageOf(row);
    return Buffer.concat([Buffer.from(`${message.length} `, 'latin1'), message]);
  }));
  if (target.kind === 'unix') return overLocalSocket(target.path, messageOf, overStream(() => connect({ path: target.path }), framed, nowMs));
  if (target.kind === 'udp') return overUdp(target, messageOf);
  return overStream(() => connect({ host: target.host, port: target.port, keepAlive: true }), framed, nowMs);
}

function overUdp({ host, port }: { readonly host: string; readonly port: number }, messageOf: (row: AuditRow) => Buffer): AuditSink {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  // Whether anybody listens is not known over UDP.
  socket.on('error', () => undefined);
  socket.unref();
  return {
    async send(rows) {
      for (const row of rows) {
        await new Promise<void>((resolve, reject) => {
          socket.send(messageOf(row), port, host, (error) => {
            if (error === null) resolve();
            else reject(error);
          });
        });
      }
    },
    close: () => void socket.close(),
  };
}

/** Octet counting (RFC 6587 §3.4.1): no event can look like the end of another. */
function overStream(open: () => Socket, framed: (rows: readonly AuditRow[]) => Buffer, nowMs: () => number): AuditSink {
  let socket: Socket | null = null;
  /** What was handed over last, and when: nobody says that it arrived. */
  let last: { readonly bytes: Buffer; readonly atMs: number } | null = null;

  function connected(): Promise<Socket> {
    if (socket !== null) return Promise.resolve(socket);
    return new Promise((resolve, reject) => {
      const fresh = open();
      const timer = setTimeout(() => fresh.destroy(new Error('it does not answer')), PATIENCE_MS);
      fresh.once('connect', () => {
        clearTimeout(timer);
        socket = fresh;
        resolve(fresh);
      });
      fresh.on('error', reject);
      fresh.on('close', () => {
        clearTimeout(timer);
        if (socket === fresh) socket = null;
        reject(new Error('it closed the connection'));
      });
      // Receivers say nothing; whatever comes is thrown away.
      fresh.resume();
      fresh.unref();
    });
  }

  function write(to: Socket, bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => to.destroy(new Error('it takes nothing')), PATIENCE_MS);
      const settle = (error?: Error | null): void => {
        clearTimeout(timer);
        to.off('close', closed);
        if (error === undefined || error === null) resolve();
        else reject(error);
      };
      const closed = (): void => settle(new Error('it closed the connection'));
      to.once('close', closed);
      to.write(bytes, settle);
    });
  }

  return {
    async send(rows) {
      const isNew = socket === null;
      const to = await connected();
      const bytes = framed(rows);
      const again = isNew && last !== null && nowMs() - last.atMs < DOUBTFUL_MS ? last.bytes : Buffer.alloc(0);
      await write(to, Buffer.concat([again, bytes]));
      last = { bytes, atMs: nowMs() };
    },
    close: () => void (socket?.end()),
  };
}

/** A socket of this machine takes single messages, as `/dev/log` does, or a stream; nothing but trying tells. */
function overLocalSocket(path: string, messageOf: (row: AuditRow) => Buffer, stream: AuditSink): AuditSink {
  let datagrams: Awaited<ReturnType<typeof openLocalDatagrams>> = null;
  return {
    async send(rows) {
      datagrams ??= await openLocalDatagrams(path);
      if (datagrams === null || !(await datagrams.send(rows.map(messageOf)))) await stream.send(rows);
    },
    close() {
      datagrams?.close();
      stream.close();
    },
  };
}
