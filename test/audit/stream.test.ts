import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { startAuditStream, type AuditSink } from '../../src/audit/stream.ts';
import { formatSyslog, openSyslog, parseSyslogTarget } from '../../src/audit/syslog.ts';
import type { AuditRow } from '../../src/core/operations-store.ts';
import { auditRowDocument } from '../../src/service/documents.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { anEvent } from '../storage/samples.ts';
import { openRig, type Rig } from '../service/rig.ts';

const MONOTONIC = (): number => performance.now();
const aRow = (changes: Partial<AuditRow> = {}): AuditRow => ({ ...anEvent({ reason: 'é "quoted"\n' }), number: 7, hash: 'h', ...changes });

async function until(what: string, is: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (is()) return;
    await Bun.sleep(10);
  }
  throw new Error(`never: ${what}`);
}

const failureOf = (sending: Promise<void>): Promise<unknown> => sending.then(() => null, (error: unknown) => error);

/** Messages of an octet-counted stream. */
function unframe(bytes: Buffer): readonly string[] {
  const messages: string[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const space = rest.indexOf(0x20);
    const length = Number(rest.subarray(0, space).toString());
    messages.push(rest.subarray(space + 1, space + 1 + length).toString());
    rest = rest.subarray(space + 1 + length);
  }
  return messages;
}

describe('LG-07 LG-08 syslog', () => {
  test('targets are read as the setting names them', () => {
    expect(parseSyslogTarget('syslog+udp://127.0.0.1:514')).toEqual({ kind: 'udp', host: '127.0.0.1', port: 514 });
    expect(parseSyslogTarget('syslog+tcp://[::1]:601')).toEqual({ kind: 'tcp', host: '::1', port: 601 });
    expect(parseSyslogTarget('syslog+unix:///dev/log')).toEqual({ kind: 'unix', path: '/dev/log' });
  });

  test('LG-03 a message is as RFC 5424 §6 has it: ASCII, one line, the outcome as its severity', () => {
    const row = aRow();
    const line = formatSyslog(row, auditRowDocument(row), 'höst name', 42);
    expect(line).toStartWith(`<110>1 ${new Date(row.timeMs).toISOString()} hstname assay 42 token_revoked - {"time":`);
    expect(line).toMatch(/^[\x20-\x7E]*$/);
    expect(JSON.parse(line.slice(line.indexOf('{')))).toEqual(auditRowDocument(row));
    expect(formatSyslog(aRow({ outcome: 'denied' }), {}, '', 1)).toStartWith('<109>1 ');
    expect(formatSyslog(aRow({ outcome: 'failure' }), {}, '', 1)).toMatch(/^<108>1 \S+ - assay 1 /);
  });

  test('over UDP one datagram is one event', async () => {
    const receiver = createSocket('udp4');
    const got: string[] = [];
    receiver.on('message', (message) => void got.push(message.toString()));
    await new Promise<void>((resolve) => void receiver.bind(0, '127.0.0.1', () => resolve()));
    const sink = openSyslog({ kind: 'udp', host: '127.0.0.1', port: receiver.address().port }, auditRowDocument, MONOTONIC);
    await sink.send([aRow(), aRow({ number: 8 })]);
    await until('both arrive', () => got.length === 2);
    expect(got.map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { number: number }).number)).toEqual([7, 8]);
    sink.close();
    receiver.close();
  });

  for (const kind of ['tcp', 'unix'] as const) {
    test(`over ${kind === 'tcp' ? 'TCP' : 'a local stream'} octets are counted; a connection that broke is made again`, async () => {
      const folder = temporaryFolder();
      let bytes = Buffer.alloc(0);
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on('data', (data: Buffer) => {
          bytes = Buffer.concat([bytes, data]);
        });
        socket.on('error', () => undefined);
      });
      const path = join(folder, 'log.sock');
      await new Promise<void>((resolve) => void (kind === 'tcp' ? server.listen(0, '127.0.0.1', () => resolve()) : server.listen(path, () => resolve())));
      const address = server.address();
      const target = kind === 'tcp' && typeof address === 'object' && address !== null ? { kind, host: '127.0.0.1', port: address.port } as const : { kind: 'unix', path } as const;
      const sink = openSyslog(target, auditRowDocument, MONOTONIC);
      await sink.send([aRow(), aRow({ number: 8, reason: '5 <110>1' })]);
      await until('both arrive', () => unframe(bytes).length === 2);
      bytes = Buffer.alloc(0);
      for (const socket of sockets) socket.destroy();
      await until('the end is noticed, and the next arrives', () => {
        sink.send([aRow({ number: 9 })]).catch(() => undefined);
        return bytes.includes('"number":9');
      });
      // What was handed over last may have been lost with the connection: it came again before it.
      await until('what may be lost comes too', () => unframe(bytes).length > 1);
      sink.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      const nobody = openSyslog(kind === 'tcp' ? { kind, host: '127.0.0.1', port: 1 } : { kind, path: join(folder, 'nobody') }, auditRowDocument, MONOTONIC);
      expect(await failureOf(nobody.send([aRow()]))).toBeInstanceOf(Error);
      removeFolder(folder);
    });
  }

  test.if(process.platform === 'linux')('a local socket of single messages, as /dev/log, gets one per event', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'log');
    const { dlopen, ptr } = await import('bun:ffi');
    const { symbols } = dlopen('libc.so.6', {
      socket: { args: ['int', 'int', 'int'], returns: 'int' }, bind: { args: ['int', 'ptr', 'u32'], returns: 'int' }, recv: { args: ['int', 'ptr', 'u64', 'int'], returns: 'i64' }, close: { args: ['int'], returns: 'int' },
    });
    const socket = symbols.socket(1, 2, 0);
    const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(`${path}\0`)]);
    expect(symbols.bind(socket, ptr(address), address.length)).toBe(0);
    const sink = openSyslog({ kind: 'unix', path }, auditRowDocument, MONOTONIC);
    await sink.send([aRow(), aRow({ number: 8 })]);
    for (const number of [7, 8]) {
      const room = Buffer.alloc(8192);
      const length = Number(symbols.recv(socket, ptr(room), room.length, 0x40));
      expect(room.subarray(0, length).toString()).toContain(`"number":${number},`);
    }
    // More than it takes: what does not fit waits, then fails, and nothing hangs.
    expect(await failureOf(sink.send(Array.from({ length: 2000 }, () => aRow())))).toMatchObject({ message: 'it takes nothing' });
    sink.close();
    symbols.close(socket);
    removeFolder(folder);
  });
});

describe('following the trail', () => {
  let rig: Rig;
  const told: { message: string; last: unknown }[] = [];
  beforeEach(() => {
    told.length = 0;
    rig = openRig({ log: { debug: () => undefined, info: () => undefined, error: () => undefined, warn: (message, fields) => void told.push({ message, last: fields?.['last'] }) } });
  });
  afterEach(() => rig.close());

  test('LG-07 every event from now on goes out in order, those that a receiver missed come again, and trouble is told once', async () => {
    await rig.ctx.store.recordAudit([anEvent({ reason: 'before' })]);
    const got: (string | null)[] = [];
    let down = true;
    let tries = 0;
    const sink: AuditSink = {
      send: (rows) => {
        tries += 1;
        if (down) return Promise.reject(new Error('away'));
        got.push(...rows.map(({ reason }) => reason));
        return Promise.resolve();
      },
      close: () => undefined,
    };
    const stream = await startAuditStream(rig.ctx, sink);
    await rig.ctx.store.recordAudit(Array.from({ length: 130 }, (_, index) => anEvent({ reason: `${index}` })));
    await until('it was tried', () => tries === 1);
    await Bun.sleep(600);
    // It waits longer each time, by the monotonic clock, which stands here.
    expect(tries).toBe(1);
    rig.clock.advance(1500);
    await until('it was tried again', () => tries === 2);
    expect(told.map(({ message }) => message)).toEqual(['audit events cannot be streamed; they wait in the database']);
    down = false;
    rig.clock.advance(3000);
    await until('all went out', () => got.length === 130);
    expect(got).toEqual(Array.from({ length: 130 }, (_, index) => `${index}`));
    await rig.ctx.store.recordAudit([anEvent({ reason: 'last' })]);
    await stream.stop();
    expect(got.at(-1)).toBe('last');
    expect(got).toHaveLength(131);
  });

  test('a receiver that hangs keeps nobody from writing or stopping, and is told of', async () => {
    const stream = await startAuditStream(rig.ctx, { send: () => new Promise(() => undefined), close: () => undefined });
    await rig.ctx.store.recordAudit([anEvent()]);
    await Bun.sleep(400);
    rig.clock.advance(20_000);
    await until('it is told', () => told.length === 1);
    expect(await rig.ctx.store.recordAudit([anEvent()])).toHaveLength(1);
    await stream.stop();
  });
});
