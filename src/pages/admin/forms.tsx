/** @jsxImportSource preact */
/** Lists, single things, forms and secrets: what is made from the table of resources. */
import type { VNode } from 'preact';
import { renderConsole } from './frame.tsx';
import { CopyButton, Facts, Filters, Group, Note, Table } from './values.tsx';
import type { Choice, FactGroup, FieldView, FilterView, FormView, Frame, SecretView, TableView } from './views.ts';

/** A list with what narrows it. */
export function renderList(frame: Frame, view: { readonly filter: FilterView; readonly table: TableView }): string {
  return renderConsole(frame, (
    <>
      <Filters view={view.filter} />
      <section class="box flush"><Table table={view.table} nowMs={frame.nowMs} /></section>
    </>
  ));
}

/** Whatever is made of groups of facts. */
export function renderGroups(frame: Frame, groups: readonly FactGroup[]): string {
  return renderConsole(frame, groups.map((group) => <Group key={group.title} group={group} nowMs={frame.nowMs} />));
}

/** A form: something new, a change, or the question whether it is meant. */
export function renderForm(frame: Frame, form: FormView): string {
  return renderConsole(frame, <section class="box"><Form form={form} /></section>);
}

/** A secret, this once. */
export function renderSecret(frame: Frame, view: SecretView): string {
  return renderConsole(frame, (
    <section class="box">
      <Note mood="warn" role="status"><p>This is the only time it is shown. Copy it now, to where secrets are kept.</p></Note>
      <div class="shown-once"><span class="label" id="shown">{view.label}</span><p class="copied"><code aria-labelledby="shown">{view.text}</code><CopyButton text={view.text} /></p></div>
      <Facts facts={view.facts} nowMs={frame.nowMs} />
      {view.warnings.length === 0 ? null : <Note mood="warn">{view.warnings.map((warning) => <p key={warning}>{warning}</p>)}</Note>}
      <p class="acts"><a class="button main" href={view.onHref}>{view.onText}</a></p>
    </section>
  ));
}

/** The form itself. */
export function Form({ form }: { readonly form: FormView }): VNode {
  return (
    <form method="post" action={form.action} class="form" novalidate>
      <input type="hidden" name="csrf" value={form.csrf} />
      {form.hidden.map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
      {form.problem === null ? null : <Note mood="bad" role="alert"><p>{form.problem}</p></Note>}
      {form.says.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {form.groups.map(({ title, fields }) => (title === null
        ? fields.map((field) => <Field key={field.name} field={field} />)
        : <fieldset key={title}><legend>{title}</legend>{fields.map((field) => <Field key={field.name} field={field} />)}</fieldset>))}
      <p class="acts"><button class={form.tone}>{form.submit}</button><a class="button quiet" href={form.cancelHref}>Cancel</a></p>
    </form>
  );
}

/** A field with its label, help and fault. */
export function Field({ field }: { readonly field: FieldView }): VNode {
  const { name, label, type, help, fault, required } = field;
  const id = `f-${name}`;
  const described = [...(fault === null ? [] : [`${id}-fault`]), ...(help === null ? [] : [`${id}-help`])].join(' ');
  const shared = {
    ...(described === '' ? {} : { 'aria-describedby': described }), ...(fault === null ? {} : { 'aria-invalid': 'true' } as const), ...(required ? { 'aria-required': 'true' } as const : {}),
  };
  const notes = (
    <>
      {fault === null ? null : <p class="fault" id={`${id}-fault`}>{fault}</p>}
      {help === null ? null : <p class="help" id={`${id}-help`}>{help}</p>}
    </>
  );
  if (type === 'check') {
    return <div class="field"><label class="check"><input type="checkbox" name={name} id={id} value="yes" checked={field.value === 'yes'} {...shared} /><span>{label}</span></label>{notes}</div>;
  }
  if (type === 'checks') {
    return (
      <fieldset class="field" {...shared}>
        <legend>{label}</legend>
        {field.choices.some(({ group }) => group !== undefined) ? <>{notes}<Checks field={field} /></> : <><Checks field={field} />{notes}</>}
      </fieldset>
    );
  }
  return (
    <div class="field">
      <label for={id}>{label}{required ? null : <span class="optional"> optional</span>}</label>
      <Control field={field} id={id} shared={shared} />
      {notes}
    </div>
  );
}

/** Boxes to tick; many of them under headings. */
function Checks({ field: { name, choices, values } }: { readonly field: FieldView }): VNode {
  const box = (choice: Choice): VNode => <label key={choice.value} class="check"><input type="checkbox" name={name} value={choice.value} checked={values.includes(choice.value)} /><span>{choice.text}</span></label>;
  const groups = [...new Set(choices.flatMap(({ group }) => group ?? []))];
  if (groups.length === 0) return <div class="checks">{choices.map(box)}</div>;
  return (
    <div class="checks grouped">
      {groups.map((group) => <div key={group} role="group" aria-label={group}><p class="label" aria-hidden="true">{group}</p>{choices.filter((choice) => choice.group === group).map(box)}</div>)}
    </div>
  );
}

function Control({ field, id, shared }: { readonly field: FieldView; readonly id: string; readonly shared: object }): VNode {
  const { name, type, value, placeholder, choices, autocomplete } = field;
  const plain = { id, name, placeholder, autocomplete, spellcheck: false, autocapitalize: 'none', ...shared } as const;
  switch (type) {
    case 'lines':
      return <textarea rows={Math.min(8, Math.max(2, value.split('\n').length + 1))} class="mono" {...plain}>{value}</textarea>;
    case 'block':
      return <textarea rows={6} class="mono" {...plain}>{value}</textarea>;
    case 'choice':
      return <select id={id} name={name} {...shared}>{choices.map((choice) => <option key={choice.value} value={choice.value} selected={choice.value === value}>{choice.text}</option>)}</select>;
    case 'number':
      return <input type="text" inputmode="numeric" value={value} {...plain} class="short" />;
    case 'secret':
      return <input type="password" {...plain} />;
    case 'email':
      return <input type="email" value={value} {...plain} />;
    default:
      return (
        <>
          <input type="text" value={value} {...plain} class={type === 'words' || type === 'url' ? 'mono' : undefined} list={choices.length > 0 ? `${id}-choices` : undefined} />
          {choices.length === 0 ? null : <datalist id={`${id}-choices`}>{choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.text}</option>)}</datalist>}
        </>
      );
  }
}
