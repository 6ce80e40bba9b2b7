/** What src/http relies on in Elysia, and what it works around. */
import { afterEach, describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import { bodyOf, listen, requestOf, type Listening } from './raw.ts';

const at = (path: string): string => `http://localhost${path}`;
const form = (body: string, type = 'application/x-www-form-urlencoded'): RequestInit => ({ method: 'POST', body, headers: { 'Content-Type': type } });

let listening: Listening | null = null;
afterEach(async () => {
  await listening?.stop();
  listening = null;
});
function serve(app: { fetch(request: Request): Response | Promise<Response> }): Listening {
  listening = listen((request) => app.fetch(request));
  return listening;
}

// src/http/app.ts hands what the gate found out to the handlers through `onRequest`, in a variable that the next request overwrites.
describe('the way from the gate to a handler', () => {
  test('onRequest may put onto the context what handlers and onError get, and fetch runs it before it returns', async () => {
    let arriving = 'nobody';
    let ran = 0;
    const app = new Elysia({ aot: true })
      .decorate('arrival', '')
      .onRequest((context) => {
        ran += 1;
        context.arrival = arriving;
      })
      .onError(({ arrival, code }) => new Response(`${arrival} ${code}`))
      .post('/who', async ({ arrival }) => {
        await Bun.sleep(5);
        return arrival;
      }, { parse: 'none' })
      .compile();
    const answers: Promise<Response>[] = [];
    for (const name of ['a', 'b', 'c']) {
      arriving = name;
      const before = ran;
      answers.push(Promise.resolve(app.fetch(new Request(at(name === 'c' ? '/missing' : '/who'), form('x=1')))));
      expect(ran).toBe(before + 1);
    }
    arriving = 'too late';
    expect(await Promise.all((await Promise.all(answers)).map((answer) => answer.text()))).toEqual(['a', 'b', 'c NOT_FOUND']);
  });

  test('with `parse: none` the body is untouched', async () => {
    const app = new Elysia().post('/x', async ({ request, body }) => [body === undefined, await request.text()], { parse: 'none' });
    expect(await (await app.handle(new Request(at('/x'), form('a=1&a=%zz')))).json()).toEqual([true, 'a=1&a=%zz']);
  });

  test('a returned Response goes out as it is', async () => {
    const app = new Elysia().get('/x', () => new Response('{}', { status: 418, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } }));
    const answer = await app.handle(new Request(at('/x')));
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control'), await answer.text()]).toEqual([418, 'application/json', 'no-store', '{}']);
  });
});

// Handlers are compiled from their source text: so heads are destructured flatly, and the executable is not mangled.
test('trap 1: a handler is given what its source text names', async () => {
  const named = new Elysia().get('/:x', ({ headers, params }) => [typeof headers, typeof params]);
  expect(await (await named.handle(new Request(at('/1')))).json()).toEqual(['object', 'object']);
  const unnamed = new Elysia().get('/:x', Object.assign((context: object) => Object.keys(context), { toString: () => '(context) => 1' }));
  expect(await (await unnamed.handle(new Request(at('/1')))).json()).not.toContain('headers');
});

// So Host is judged before anything is routed (src/http/gate.ts).
describe('traps 2 and 22: routing is wrong where the Host is short or broken', () => {
  const app = new Elysia().post('/oauth2/introspect', () => 'introspect').get('/healthz', () => 'health');

  test('trap 2: a very short Host shifts the path', async () => {
    expect(bodyOf(await serve(app).send(requestOf('POST /zz/oauth2/introspect HTTP/1.1', 'Host: a', 'Content-Length: 0')))).toBe('introspect');
  });

  test.each([['none, as HTTP/1.0 allows', 'HTTP/1.0', []], ['one with a space', 'HTTP/1.1', ['Host: a b']], ['one with a user', 'HTTP/1.1', ['Host: u@h']]])('trap 22: with %s another path is routed', async (_what, version, head) => {
    expect(bodyOf(await serve(app).send(requestOf(`GET /oauth2/introspect/healthz ${version}`, ...head)))).toBe('health');
  });
});

// So onError returns a Response, and chooses by code.
test('trap 3: `status()` in onError turns the second 404 into 200', async () => {
  const app = new Elysia().onError(({ error, status }) => status(Reflect.get(error, 'status') as 404)).get('/', () => 'x');
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1) statuses.push((await app.handle(new Request(at('/missing')))).status);
  expect(statuses[0]).toBe(404);
  expect(statuses.slice(1)).toEqual([200, 200]);
});

// So src/http/form.ts reads queries and forms itself.
describe('traps 4 and 5: what the framework makes of queries and forms', () => {
  const app = new Elysia().get('/q', ({ query }) => query).post('/f', ({ body }) => body as object);
  const parse = async (body: string, type?: string): Promise<unknown> => {
    const answer = await app.handle(new Request(at('/f'), form(body, type)));
    return answer.status === 200 ? JSON.parse(await answer.text() || 'null') : answer.status;
  };

  test('trap 4: of a repeated query parameter the last counts', async () => {
    expect(await (await app.handle(new Request(at('/q?token=a&token=b')))).json()).toEqual({ token: 'b' });
  });

  test('trap 4: a repeated form field becomes a list', async () => {
    expect(await parse('token=a&token=b')).toEqual({ token: ['a', 'b'] });
  });

  test('trap 5: any type that begins alike is parsed as a form', async () => {
    expect(await parse('token=a', 'application/xyz')).toEqual({ token: 'a' });
  });

  test('trap 5: JSON is accepted on a form\'s route', async () => {
    expect(await parse('{"token":"a"}', 'application/json')).toEqual({ token: 'a' });
  });

  test('trap 5: a broken escape is kept as text', async () => {
    expect(await parse('token=%zz')).toEqual({ token: '%zz' });
  });

  test('trap 5: the letter case of the type matters', async () => {
    expect(await parse('token=a', 'Application/X-WWW-Form-Urlencoded')).not.toEqual({ token: 'a' });
  });
});

// So schemas describe and type, and our own reader holds requests to them.
describe('trap 6: what goes wrong is told to the caller', () => {
  test('a failed schema answers 422 and echoes the secret', async () => {
    const app = new Elysia({ normalize: false }).post('/x', () => 'x', { body: t.Object({ token: t.String() }) });
    const answer = await app.handle(new Request(at('/x'), form('client_secret=hush')));
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('hush');
  });

  test('an exception sends its message', async () => {
    const app = new Elysia().get('/x', () => {
      throw new Error('database path');
    });
    const answer = await app.handle(new Request(at('/x')));
    expect([answer.status, await answer.text()]).toEqual([500, 'database path']);
  });
});

// So every path gets a route for all other methods.
describe('trap 8: methods', () => {
  test('a wrong method is not found', async () => {
    const app = new Elysia().post('/x', () => 'x');
    for (const method of ['GET', 'PUT', 'OPTIONS', 'HEAD']) expect((await app.handle(new Request(at('/x'), { method }))).status).toBe(404);
  });

  test('`all` answers what no route of its own answers, also when it was registered before', async () => {
    const app = new Elysia().all('/x', () => 'all').post('/x', () => 'post').all('/y', () => 'all');
    const ask = async (method: string, path = '/x') => (await app.handle(new Request(at(path), { method }))).text();
    expect(await Promise.all([ask('POST'), ask('GET'), ask('PUT'), ask('OPTIONS'), ask('DELETE', '/y')])).toEqual(['post', 'all', 'all', 'all', 'all']);
  });
});

// So hooks are registered before routes, and headers belong to the maker of responses (src/http/respond.ts).
describe('traps 9 to 11: hooks do not run where one would think', () => {
  test('trap 9: a hook is for routes registered after it', async () => {
    const app = new Elysia().get('/before', () => 'x').onBeforeHandle(() => new Response(null, { status: 401 })).get('/after', () => 'x');
    expect([(await app.handle(new Request(at('/before')))).status, (await app.handle(new Request(at('/after')))).status]).toEqual([200, 401]);
  });

  test('trap 10: onAfterHandle does not run on errors', async () => {
    let ran = 0;
    const app = new Elysia().onAfterHandle(() => {
      ran += 1;
    }).onError(() => new Response('error', { status: 500 })).get('/good', () => 'x').get('/bad', () => {
      throw new Error('x');
    });
    for (const path of ['/good', '/bad', '/missing']) await app.handle(new Request(at(path)));
    expect(ran).toBe(1);
  });

  test('trap 11: after the response `set.status` says nothing about a returned Response', async () => {
    const seen = Promise.withResolvers<unknown>();
    const app = new Elysia().onAfterResponse(({ set }) => seen.resolve(set.status)).get('/x', () => new Response(null, { status: 403 }));
    expect((await app.handle(new Request(at('/x')))).status).toBe(403);
    expect(await seen.promise).toBe(200);
  });
});

// So `strictPath`, one parameter name per position, and `compile()` at the start.
describe('trap 13: paths', () => {
  test('without `strictPath` a trailing slash is another spelling, with it none', async () => {
    const status = async (strictPath: boolean, path: string) => (await new Elysia({ strictPath }).get('/x', () => 'x').compile().handle(new Request(at(path)))).status;
    expect(await Promise.all([status(false, '/x/'), status(true, '/x/'), status(true, '/x'), status(true, '/X'), status(true, '//x')])).toEqual([200, 404, 200, 404, 404]);
  });

  test('two names for one position of the path go wrong when routes are put together', () => {
    expect(() => new Elysia().get('/t/:slug/a', () => 'a').get('/t/:id/b', () => 'b').compile().router.http.find('GET', '/t/x/b')).toThrow();
  });

  test('a parameter arrives decoded', async () => {
    const app = new Elysia().get('/t/:slug', ({ params }) => params.slug);
    expect(await (await app.handle(new Request(at('/t/%61cme')))).text()).toBe('acme');
  });
});
