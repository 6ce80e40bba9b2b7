import { describe, expect, test } from 'bun:test';
import { makeMeters } from '../../src/metrics/meters.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { Scrape } from './exposition.ts';

describe('metrics in the text format of Prometheus', () => {
  test('a counter, its help and its labels survive whatever they hold', async () => {
    const registry = new Registry();
    const counter = registry.counter('a_total', 'Back\\slash,\nand a new line.', ['label']);
    counter.of('quote " back \\ line \n end').value += 3;
    const text = await registry.exposition();
    expect(text).toBe('# HELP a_total Back\\\\slash,\\nand a new line.\n# TYPE a_total counter\na_total{label="quote \\" back \\\\ line \\n end"} 3\n');
    expect(new Scrape(text).value('a_total', { label: 'quote " back \\ line \n end' })).toBe(3);
  });

  test('a histogram\'s buckets are cumulative, end with +Inf, and hold what lies on their upper end', async () => {
    const registry = new Registry();
    const histogram = registry.histogram('wait_seconds', 'Waiting.', [0.1, 1], ['kind']);
    for (const value of [0.05, 0.1, 0.100001, 1, 7]) histogram.of('x').add(value);
    const text = await registry.exposition();
    expect(text.split('\n').filter((line) => line.startsWith('wait'))).toEqual([
      'wait_seconds_bucket{kind="x",le="0.1"} 2', 'wait_seconds_bucket{kind="x",le="1"} 4', 'wait_seconds_bucket{kind="x",le="+Inf"} 5',
      `wait_seconds_sum{kind="x"} ${0.05 + 0.1 + 0.100001 + 1 + 7}`, 'wait_seconds_count{kind="x"} 5',
    ]);
    expect(new Scrape(text).families).toMatchObject([{ name: 'wait_seconds', type: 'HISTOGRAM', metrics: [{ buckets: { '0.1': '2', '1': '4', '+Inf': '5' } }] }]);
  });

  test('numbers that are none, or have no end, have their own words', async () => {
    const registry = new Registry();
    registry.read('gauge', { name: 'g', help: 'G.', labels: ['n'] }, () => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21].map((value, index) => ({ labels: [String(index)], value })));
    expect((await registry.exposition()).split('\n').slice(2, 6)).toEqual(['g{n="0"} NaN', 'g{n="1"} +Inf', 'g{n="2"} -Inf', 'g{n="3"} 1e+21']);
  });

  test('what cannot be read is left out, and takes nothing along', async () => {
    const registry = new Registry();
    registry.read('gauge', { name: 'broken', help: 'B.', labels: [] }, () => Promise.reject(new Error('disk')));
    registry.counter('fine_total', 'F.').of().value += 1;
    const scrape = new Scrape(await registry.exposition());
    expect(scrape.value('broken')).toBeUndefined();
    expect(scrape.value('fine_total')).toBe(1);
    expect(scrape.text).not.toContain('disk');
  });

  test('LG-01 however many labels come, a family stays bounded', async () => {
    const registry = new Registry();
    const counter = registry.counter('many_total', 'M.', ['a', 'b']);
    for (let index = 0; index < 5_000; index += 1) counter.of(`a${index}`, 'b').value += 1;
    const scrape = new Scrape(await registry.exposition());
    expect(scrape.samples).toBe(1_001);
    expect(scrape.value('many_total', { a: 'other', b: 'other' })).toBe(4_000);
    expect(counter.sum()).toBe(5_000);
  });

  test('two families cannot have one name', () => {
    const registry = new Registry();
    registry.counter('a_total', 'A.');
    expect(() => registry.counter('a_total', 'A.')).toThrow('two families are named a_total');
  });

  test('every counter ends in _total, every time in _seconds; nothing is told twice', async () => {
    const { registry } = makeMeters();
    const scrape = new Scrape(await registry.exposition());
    expect(scrape.families.length).toBe(registry.names().length);
    for (const { name, type, help } of scrape.families) {
      expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: type === 'COUNTER' });
      expect({ name, help: help.endsWith('.') }).toEqual({ name, help: true });
      if (type === 'HISTOGRAM') expect(name).toMatch(/_(?:seconds|operations)$/);
    }
  });
});

describe('meters', () => {
  test('a route\'s requests are counted by status and timed by class', async () => {
    const { metrics, registry, meanSeconds, totals } = makeMeters();
    const meter = metrics.route('token', 'root');
    meter.done(200, 4);
    meter.done(400, 1);
    meter.done(401, 1);
    meter.done(503, 90);
    metrics.route('none', 'none').count(404);
    metrics.route('jwks', 'realm').done(200, 1);
    const scrape = new Scrape(await registry.exposition());
    for (const status of ['200', '400', '401', '503']) expect(scrape.value('assay_http_requests_total', { endpoint: 'token', layout: 'root', status })).toBe(1);
    expect(scrape.value('assay_http_request_duration_seconds', { endpoint: 'token', outcome: '4xx' })).toBe(2);
    expect(scrape.value('assay_http_request_duration_seconds', { endpoint: 'none' })).toBeUndefined();
    expect(meanSeconds('token')).toBeCloseTo(0.024, 9);
    expect(meanSeconds('introspect')).toBeNull();
    expect(totals()).toMatchObject({ requests: 6, refused: 3, errors: 1 });
  });

  test('what was counted is what minutes are told of', () => {
    const { metrics, totals } = makeMeters();
    metrics.introspected('active');
    metrics.introspected('expired');
    metrics.introspected('policy');
    metrics.introspectionRecorded('denied');
    metrics.introspectionRecorded('would_deny');
    metrics.issued('refresh_token', 'jwt');
    metrics.issued('operator', 'opaque');
    metrics.revoked('revoked');
    metrics.revoked('unknown');
    metrics.signedIn(['pwd', 'otp']);
    metrics.signInFailed('wrong_password');
    expect(totals()).toEqual({
      requests: 0, introspections: 3, active: 1, inactive: 2, denied: 1, tokens_issued: 2, revocations: 1, sign_ins: 1, sign_ins_failed: 1, errors: 0, refused: 0,
    });
  });

  test('LG-01 methods of a sign-in are of a closed set, in one order', async () => {
    const { metrics, registry } = makeMeters();
    metrics.signedIn(['otp', 'pwd']);
    metrics.signedIn(['pwd', 'otp']);
    metrics.signedIn(['pwd', 'whatever somebody typed']);
    const scrape = new Scrape(await registry.exposition());
    expect(scrape.labelValues('assay_sign_ins_total', 'methods')).toEqual(['otp pwd', 'pwd']);
    expect(scrape.value('assay_sign_ins_total', { methods: 'otp pwd' })).toBe(2);
  });
});
