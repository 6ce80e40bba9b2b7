import { describe, expect, test } from 'bun:test';
import { findOutboundFault, mayCall, readOutboundTarget } from '../../src/core/outbound.ts';
import { isLoopbackAddress, isPublicAddress } from '../../src/core/special-address.ts';

describe('SS-02 addresses that are not the open internet', () => {
  test.each([
    ['this network', '0.0.0.0'], ['this network, within', '0.1.2.3'], ['private', '10.0.0.1'], ['private, the last', '10.255.255.255'],
    ['carrier-grade NAT, the first', '100.64.0.0'], ['carrier-grade NAT, the last', '100.127.255.255'], ['loopback', '127.0.0.1'], ['loopback, within', '127.255.0.9'],
    ['link-local, cloud metadata', '169.254.169.254'], ['private, 172', '172.16.0.1'], ['private, 172, the last', '172.31.255.255'],
    ['protocol assignments', '192.0.0.8'], ['documentation 1', '192.0.2.1'], ['AS112', '192.31.196.1'], ['AMT', '192.52.193.1'], ['6to4 relays', '192.88.99.1'],
    ['private, 192.168', '192.168.1.1'], ['AS112 direct', '192.175.48.1'], ['benchmarks', '198.19.255.255'], ['documentation 2', '198.51.100.7'], ['documentation 3', '203.0.113.7'],
    ['multicast', '224.0.0.1'], ['multicast, the last', '239.255.255.255'], ['reserved', '240.0.0.1'], ['broadcast', '255.255.255.255'],
    ['unspecified IPv6', '::'], ['loopback IPv6', '::1'], ['IPv4-compatible', '::8.8.8.8'], ['IPv4-compatible in hex', '::808:808'],
    ['IPv4-mapped public', '::ffff:8.8.8.8'], ['IPv4-mapped loopback', '::ffff:127.0.0.1'], ['IPv4-mapped in hex', '::ffff:7f00:1'], ['IPv4-translated', '::ffff:0:7f00:1'],
    ['NAT64', '64:ff9b::7f00:1'], ['NAT64, dotted', '64:ff9b::10.0.0.1'], ['NAT64, local', '64:ff9b:1::1'], ['discard', '100::1'],
    ['Teredo', '2001::1'], ['benchmarks IPv6', '2001:2::1'], ['ORCHIDv2', '2001:20::1'], ['the end of what the IETF keeps', '2001:1ff:ffff::1'], ['documentation IPv6', '2001:db8::1'],
    ['6to4 of a private one', '2002:a00:1::1'], ['documentation, the large one', '3fff::1'], ['AS112 IPv6', '2620:4f:8000::1'], ['segment routing', '5f00::1'],
    ['unique local', 'fc00::1'], ['unique local, fd', 'fd12:3456::1'], ['link-local IPv6', 'fe80::1'], ['site-local', 'fec0::1'], ['multicast IPv6', 'ff02::1'],
    ['beyond unicast', '4000::1'], ['with a zone', 'fe80::1%eth0'], ['with a zone, public', '2606:4700::1%1'],
    ['no address: a name', 'localhost'], ['no address: empty', ''], ['no address: octal', '0177.0.0.1'], ['no address: short', '127.1'], ['no address: a number', '2130706433'],
    ['no address: hex', '0x7f.0.0.1'], ['no address: two gaps', '2606::4700::1'], ['no address: nine groups', '1:2:3:4:5:6:7:8:9'], ['no address: seven groups', '2606:2:3:4:5:6:7'],
    ['no address: a gap for nothing', '2606:2:3:4:5:6:7:8::'], ['no address: dotted in front', '8.8.8.8::1'], ['no address: 256', '8.8.8.256'], ['no address: letters', '2606:g::1'],
  ])('%s: %s', (_what, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each([
    '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.1', '169.253.1.1', '172.15.255.255', '172.32.0.0',
    '192.0.1.1', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255',
    '2606:4700:4700::1111', '2001:4860:4860::8888', '2001:200::1', '2003::1', '2a00:1450:4001:82a::200e', '2606:4700:4700:0:0:0:0:1111', '3ffe::1', '2606:4700::8.8.8.8',
  ])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test('every IPv4 address is judged as plain arithmetic would', () => {
    const special = [[0, 8], [0x0A000000, 8], [0x64400000, 10], [0x7F000000, 8], [0xA9FE0000, 16], [0xAC100000, 12], [0xC0A80000, 16], [0xC6120000, 15], [0xE0000000, 3]] as const;
    for (let step = 0; step < 65_536; step += 1) {
      const number = step * 65_536 + 4_660;
      const inside = special.some(([base, bits]) => Math.floor(number / 2 ** (32 - bits)) === Math.floor(base / 2 ** (32 - bits)));
      expect([step, isPublicAddress([number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.'))]).toEqual([step, !inside]);
    }
  });

  test('loopback is 127.0.0.0/8 and ::1, in plain clothes', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1'].map(isLoopbackAddress)).toEqual([true, true, true, true]);
    expect(['::ffff:127.0.0.1', '126.0.0.1', '::2', '10.0.0.1', 'localhost'].map(isLoopbackAddress)).toEqual([false, false, false, false, false]);
  });
});

describe('SS-01, LO-15 URLs that others want to be called at', () => {
  test.each([
    ['plain', 'https://rp.example/logout', null],
    ['with a query', 'https://rp.example/logout?a=1', null],
    ['with the default port', 'https://rp.example:443/logout', null],
    ['a punycode host', 'https://xn--bcher-kva.example/', null],
    ['http', 'http://rp.example/logout', 'it must be https'],
    ['another port', 'https://rp.example:8443/logout', 'it must be on port 443'],
    ['a user name', 'https://user@rp.example/', 'it must not have a user name'],
    ['a password', 'https://:p@rp.example/', 'it must not have a user name'],
    ['a fragment', 'https://rp.example/#a', 'it must not have a fragment (#)'],
    ['an empty fragment', 'https://rp.example/#', 'it must not have a fragment (#)'],
    ['another scheme', 'ftp://rp.example/', 'it must be https://host…'],
    ['no slashes', 'https:rp.example', 'it must be https://host…'],
    ['backslashes', 'https:\\\\rp.example', 'it must be https://host…'],
    ['a file', 'file:///etc/passwd', 'it must be https://host…'],
    ['relative', '/logout', 'it is not an absolute URL'],
    ['a line end', 'https://rp.example/\n', 'it is not an absolute URL'],
    ['a letter beyond ASCII', 'https://b\u00FCcher.example/', 'it is not an absolute URL'],
    ['very long', `https://rp.example/${'a'.repeat(2048)}`, 'it is longer than 2048 characters'],
    ['only dots for a host', 'https://./', 'it has no host'],
    ['this machine over http', 'http://127.0.0.1:8081/', 'it must be https'],
    ['this machine on another port', 'https://localhost:8081/', 'it must be on port 443'],
  ])('%s', (_what, url, fault) => {
    expect(findOutboundFault(url, false)).toBe(fault);
  });

  test.each([
    ['http and a port', 'http://127.0.0.1:8081/l', null], ['by name', 'http://localhost:8081/', null], ['IPv6', 'http://[::1]:8081/', null], ['https and a port', 'https://localhost:8443/', null],
    ['another spelling of it', 'http://0x7f.1:8081/', null], ['not names under it', 'http://app.localhost:8081/', 'it must be https'], ['nor others of the network', 'http://127.0.0.2/', 'it must be https'],
    ['nor any other host over http', 'http://rp.example/', 'it must be https'], ['a mapped one', 'http://[::ffff:127.0.0.1]/', 'it must be https'], ['a dot at its end', 'http://localhost./', 'it must be https'],
  ])('SS-09 with the switch for loopback targets: %s', (_what, url, fault) => {
    expect(findOutboundFault(url, true)).toBe(fault);
  });

  test.each([
    ['0x7f.1', '127.0.0.1'], ['2130706433', '127.0.0.1'], ['127.1', '127.0.0.1'], ['0177.0.0.1', '127.0.0.1'], ['127.0.0.1.', '127.0.0.1'], ['[::ffff:10.0.0.1]', '::ffff:a00:1'], ['LOCALHOST', 'localhost'],
  ])('SS-06 the host %s is %s, and is judged as that', (host, hostname) => {
    const reading = readOutboundTarget(`https://${host}/`, false);
    if (!reading.ok) throw new Error(reading.fault);
    expect(reading.target.hostname).toBe(hostname);
    expect(mayCall(reading.target, hostname)).toBe(false);
  });

  test('SS-09 a loopback target may only be this machine, any other never', () => {
    const [home, away] = [readOutboundTarget('http://localhost:1/', true), readOutboundTarget('https://rp.example/', true)];
    if (!home.ok || !away.ok) throw new Error('unreadable');
    expect([mayCall(home.target, '127.0.0.1'), mayCall(home.target, '::1'), mayCall(home.target, '8.8.8.8'), mayCall(home.target, '10.0.0.1')]).toEqual([true, true, false, false]);
    expect([mayCall(away.target, '127.0.0.1'), mayCall(away.target, '::1'), mayCall(away.target, '8.8.8.8'), mayCall(away.target, '10.0.0.1')]).toEqual([false, false, true, false]);
  });
});
