/** Mails in plain text: what it is about, a code on a line of its own, and what to do if it was not them. */
import { formatDuration } from './times.ts';
import { makeTexts, type Texts } from './text.ts';
import type { Locale, MailContent, MailText } from './views.ts';

/** In: what it is about, the reader's language, whose mail it is, and the tenant's own wording. */
export function mailText(content: MailContent, locale: Locale, brandName: string, overrides: Readonly<Record<string, string>>): MailText {
  const t = makeTexts(locale, overrides);
  const brand = tame(brandName);
  const subject = content.kind === 'notice' ? t(`mail.notice.${content.notice}.subject`, { brand }) : t(`mail.${content.kind}.subject`, content.kind === 'invitation' ? { brand, organization: tame(content.organization) } : { brand });
  const paragraphs = [t('mail.hello'), ...writeBody(content, t, locale, brand)];
  return { subject, text: `${paragraphs.join('\n\n')}\n\n${brand}\n` };
}

function writeBody(content: MailContent, t: Texts, locale: Locale, brand: string): readonly string[] {
  switch (content.kind) {
    case 'sign_in_code': {
      const opening = content.client === null ? t('mail.sign_in_code.text', { brand }) : t('mail.sign_in_code.client', { brand, client: tame(content.client) });
      return [opening, ...codeLines(content.code, content.minutes, t, locale), ...linkLines(content.link, t), t('mail.sign_in_code.not_you')];
    }
    case 'reset_code':
      return [t('mail.reset_code.text', { brand }), ...codeLines(content.code, content.minutes, t, locale), ...linkLines(content.link, t), t('mail.reset_code.not_you')];
    case 'register_code':
    case 'verify_email':
      return [t(`mail.${content.kind}.text`, { brand }), ...codeLines(content.code, content.minutes, t, locale), t(`mail.${content.kind}.not_you`)];
    case 'register_exists':
      return [t('mail.register_exists.text', { brand }), content.link, t('mail.register_exists.not_you')];
    case 'invitation':
      return [
        t('mail.invitation.text', { brand, organization: tame(content.organization) }), content.link,
        t('mail.invitation.valid', { duration: formatDuration(locale, content.days * 86_400) }), t('mail.invitation.not_you'),
      ];
    case 'notice': {
      const where = [
        ...(content.device === null ? [] : [t('mail.notice.device', { device: tame(content.device) })]),
        ...(content.ip === null ? [] : [t('mail.notice.ip', { ip: tame(content.ip) })]),
      ];
      const notYou = content.notice === 'account_deleted' ? t('mail.notice.not_you.deleted', { brand }) : t('mail.notice.not_you');
      return [t(`mail.notice.${content.notice}.text`, { brand }), ...(where.length === 0 ? [] : [where.join('\n')]), notYou, content.link];
    }
  }
}

function codeLines(code: string, minutes: number, t: Texts, locale: Locale): readonly string[] {
  return [code, t('mail.valid', { duration: formatDuration(locale, minutes * 60) })];
}

function linkLines(link: string, t: Texts): readonly string[] {
  return [`${t('mail.link')}\n${link}`];
}

const longestName = 80;

/** A name from outside on one line, without characters that turn or hide others, and not endless. */
function tame(name: string): string {
  const line = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  const letters = Array.from(line);
  return letters.length > longestName ? `${letters.slice(0, longestName - 1).join('')}…` : line;
}
