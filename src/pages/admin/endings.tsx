/** @jsxImportSource preact */
/** Pages with nothing to do on them, and pages for who is not in the console. */
import type { ComponentChildren, VNode } from 'preact';
import { Icon } from '../icons.tsx';
import { renderBare, renderConsole } from './frame.tsx';
import { Field } from './forms.tsx';
import { Note } from './values.tsx';
import type { Assets, FieldView, Frame } from './views.ts';

/** A page within the frame that only says something. */
export function renderDeadEnd(frame: Frame, text: string): string {
  return renderConsole(frame, <section class="box"><p>{text}</p><p class="acts"><a class="button" href="/admin">To the beginning</a></p></section>);
}

/** A page for who is not in. */
export type Outside = {
  readonly title: string;
  readonly says: readonly string[];
  /** A command to copy. */
  readonly command?: string;
  /** Who is signed in; null: nobody. */
  readonly username?: string | null;
  readonly links?: readonly { readonly text: string; readonly href: string }[];
  readonly csrf: string;
  readonly requestId: string;
};

function Outdoors({ title, children }: { readonly title: string; readonly children: ComponentChildren }): VNode {
  return (
    <div class="outside">
      <p class="home"><span class="mark" aria-hidden="true">A</span><span>Assay</span></p>
      <main class="box"><h1>{title}</h1>{children}</main>
    </div>
  );
}

/** Says why somebody is not in, and how they could be; tells nothing of what is inside. */
export function renderOutside(assets: Assets, view: Outside): string {
  return renderBare({ title: `${view.title} · Assay`, assets }, (
    <Outdoors title={view.title}>
      {view.says.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {view.command === undefined ? null : <pre><code>{view.command}</code></pre>}
      {view.username === undefined || view.username === null ? null : <p class="soft">Signed in as <strong><bdi>{view.username}</bdi></strong>. <a href="/account">Your account</a></p>}
      {view.links === undefined ? null : <p class="acts">{view.links.map(({ text, href }) => <a key={href} class="button" href={href}>{text}</a>)}</p>}
      <p class="soft small">Reference: <code>{view.requestId}</code></p>
    </Outdoors>
  ));
}

export type SetupView = { readonly action: string; readonly csrf: string; readonly fields: readonly FieldView[]; readonly problem: string | null };

/** The first administrator, or an invited one, chooses a name and a password. */
export function renderSetup(assets: Assets, view: SetupView): string {
  return renderBare({ title: 'Set up your account · Assay', assets }, (
    <Outdoors title="Set up your account">
      <p>You are about to become an administrator of this server. Choose what you sign in with.</p>
      {view.problem === null ? null : <Note mood="bad" role="alert"><p>{view.problem}</p></Note>}
      <form method="post" action={view.action} class="form" novalidate>
        <input type="hidden" name="csrf" value={view.csrf} />
        {view.fields.map((field) => <Field key={field.name} field={field} />)}
        <p class="acts"><button class="main"><Icon name="check" />Create the account</button></p>
      </form>
    </Outdoors>
  ));
}
