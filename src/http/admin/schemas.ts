import { t, type TSchema } from 'elysia';
import { adminScopes } from '../../core/admin.ts';
import type { AdminOperation } from './operation.ts';

/** Schemas that the areas of the admin API share. Documents list every member that they ever have; none is left out of an answer. */

/** RFC 9457. */
export const problemBody = t.Object({
  type: t.String({ description: 'What kind of problem it is; stable.', example: 'urn:assay:problem:invalid_request' }),
  title: t.String({ description: 'The same in words.' }),
  status: t.Integer({ description: 'HTTP status.' }),
  error: t.String({ description: 'The kind of problem as one word.' }),
  detail: t.String({ description: 'What happened this time, for people. It may name what was sent, and never repeats a secret.' }),
  request_id: t.String({ description: 'Names this request in the log and in the audit trail.' }),
  errors: t.Optional(t.Array(t.Object({
    pointer: t.Optional(t.String({ description: 'Member of the body (RFC 6901).', example: '/redirect_uris/0' })),
    parameter: t.Optional(t.String({ description: 'Parameter of the query.' })),
    detail: t.String(),
  }), { description: 'What exactly is wrong.' })),
}, { $id: 'Problem', description: 'RFC 9457' });

/** What an answer to a change may hold beside the document. */
export const warned = t.Object({
  warnings: t.Optional(t.Array(t.String(), { description: 'What to know about this change; nothing was stopped by it.' })),
}, { $id: 'Warned' });

/** A moment, RFC 3339 in UTC. */
export const time = (description: string): ReturnType<typeof t.String> => t.String({ format: 'date-time', description, example: '2026-01-01T00:00:00.000Z' });

/** A moment that may not be. */
export const timeOrNull = (description: string) => t.Union([t.String({ format: 'date-time' }), t.Null()], { description });

/** Scopes, separated by spaces. */
export const scopeText = (description: string) => t.String({ description, maxLength: 8_192, example: 'openid profile' });

/** Scopes of operators, separated by spaces. */
export const operatorScope = t.String({ minLength: 1, maxLength: 2_048, description: `Scopes, separated by spaces: ${adminScopes.slice(0, 2).map((scope) => `\`${scope}\``).join(', ')}, or for one area \`admin:AREA\` and \`admin:AREA:read\`.`, example: 'admin:clients admin:audit:read' });

/** An optional text, null to take it back. */
export const clearable = (options: Parameters<typeof t.String>[0]) => t.Optional(t.Union([t.String(options), t.Null()]));

/** A part of a list. */
export function partOf<Item extends TSchema>(item: Item) {
  return t.Object({
    items: t.Array(item),
    next: t.Union([t.String(), t.Null()], { description: 'Where to go on, as `after`; null: there is no more.' }),
  });
}

/** Words of a scope: one string in JSON, a list to the acts. Words that are given twice count once. */
export function scopeWords(text: string): readonly string[] {
  return [...new Set(text.split(' ').filter((word) => word !== ''))];
}

/** Whether an operation answers 201. */
export function isCreated(operation: AdminOperation): boolean {
  return operation.creates === true && operation.answer !== null;
}

/** What an operation answers with: of a list in parts, the part. */
export function shownAnswer(operation: AdminOperation): TSchema | null {
  const { answer, paged } = operation;
  if (answer === null || paged !== true) return answer;
  const properties: unknown = answer['properties'];
  return typeof properties === 'object' && properties !== null && 'items' in properties ? answer : partOf(answer);
}

/** Members without those that are undefined, as exact optional members want it. */
export function given<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  // What remains are exactly the members that have a value of their type.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
