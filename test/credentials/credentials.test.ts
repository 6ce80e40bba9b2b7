import { describe, expect, test } from 'bun:test';
import { acrOf, joinAmr } from '../../src/core/acr.ts';
import { delayAfter, isForgotten } from '../../src/core/guess-delay.ts';
import { findPasswordFault } from '../../src/core/password-rules.ts';
import type { Amr } from '../../src/core/people.ts';
import { codeDigest, digitsFrom, readDigits, readRecoveryCode, recoveryCodeFrom } from '../../src/credentials/codes.ts';
import { isCommonPassword } from '../../src/credentials/common.ts';
import { deviceName } from '../../src/credentials/device.ts';
import { userHandleOf, wentBack } from '../../src/credentials/passkeys.ts';
import { describeEnrolment, findTotpStep } from '../../src/credentials/totp.ts';

describe('new passwords', () => {
  const rules = { minLength: 12, username: 'Grace.Hopper.Navy', email: 'rear-admiral@navy.example' };
  const rows = [
    ['eleven char', 'password_short'], ['twelve chars', null], ['', 'password_short'], ['💂'.repeat(11), 'password_short'], ['💂🏽🎺🐙🐈🛶🪁🧵🪐🌋🏔🚲', null],
    // Composed first: eleven letters, whatever was sent.
    ['e\u0301'.repeat(11), 'password_short'], ['aAaAaAaAaAaAa', 'password_common'], ['x y'.repeat(300), 'password_common'], ['Zx3 '.repeat(2) + 'qwert!Moon', null],
    ['correct horse battery', null], ['                    !', null], ['grace.hopper.navy', 'password_common'], ['GRACE.HOPPER.NAVY', 'password_common'],
    ['rear-admiral@navy.example', 'password_common'], ['rear-admiral', 'password_common'], ['\0'.repeat(6) + '\u202Eabcdef', null],
  ] as const;
  for (const [text, fault] of rows) {
    test(`UI-14, UI-15, UI-16 · ${JSON.stringify(text.slice(0, 30))} → ${String(fault)}`, () => expect(findPasswordFault(text, rules, isCommonPassword)).toBe(fault));
  }

  test('UI-14 · 1,024 bytes are allowed, one more is not; counted as they are hashed', () => {
    const text = Array.from({ length: 512 }, (_, index) => String.fromCodePoint(0x400 + index % 200)).join('');
    expect(findPasswordFault(text, rules, isCommonPassword)).toBeNull();
    expect(findPasswordFault(`${text}x`, rules, isCommonPassword)).toBe('password_long');
    expect(findPasswordFault('x'.repeat(1_000_000), rules, isCommonPassword)).toBe('password_long');
  });

  const common = [
    'password', 'PASSWORD', 'sunshine', '1qaz2wsx', 'passwordpassword', 'sunshinecomputer', 'password12345', '!!Sunshine2024', 'aaaaaaaaaaaa', 'abcabcabcabca', '1234567890123', 'zyxwvutsrqponm',
    'abcdefghijklm', '098765432109',
  ];
  for (const text of common) test(`UI-15 · ${text} is common`, () => expect(isCommonPassword(text)).toBe(true));
  for (const text of ['correct horse battery', 'elephants never forget', 'sunshine and computer rain', 'sunshine-9f3kq81', 'x']) {
    test(`UI-15 · ${text} is not`, () => expect(isCommonPassword(text)).toBe(false));
  }

  test('UI-15 · the list and what follows from it hold far more than 3,000 of the default length', async () => {
    const lines = (await Bun.file(new URL('../../src/credentials/common-passwords.txt', import.meta.url)).text()).trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(3000);
    const reached = lines.flatMap((line) => [line, `${line}1234`]).filter((text) => text.length >= 12 && isCommonPassword(text));
    expect(reached.length).toBeGreaterThan(3000);
  });
});

describe('delays', () => {
  const rows = [[0, 0], [4, 0], [5, 5], [6, 10], [7, 20], [8, 40], [9, 80], [10, 160], [11, 320], [12, 640], [13, 900], [1000, 900]] as const;
  for (const [failures, seconds] of rows) test(`UI-13 · ${failures} failures: ${seconds} s`, () => expect(delayAfter(failures, 1000, 1000)).toBe(seconds));
  test('UI-13 · it passes, rounded up, and all is forgotten after an hour', () => {
    expect(delayAfter(6, 0, 9_001)).toBe(1);
    expect(delayAfter(6, 0, 10_000)).toBe(0);
    expect(isForgotten(0, 3_599_999)).toBe(false);
    expect(isForgotten(0, 3_600_000)).toBe(true);
    expect(delayAfter(1000, 0, 3_600_000)).toBe(0);
  });
});

describe('how strongly somebody proved it', () => {
  const rows: readonly (readonly [readonly Amr[], string])[] = [
    [[], '1fa'], [['pwd'], '1fa'], [['email'], '1fa'], [['pwd', 'email'], '1fa'], [['otp'], '1fa'], [['otp', 'rc'], '1fa'], [['hwk'], '1fa'], [['user'], '1fa'], [['mfa'], '1fa'],
    [['pwd', 'otp'], 'mfa'], [['pwd', 'rc'], 'mfa'], [['email', 'otp'], 'mfa'], [['pwd', 'hwk'], 'mfa'], [['hwk', 'user'], 'phr'], [['swk', 'user'], 'phr'], [['pwd', 'swk', 'user'], 'phr'],
  ];
  for (const [amr, acr] of rows) test(`UI-26 · ${amr.join(' ') || 'nothing'} → ${acr}`, () => expect(acrOf(amr)).toBe(acr as never));
  test('RFC 8176 §2 · two steps together say mfa where they are two factors', () => {
    expect(joinAmr(['pwd'], ['otp'])).toEqual(['pwd', 'otp', 'mfa']);
    expect(joinAmr(['pwd', 'otp', 'mfa'], ['pwd'])).toEqual(['pwd', 'otp', 'mfa']);
    expect(joinAmr(['pwd'], ['email'])).toEqual(['pwd', 'email']);
  });
});

describe('codes', () => {
  test('eight digits out of random bytes, with leading zeros', () => {
    expect(digitsFrom(Buffer.alloc(8).toString('base64url'))).toBe('00000000');
    expect(digitsFrom(Buffer.from('0000000000000007', 'hex').toString('base64url'))).toBe('00000007');
    expect(digitsFrom(Buffer.alloc(8, 0xFF).toString('base64url'))).toBe('09551615');
  });
  const rows = [
    ['totp', '123456', '123456'], ['totp', ' 123 456 ', '123456'], ['totp', '123-456', '123456'], ['totp', '１２３４５６', '123456'], ['totp', '12345678', null],
    ['mail', '12345678', '12345678'], ['mail', '1234 5678', '12345678'], ['mail', '123456', null], ['mail', '123456789', null],
    ['totp', '12345', null], ['totp', '1234567', null], ['totp', '12345a', null], ['totp', '', null], ['totp', ' '.repeat(5000), null],
  ] as const;
  for (const [kind, text, digits] of rows) test(`read, ${kind}: ${JSON.stringify(text.slice(0, 20))}`, () => expect(readDigits(text, kind)).toBe(digits));
  test('CR-04 · a digest depends on the key, the proof and the code', () => {
    const digests = [codeDigest(Buffer.alloc(32), 'a', '1'), codeDigest(Buffer.alloc(32, 1), 'a', '1'), codeDigest(Buffer.alloc(32), 'b', '1'), codeDigest(Buffer.alloc(32), 'a', '2')];
    expect(new Set(digests).size).toBe(4);
  });
  test('UI-27 · recovery codes hold 80 bits, and are read as people write them', () => {
    expect(recoveryCodeFrom(Buffer.alloc(10).toString('base64url'))).toBe('0000-0000-0000-0000');
    expect(recoveryCodeFrom(Buffer.alloc(10, 0xFF).toString('base64url'))).toBe('ZZZZ-ZZZZ-ZZZZ-ZZZZ');
    expect(recoveryCodeFrom(Buffer.from('00443214c74254b635cf', 'hex').toString('base64url'))).toBe('0123-4567-89AB-CDEF');
    expect(readRecoveryCode('o123 4567 89ab-cdef')).toBe('0123456789ABCDEF');
    expect(readRecoveryCode('0I23-4567-89AB-CDEF')).toBe('0123456789ABCDEF');
    for (const text of ['', '0123-4567-89AB-CDE', '0123-4567-89AB-CDEU', 'x'.repeat(5000)]) expect(readRecoveryCode(text)).toBeNull();
  });
});

describe('authenticator codes', () => {
  // RFC 6238 appendix B, SHA-1, the last six digits.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const rows = [[59, '287082'], [1_111_111_109, '081804'], [1_234_567_890, '005924'], [20_000_000_000, '353130']] as const;
  for (const [second, code] of rows) {
    test(`RFC 6238 appendix B · at ${second} s`, () => {
      const step = Math.floor(second / 30);
      for (const away of [-1, 0, 1]) expect(findTotpStep(secret, code, (second + away * 30) * 1000)).toBe(step);
      for (const away of [-2, 2]) expect(findTotpStep(secret, code, (second + away * 30) * 1000)).toBeNull();
    });
  }
  test('an issuer with a colon cannot pretend to be another', () => {
    expect(describeEnrolment(secret, 'Bank: Acme', 'bob:eve').uri).toStartWith('otpauth://totp/Bank%20%20Acme:bob%20eve?issuer=Bank%20%20Acme&');
  });
});

describe('passkeys', () => {
  test('UI-23 · counters: zero counts nothing, standing still is going back', () => {
    expect([[0, 0], [0, 1], [1, 2], [5, 5], [5, 4], [5, 0]].map(([former = 0, presented = 0]) => wentBack(former, presented))).toEqual([false, false, false, true, true, true]);
  });
  test('a handle fits the 64 bytes there are and differs by tenant and user', () => {
    expect(Buffer.from(userHandleOf('ten_1', 'u'.repeat(255)), 'base64url').length).toBe(32);
    expect(new Set([userHandleOf('a', 'bc'), userHandleOf('ab', 'c'), userHandleOf('a', 'bd')]).size).toBe(3);
  });
});

describe('devices', () => {
  const rows = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1', 'Safari on iOS'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0', 'Microsoft Edge on Windows'],
    ['', null], [null, null], ['curl/8.5', null], ['<script>alert(1)</script>', null],
  ] as const;
  for (const [agent, name] of rows) test(`UI-18 · ${String(name)} ← ${String(agent).slice(0, 40)}`, () => expect(deviceName(agent)).toBe(name));
  test('a long one is cut, and answered at once', () => {
    const start = performance.now();
    deviceName('Mozilla/5.0 ('.repeat(100_000));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
