import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { findWebhookSecretFault } from '../../src/core/webhook-settings.ts';
import { makeWebhookSecret, webhookHeaders } from '../../src/tokens/webhook-signature.ts';

const random = { text: (bytes: number) => randomBytes(bytes).toString('base64url') };
const nowS = Math.floor(Date.now() / 1000);

test('Standard Webhooks · the specification\'s own example', () => {
  const headers = webhookHeaders(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}');
  expect(headers).toEqual({ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' });
});

test('CR-07 a secret that is made is new each time, and of the form that is taken', () => {
  const secrets = Array.from({ length: 50 }, () => makeWebhookSecret(random));
  expect([new Set(secrets).size, secrets.map(findWebhookSecretFault).filter((fault) => fault !== null)]).toEqual([50, []]);
});

test('while secrets rotate each of them verifies, and another one does not', () => {
  const [one, two, other] = [makeWebhookSecret(random), makeWebhookSecret(random), makeWebhookSecret(random)];
  const body = JSON.stringify({ type: 'user_created', text: 'Zoë €' });
  const headers = webhookHeaders([one, two], 'evt_1', nowS, body);
  for (const secret of [one, two]) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature found');
  for (const changed of [{ 'webhook-id': 'evt_2' }, { 'webhook-timestamp': String(nowS + 1) }]) expect(() => new Webhook(one).verify(body, { ...headers, ...changed })).toThrow('No matching signature found');
  expect(() => new Webhook(one).verify(`${body} `, headers)).toThrow('No matching signature found');
});
