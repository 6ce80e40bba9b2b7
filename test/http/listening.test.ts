import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { assayCommand, removeFolder, startServer, temporaryFolder } from '../helpers/server.ts';

test('a port has one server: the second start says so and ends, whoever has it', async () => {
  const first = await startServer();
  const data = temporaryFolder();
  const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', String(first.port)], { stdout: 'ignore', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '', HOME: data } });
  const said = await new Response(child.stderr).text();
  expect(await child.exited).toBe(1);
  expect(said).toContain('is taken by another program');
  await first.stop();
  removeFolder(first.data);
  removeFolder(data);
});

test('a reader of the log that goes away stops nothing', async () => {
  const data = temporaryFolder();
  const probe = createServer().listen(0, '127.0.0.1');
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => probe.close(resolve));
  const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', String(port)], {
    stdout: 'ignore', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '', HOME: data },
  });
  const reader = child.stderr.getReader();
  await reader.read();
  await reader.cancel();
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 200 && statuses.length < 20; attempt += 1) {
    const status = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { Host: '127.0.0.1', Connection: 'close' } }).then((answer) => answer.status, () => null);
    if (status === null) await Bun.sleep(20);
    else {
      // Each unknown Host is worth a line in the log, which nobody reads.
      await fetch(`http://127.0.0.1:${port}/`, { headers: { Host: `h${attempt}.example`, Connection: 'close' } }).then((answer) => statuses.push(answer.status), () => statuses.push(0));
    }
  }
  expect(statuses).toEqual(Array.from({ length: 20 }, () => 421));
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  removeFolder(data);
});

test('HT-21 SIGHUP ends nothing where there is no certificate to read again', async () => {
  const server = await startServer();
  try {
    process.kill(server.pid, 'SIGHUP');
    for (let attempt = 0; attempt < 500 && !server.logs().includes('nothing to read again'); attempt += 1) await Bun.sleep(10);
    expect(server.logs()).toContain('nothing to read again');
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  } finally {
    await server.stop();
    removeFolder(server.data);
  }
});
