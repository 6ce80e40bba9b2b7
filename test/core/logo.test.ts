import { describe, expect, test } from 'bun:test';
import { MOST_LOGO_BYTES, readLogo } from '../../src/core/logo.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const svg = (inside: string, attributes = ''): string => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"${attributes}>${inside}</svg>`;
const png = Uint8Array.from([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0]);

describe('a tenant\'s picture', () => {
  test.each([
    ['comments before it', '<!---->'.repeat(6_000)], ['comments without an end', `${'<!---->'.repeat(6_000)}<!--`], ['declarations', `<svg >${'<?xml '.repeat(8_000)}`], ['a style that goes nowhere', `<svg >url(${' '.repeat(48_000)}#`],
    ['references without an end', `<svg >${'href="'.repeat(8_001)}`], ['beginnings of handlers', `<svg >${' ona'.repeat(12_000)}`], ['beginnings of elements', `<svg >${'< a.'.repeat(12_000)}`],
  ])('no drawing keeps the server busy: %s', (_name, drawing) => {
    const startedMs = performance.now();
    readLogo(bytes(drawing));
    expect(performance.now() - startedMs).toBeLessThan(100);
  });

  test.each([
    ['image/png', png], ['image/jpeg', Uint8Array.from([0xFF, 0xD8, 0xFF, 0xE0])], ['image/webp', Uint8Array.from([...bytes('RIFF'), 1, 2, 3, 4, ...bytes('WEBP')])], ['image/svg+xml', bytes(svg('<path d="M0 0"/>'))],
  ] as const)('%s is known by its content, and kept to the byte', (type, content) => {
    const reading = readLogo(content);
    expect(reading).toEqual({ ok: true, logo: { type, base64: Buffer.from(content).toString('base64') } });
  });

  test.each([
    ['a declaration and a comment before it', `<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn -->\n${svg('<g/>')}`],
    ['references within', svg('<defs><linearGradient id="a"/></defs><rect fill="url(#a)"/><use href="#a"/><use xlink:href=\'#a\'/>')],
    ['a picture written out', svg('<image href="data:image/png;base64,AAAA"/>')], ['styles', svg('<style>path{fill:url("#a")}</style>')], ['words', svg('<title>Only on Monday &amp; Tuesday</title>')],
  ])('a drawing may have %s', (_name, drawing) => {
    expect(readLogo(bytes(drawing))).toMatchObject({ ok: true });
  });

  test.each([
    ['a script', svg('<script>alert(1)</script>')], ['a script with a prefix', svg('<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>')], ['a script in capitals', svg('<SCRIPT/>')],
    ['foreign content', svg('<foreignObject><p/></foreignObject>')], ['a frame', svg('<iframe src="#"/>')], ['an event handler', svg('<g/>', ' onload="alert(1)"')],
    ['an event handler right behind a quote', svg('<g id="a"onclick=alert(1) />')], ['an event handler behind a slash', svg('<g/onclick=alert(1) >')], ['an animation that may set a reference', svg('<set attributeName="href" to="javascript:alert(1)"/>')],
    ['a script for a reference', svg('<a href="javascript:alert(1)"><g/></a>')], ['one in disguise', svg('<a href="java&#115;cript:alert(1)"><g/></a>')], ['a page for a reference', svg('<a href="data:text/html;base64,AAAA"/>')],
    ['a picture elsewhere', svg('<image href="https://evil.example/a.png"/>')], ['one without a scheme', svg('<image xlink:href=\'//evil.example/a.png\'/>')], ['a bare reference', svg('<image href=a.png />')],
    ['another base', svg('<g/>', ' xml:base="https://evil.example/"')], ['a style from elsewhere', svg('<style>@import "https://evil.example/a.css";</style>')],
    ['a fill from elsewhere', svg('<rect fill="url(https://evil.example/#a)"/>')], ['one in quotes', svg('<rect style=\'fill:url( "https://evil.example/#a")\'/>')], ['one in an escape', svg('<rect style="fill:\\75rl(https://evil.example)"/>')],
    ['image-set', svg('<style>svg{background:image-set("https://evil.example/a.png" 1x)}</style>')],
    ['entities', `<!DOCTYPE svg [<!ENTITY x "y">]>${svg('&x;')}`], ['a style sheet', `<?xml-stylesheet href="https://evil.example/a.css"?>${svg('')}`], ['another encoding', `<?xml version="1.0" encoding="utf-7"?>${svg('')}`],
  ])('not with %s', (_name, drawing) => {
    expect(readLogo(bytes(drawing))).toMatchObject({ ok: false });
  });

  test.each([
    ['nothing', new Uint8Array()], ['text', bytes('hello')], ['a page', bytes('<html><svg></svg></html>')], ['a GIF', bytes('GIF89a')], ['bytes', Uint8Array.from([0xFE, 0xFF, 0x00, 0x3C])],
    ['more than 64 KiB', Uint8Array.from([...png, ...new Uint8Array(MOST_LOGO_BYTES)])],
  ])('%s is none', (_name, content) => {
    expect(readLogo(content)).toMatchObject({ ok: false });
  });

  test('64 KiB are fine', () => {
    expect(readLogo(Uint8Array.from([...png, ...new Uint8Array(MOST_LOGO_BYTES - png.length)]))).toMatchObject({ ok: true });
  });
});
