/** @jsxImportSource preact */
/** The token inspector: what a token is, what it is worth, and who would be told so. */
import { Form } from './forms.tsx';
import { renderConsole } from './frame.tsx';
import { Group, Tag } from './values.tsx';
import type { Badge, FactGroup, FormView, Frame } from './views.ts';

export type InspectorView = {
  readonly form: FormView;
  readonly found: {
    readonly verdict: Badge;
    readonly why: string;
    readonly groups: readonly FactGroup[];
    /** null: there is nothing to revoke, or not for this administrator. */
    readonly revoke: FormView | null;
  } | null;
};

export function renderInspector(frame: Frame, { form, found }: InspectorView): string {
  return renderConsole(frame, (
    <>
      {found === null ? null : (
        <>
          <section class="box" aria-label="Verdict"><p class="verdict"><Tag badge={found.verdict} /><span>{found.why}</span></p></section>
          {found.groups.map((group) => <Group key={group.title} group={group} nowMs={frame.nowMs} />)}
          {found.revoke === null ? null : <section class="box"><header><h2>Revoke</h2></header><Form form={found.revoke} /></section>}
        </>
      )}
      <section class="box">{found === null ? null : <header><h2>Another token</h2></header>}<Form form={form} /></section>
    </>
  ));
}
