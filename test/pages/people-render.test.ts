/** What the pages for people say and how their forms are made (UI-09, UI-18, UI-29), read from the HTML alone. */
import { describe, expect, test } from 'bun:test';
import { choosePalettes, contrast, grounds } from '../../src/pages/palette.ts';
import { peopleStyle } from '../../src/pages/style.ts';
import { locales } from '../../src/pages/views.ts';
import { acme, nasty, nastySamples, samples } from './people-samples.ts';

/** A form as it stands in the page. */
type Form = { readonly action: string; readonly fields: ReadonlyMap<string, string>; readonly submits: readonly string[]; readonly hidden: boolean };

function readForms(html: string): readonly Form[] {
  const forms: { action: string; fields: Map<string, string>; submits: string[]; hidden: boolean }[] = [];
  new HTMLRewriter()
    .on('form', { element: (form) => { forms.push({ action: form.getAttribute('action') ?? '', fields: new Map(), submits: [], hidden: form.hasAttribute('hidden') }); } })
    .on('form input[name]', { element: (input) => { forms.at(-1)?.fields.set(input.getAttribute('name') ?? '', input.getAttribute('value') ?? ''); } })
    .on('form button', { element: (button) => { forms.at(-1)?.submits.push(`${button.getAttribute('name') ?? ''}=${button.getAttribute('value') ?? ''}`); } })
    .transform(html);
  return forms;
}

/** Every element with its attributes, and how often each element is there. */
function readElements(html: string): readonly { readonly tag: string; readonly attributes: ReadonlyMap<string, string> }[] {
  const elements: { tag: string; attributes: Map<string, string> }[] = [];
  new HTMLRewriter().on('*', { element: (element) => { elements.push({ tag: element.tagName, attributes: new Map(element.attributes) }); } }).transform(html);
  return elements;
}

const render = (wanted: string): string => samples().find(({ name }) => name === wanted)!.render(acme);

describe('every page in every language', () => {
  for (const locale of locales) {
    test(`UI-29 ${locale}: has its language, one title, one h1, and no text missing`, () => {
      for (const { name, render: renderSample } of samples()) {
        const html = renderSample({ ...acme, locale });
        const elements = readElements(html);
        const count = (tag: string): number => elements.filter((element) => element.tag === tag).length;
        expect([name, count('h1'), count('main'), count('title')]).toEqual([name, 1, 1, 1]);
        expect(html).toStartWith(`<!doctype html><html lang="${locale}">`);
        expect(html).toContain('<meta name="robots" content="noindex"/>');
        expect(html).toMatch(/<title>[^<]+ · Acme<\/title>/);
        const shown = html.replace(/<style>.*?<\/style>/s, '').replace(/<svg.*?<\/svg>/gs, '');
        expect([name, shown.match(/undefined|\[object|\bnull\b|\{\w+\}|NaN/)?.[0]]).toEqual([name, undefined]);
      }
    });
  }
});

describe('UI-18 what comes from outside stays text', () => {
  for (const { name, render: renderSample } of nastySamples()) {
    test(name, () => {
      const html = renderSample({ ...acme, brand: { ...acme.brand, name: nasty } });
      expect(html).not.toContain('<script>');
      // Only our own files, never one that the text brought along.
      expect(html.match(/<script/g)?.length ?? 0).toBe(html.match(/<script src="\/assets\/[\w.-]+" defer><\/script>/g)?.length ?? 0);
    });
  }
});

describe('UI-01 nothing that the policy would refuse', () => {
  for (const color of [null, '#0055ff']) {
    test(`one style, byte for byte, with the colour ${color}`, () => {
      for (const { render: renderSample } of samples()) {
        const html = renderSample({ ...acme, brand: { ...acme.brand, color } });
        expect(html.split('<style>').length).toBe(2);
        expect(html).toContain(`<style>${peopleStyle(color)}</style>`);
      }
    });
  }

  test('no style attributes, no handlers, no addresses of strangers', () => {
    for (const { name, render: renderSample } of samples()) {
      for (const { tag, attributes } of readElements(renderSample({ ...acme, brand: { ...acme.brand, logo: '/t/acme/logo' } }))) {
        const bad = [...attributes].filter(([key, value]) => key === 'style' || key.startsWith('on') || (key === 'src' && !value.startsWith('/')) || /^javascript:/i.test(value));
        expect([name, tag, bad]).toEqual([name, tag, []]);
        if (tag === 'link') expect(attributes.get('href')).toStartWith('data:image/svg+xml;base64,');
      }
    }
  });

  test('scripts only where passkeys are offered, and on the way back by form', () => {
    const scripts = (name: string): readonly string[] => readElements(render(name)).filter(({ tag }) => tag === 'script').map(({ attributes }) => attributes.get('src') ?? '');
    const passkeys = ['/assets/webauthn.js', '/assets/passkeys.js'];
    expect(scripts('sign-in')).toEqual(passkeys);
    expect(scripts('sign-in-account')).toEqual([]);
    expect(scripts('account-security')).toEqual(passkeys);
    expect(scripts('account-security-bare')).toEqual([]);
    expect(scripts('account')).toEqual([]);
    expect(scripts('consent')).toEqual([]);
    expect(scripts('form-post')).toEqual(['/assets/form-post.js']);
  });
});

describe('forms', () => {
  const firstForms: readonly (readonly [sample: string, step: string, fields: readonly string[], submit: string])[] = [
    ['sign-in', 'password', ['username', 'password'], '='],
    ['sign-in-again', 'password', ['username', 'password'], '='],
    ['sign-in-email', 'email', ['username'], '='],
    ['sign-in-passkey', 'passkey', ['credential', 'failure'], '='],
    ['email-code-sign_in', 'code', ['code'], '='],
    ['totp', 'totp', ['code'], '='],
    ['recovery', 'recovery', ['code'], '='],
    ['chooser', 'continue', [], '='],
    ['register', 'register', ['email', 'name', 'password'], '='],
    ['forgot', 'forgot', ['username'], '='],
    ['new-password', 'new_password', ['password', 'again'], '='],
    ['consent', 'consent', [], 'decision=allow'],
    ['consent-many', 'consent', ['org'], 'decision=allow'],
    ['magic-link', 'link', [], '='],
    ['magic-link-reset', 'link', [], '='],
    ['logout', 'logout', [], '='],
  ];
  for (const [name, step, fields, submit] of firstForms) {
    test(`UI-29 the first form of ${name} is the ordinary way on`, () => {
      const [form] = readForms(render(name));
      expect(form?.action).toBe('/t/acme/interaction/abc');
      expect([...form?.fields ?? []].filter(([field]) => field === 'step')).toEqual([['step', step]]);
      expect([...form?.fields.keys() ?? []]).toEqual(['csrf', 'step', ...fields]);
      expect(form?.submits[0]).toBe(submit);
    });
  }

  test('UI-09 every form proves that it is ours', () => {
    for (const { name, render: renderSample } of samples()) {
      for (const form of readForms(renderSample(acme))) {
        if (name === 'form-post') expect(form.fields).toEqual(new Map([['code', 'xyz'], ['state', 'xyz']]));
        else {
          expect([name, form.fields.get('csrf')]).toEqual([name, 'csrf-xyz']);
          expect([name, form.fields.get(name.startsWith('account') ? 'act' : 'step')]).toEqual([name, expect.stringMatching(/^[a-z_]+$/)]);
          if (name.startsWith('account')) expect(form.action).toBe('/t/acme/account');
          expect([name, form.submits.length > 0]).toEqual([name, true]);
        }
      }
    }
  });

  test('a stranger has no form on a link that belongs to another browser, and nobody one where there is no cancelling', () => {
    expect(readForms(render('magic-link-elsewhere'))).toEqual([]);
    expect(readForms(render('sign-in-account')).map(({ fields }) => fields.get('step'))).toEqual(['password']);
  });

  test('a page with nothing to type draws the focus on nothing', () => {
    const focused = samples().filter(({ render: renderSample }) => readElements(renderSample(acme)).some(({ tag, attributes }) => tag === 'button' && attributes.has('autofocus')));
    expect(focused).toEqual([]);
    for (const name of ['chooser', 'magic-link', 'logout']) expect(render(name)).not.toContain('autofocus');
  });

  test('a link of a mail says what it is for', () => {
    expect(render('magic-link')).toContain('<h1>Finish signing in</h1>');
    expect(render('magic-link-reset')).toContain('<h1>Reset your password</h1>');
    expect(render('magic-link-reset')).toContain('only if you asked for a new password yourself');
    expect(render('magic-link-elsewhere')).toContain('<h1>This link belongs to another browser</h1>');
  });

  test('who waits for a code can choose another way in', () => {
    for (const name of ['email-code-sign_in', 'email-code-register', 'email-code-reset']) expect(render(name)).toContain('<a href="/t/acme/sign-in">Back to sign-in</a>');
  });

  test('what only the script can fill is hidden until it runs', () => {
    expect(readForms(render('sign-in')).map(({ fields, hidden }) => [fields.get('step'), hidden])).toEqual([['password', false], ['passkey', true], ['email', false], ['cancel', false]]);
  });

  test('every input has a label, an autocomplete and, where it is wrong, its problem', () => {
    for (const { name, render: renderSample } of samples()) {
      const elements = readElements(renderSample(acme));
      const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
      expect([name, new Set(ids).size]).toEqual([name, ids.length]);
      for (const { attributes } of elements.filter(({ tag, attributes: own }) => tag === 'input' && !['hidden', 'checkbox', 'radio'].includes(own.get('type') ?? ''))) {
        expect(elements.some(({ tag, attributes: own }) => tag === 'label' && own.get('for') === attributes.get('id'))).toBe(true);
        expect(attributes.get('autocomplete')).toBeTruthy();
        for (const id of attributes.get('aria-describedby')?.split(' ') ?? []) expect([name, ids]).toEqual([name, expect.arrayContaining([id])]);
        if (attributes.get('aria-invalid') === 'true') expect(attributes.get('aria-describedby')).toContain('problem');
      }
    }
    const wrong = readElements(render('sign-in-wrong'));
    expect(wrong.filter(({ attributes }) => attributes.get('aria-invalid') === 'true').map(({ attributes }) => attributes.get('id'))).toEqual(['username', 'password']);
    expect(wrong.find(({ attributes }) => attributes.get('id') === 'problem')?.attributes.get('role')).toBe('alert');
  });

  test('autocomplete tells the browser what a field is', () => {
    const completions = (name: string): readonly string[] => readElements(render(name)).filter(({ tag, attributes }) => tag === 'input' && attributes.has('autocomplete')).map(({ attributes }) => attributes.get('autocomplete') ?? '');
    expect(completions('sign-in')).toEqual(['username webauthn', 'current-password', 'username']);
    expect(completions('register')).toEqual(['email', 'name', 'new-password']);
    expect(completions('totp')).toEqual(['one-time-code']);
    expect(completions('new-password')).toEqual(['username', 'new-password', 'new-password']);
  });

  test('waiting is said in words', () => {
    expect(render('sign-in-throttled')).toContain('Try again in 2 minutes.');
    expect(render('consent')).toContain('Access lasts for 30 days without asking again');
    expect(render('consent-many')).toContain('Access lasts until you sign out.');
    expect(render('account-sessions')).toMatch(/last seen <time [^>]+>just now<\/time>/);
  });
});

describe('colours', () => {
  test('contrast is WCAG\'s', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
    expect(contrast('#123456', '#123456')).toBe(1);
  });

  for (const color of [null, '#000000', '#ffffff', '#ffe600', '#0055ff', '#808080', '#ff0000', '#00ff00', '#767676', '#7f00ff', '#8a5a00']) {
    test(`${color} can be read in light and dark`, () => {
      const palettes = choosePalettes(color);
      for (const scheme of ['light', 'dark'] as const) {
        const { accent, fill, ink } = palettes[scheme];
        expect(contrast(fill, ink)).toBeGreaterThanOrEqual(4.5);
        for (const ground of grounds[scheme]) expect(contrast(accent, ground)).toBeGreaterThanOrEqual(4.5);
        if (color !== null) expect(fill).toBe(color);
      }
    });
  }

  test('what is not a colour is the house\'s own', () => {
    for (const color of ['red', '#fff', '#12345g', 'red;}</style>']) expect(peopleStyle(color)).toBe(peopleStyle(null));
    expect(peopleStyle('#0055ff')).not.toContain('</');
  });
});
