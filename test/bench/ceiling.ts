/**
 * What the machine allows: a bare `Bun.serve` that reads the same form and answers the same bytes and headers.
 * Compiled like the product. Its answer comes in CEILING_ANSWER, JSON of { status, headers, body }.
 *
 * With `sign` as its argument it measures instead how many RS256 signatures one thread makes per second; with `hash`,
 * how many passwords are verified per second, with the parameters of src/keys/password.ts and as many at once as people
 * sign in at once.
 */
import { generateKeyPairSync, sign } from 'node:crypto';

type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly body: string };

const SIGN_MS = 1_000;
const HASH_MS = 3_000;
const HASHES_AT_ONCE = 16;

if (Bun.argv.at(-1) === 'sign') {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const data = Buffer.alloc(400, 'x');
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < SIGN_MS) {
    sign('sha256', data, privateKey);
    count += 1;
  }
  console.log(JSON.stringify({ perSecond: (count * 1000) / (performance.now() - began) }));
} else if (Bun.argv.at(-1) === 'hash') {
  const password = 'correct horse battery';
  const digest = await Bun.password.hash(password, { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 });
  const began = performance.now();
  let count = 0;
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, async () => {
    while (performance.now() - began < HASH_MS) {
      if (await Bun.password.verify(password, digest)) count += 1;
    }
  }));
  console.log(JSON.stringify({ perSecond: (count * 1000) / (performance.now() - began) }));
} else {
  const { status, headers, body } = JSON.parse(Bun.env['CEILING_ANSWER'] ?? '') as Answer;
  Bun.serve({
    hostname: '127.0.0.1',
    port: Number(Bun.env['CEILING_PORT']),
    development: false,
    async fetch(request) {
      const form = await request.text();
      return form.startsWith('token=') ? new Response(body, { status, headers }) : new Response(null, { status: 400 });
    },
  });
}
