/** @jsxImportSource preact */
/** Forms and what is in them. */
import type { ComponentChildren, VNode } from 'preact';
import { Icon } from './icons.tsx';
import type { Page } from './layout.tsx';
import { formatRetry } from './times.ts';
import type { FormTarget, Problem, StepView } from './views.ts';

/** Fields that a problem is about: they are marked, and point at its text. */
const faultyFields: Readonly<Record<Problem, readonly string[]>> = {
  wrong_credentials: ['username', 'password'],
  wrong_code: ['code'],
  code_expired: ['code'],
  too_many_attempts: [],
  busy: [],
  password_short: ['password'],
  password_long: ['password'],
  password_common: ['password'],
  password_mismatch: ['again'],
  password_same: ['password'],
  wrong_password: ['current'],
  email_invalid: ['email', 'username'],
  email_unchanged: ['email'],
  name_invalid: ['name'],
  passkey_failed: [],
  passkey_cancelled: [],
  choose_one: ['org'],
  last_way: [],
  name_mismatch: ['username'],
};

/** Says what went wrong; nothing where nothing did. */
export function Fault({ page, problem, retryAfterS = null }: { readonly page: Page; readonly problem: Problem | null; readonly retryAfterS?: number | null }): VNode | null {
  if (problem === null) return null;
  const text = problem === 'too_many_attempts' && retryAfterS !== null
    ? page.t('problem.retry', { when: formatRetry(page.chrome.locale, retryAfterS) })
    : page.t(`problem.${problem}`);
  return <div class="note bad" role="alert" id="problem"><Icon name="alert" /><span>{text}</span></div>;
}

/** A form of a sign-in step: where it goes, what proves that it is ours, and its name. */
export function StepForm({ target, step, label, children, ...rest }: { readonly target: FormTarget; readonly step: string; readonly class?: string; readonly label?: string; readonly children: ComponentChildren }): VNode {
  return (
    <form method="post" action={target.action} aria-label={label} {...rest}>
      <input type="hidden" name="csrf" value={target.csrf} />
      <input type="hidden" name="step" value={step} />
      {children}
    </form>
  );
}

export type FieldProps = {
  readonly name: string;
  readonly label: string;
  /** Where two fields of one page have the same name. */
  readonly id?: string;
  readonly type?: 'text' | 'email' | 'password';
  readonly autocomplete: string;
  readonly value?: string;
  readonly hint?: string;
  readonly problem: Problem | null;
  readonly autofocus?: boolean;
  readonly inputmode?: 'numeric' | 'email' | 'text';
  readonly class?: 'code' | 'words';
  readonly maxlength?: number;
  readonly optional?: boolean;
  /** Beside the label. */
  readonly beside?: VNode | null;
};

/** An input with its label, hint and fault. */
export function Field({ name, label, id = name, hint, problem, beside = null, optional = false, type = 'text', ...input }: FieldProps): VNode {
  const faulty = problem !== null && faultyFields[problem].includes(name);
  const described = [...(faulty ? ['problem'] : []), ...(hint === undefined ? [] : [`${id}-hint`])].join(' ');
  const verbatim = type === 'text' && input.autocomplete !== 'name' && input.autocomplete !== 'off';
  const attributes = {
    id, name, required: !optional, ...input,
    ...(verbatim ? { autocapitalize: 'none', spellcheck: false } as const : {}),
    ...(faulty ? { 'aria-invalid': 'true' } as const : {}),
    ...(described === '' ? {} : { 'aria-describedby': described }),
  };
  return (
    <div class="field">
      <div class="label"><label for={id}>{label}</label>{beside}</div>
      {type === 'password' ? <input type="password" {...attributes} /> : type === 'email' ? <input type="email" {...attributes} /> : <input type="text" {...attributes} />}
      {hint === undefined ? null : <p class="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

/** The field for digits that stand in an app or, with another label, came by mail. */
export function CodeField({ page, problem, label = page.t('field.code'), autofocus = false }: { readonly page: Page; readonly problem: Problem | null; readonly label?: string; readonly autofocus?: boolean }): VNode {
  return <Field name="code" label={label} autocomplete="one-time-code" inputmode="numeric" class="code" maxlength={12} problem={problem} autofocus={autofocus} />;
}

/** The field for a password that is to be. */
export function NewPasswordField({ page, minLength, problem, label, autofocus = false }: { readonly page: Page; readonly minLength: number; readonly problem: Problem | null; readonly label: string; readonly autofocus?: boolean }): VNode {
  return <Field name="password" label={label} type="password" autocomplete="new-password" hint={page.t('hint.password', { min: minLength })} problem={problem} autofocus={autofocus} />;
}

export type PasskeyFormProps = {
  readonly page: Page;
  readonly kind: 'get' | 'create';
  readonly action: string;
  readonly csrf: string;
  /** The hidden field that names the form. */
  readonly named: readonly [field: 'step' | 'act', value: string];
  /** For the browser, as JSON. */
  readonly options: string;
  readonly children: ComponentChildren;
};

/** A form that only the script can fill; hidden until it runs. */
export function PasskeyForm({ page: { t }, kind, action, csrf, named: [field, value], options, children }: PasskeyFormProps): VNode {
  return (
    <>
      <form
        method="post" action={action} hidden data-needs-passkeys data-passkey={kind} data-options={options}
        data-cancelled={t('problem.passkey_cancelled')} data-failed={t('problem.passkey_failed')} data-waiting={t('sign_in.passkey.waiting')}
      >
        <input type="hidden" name="csrf" value={csrf} />
        <input type="hidden" name={field} value={value} />
        <input type="hidden" name="credential" value="" />
        <input type="hidden" name="failure" value="" />
        {children}
        <p class="live" aria-live="polite" />
      </form>
      <noscript><p class="hint">{t('required_script')}</p></noscript>
    </>
  );
}

/** The way out of a sign-in, back to the application with an error. */
export function CancelForm({ page, view }: { readonly page: Page; readonly view: StepView }): VNode | null {
  if (!view.cancellable) return null;
  return <StepForm target={view} step="cancel"><button class="plain">{page.t('cancel')}</button></StepForm>;
}
