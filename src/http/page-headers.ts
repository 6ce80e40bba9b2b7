import type { ExtraHeaders } from './respond.ts';

/**
 * Headers of a page for people (UI-01, UI-02).
 * @param sources what beside nothing its content security policy allows: `style-src 'self'`, …
 * @param formAction where its forms may go, redirects of their answers included
 */
export function pageHeaders(sources: readonly string[], formAction: readonly string[] = ['\'none\'']): ExtraHeaders {
  return {
    'Content-Security-Policy': [
      'default-src \'none\'', ...sources, 'base-uri \'none\'', `form-action ${formAction.join(' ')}`, 'frame-ancestors \'none\'',
    ].join('; '),
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'Cache-Control': 'no-cache',
  };
}
