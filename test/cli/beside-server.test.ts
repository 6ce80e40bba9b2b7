import { afterAll, beforeAll, expect, test } from 'bun:test';
import { basic, postForm, removeFolder, startServer, untilReady, type RunningServer } from '../helpers/server.ts';
import { assay, documentOf, type Document } from './assay.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer();
  await untilReady(server);
});
afterAll(async () => {
  await server.stop();
  removeFolder(server.data);
});

const json = async (args: readonly string[], stdin?: string): Promise<Document> =>
  documentOf(await assay([...args, '--json', '--data', server.data], stdin === undefined ? {} : { stdin }));

async function introspect(secret: string, token: string): Promise<readonly [status: number, active: unknown]> {
  const response = await postForm(`${server.url}/oauth2/introspect`, { token }, { Authorization: basic('svc', secret) });
  return [response.status, (await response.json() as Document)['active']];
}

test('INT-97 commands work beside a running server, which sees their effect on the next request', async () => {
  const secret = String((await json(['client', 'create', '--id', 'svc', '--scope', 'a']))['client_secret']);
  const issue = async (): Promise<string> => String((await json(['token', 'issue', '--client', 'svc']))['access_token']);
  const token = await issue();
  expect(await introspect(secret, token)).toEqual([200, true]);
  await json(['token', 'revoke', '-'], token);
  expect(await introspect(secret, token)).toEqual([200, false]);

  const kept = await issue();
  await json(['keys', 'rotate']);
  expect(await introspect(secret, kept)).toEqual([200, true]);
  const rotated = String((await json(['client', 'rotate-secret', 'svc', '--overlap', '0']))['client_secret']);
  expect(await introspect(secret, kept)).toEqual([401, undefined]);
  expect(await introspect(rotated, kept)).toEqual([200, true]);
  await json(['client', 'disable', 'svc']);
  expect(await introspect(rotated, kept)).toEqual([401, undefined]);
  await json(['client', 'enable', 'svc']);
  expect(await introspect(rotated, kept)).toEqual([200, false]);
});
