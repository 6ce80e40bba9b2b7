import { expect, test } from 'bun:test';
import { acceptsGzip } from '../../src/http/accept-encoding.ts';

for (const header of ['gzip', 'GZIP', 'x-gzip', 'gzip, deflate, br, zstd', 'br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip;q=0.001', 'gzip ; q=1', '*', 'identity, *;q=0.5']) {
  test(`HT-18 "${header}" takes gzip`, () => expect(acceptsGzip(header)).toBe(true));
}

for (const header of [null, '', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.000', 'gzip;q=x', '*;q=0', 'gzip;q=0, *', 'notgzip', 'gzipx']) {
  test(`HT-18 ${header === null ? 'no header' : `"${header}"`} does not`, () => expect(acceptsGzip(header)).toBe(false));
}
