import type { Static, TSchema } from 'elysia';
import type { AdminAccess, AdminArea } from '../../core/admin.ts';
import type { Tenant } from '../../core/model.ts';
import type { Page, Paged } from '../../core/paging.ts';
import type { AdminCaller } from '../../service/admin-access.ts';
import type { Context } from '../../service/context.ts';
import { done, type Guard, type Managed } from '../../service/manage-outcome.ts';
import type { ServerContext } from '../server-context.ts';

/** One call of an operation, all of it checked against the operation's schemas. */
export type AdminCall<Body, Query> = {
  /** Acts done with it are the caller's in the audit trail. */
  readonly ctx: Context;
  readonly server: ServerContext;
  readonly caller: AdminCaller;
  /** The tenant in the path: one that the caller may know of. @throws where the path has none */
  readonly tenant: Tenant;
  /** Another part of the path, percent-decoded. */
  readonly param: (name: string) => string;
  readonly query: Query;
  readonly body: Body;
  /** Which part of a list is asked for (`limit`, `after`). */
  readonly page: Page;
  /**
   * What `If-Match` demands of a thing before it is changed, for the act; undefined where nothing is demanded.
   * @param document makes the document whose ETag was told
   */
  readonly guard: <T>(document: (thing: T) => object | Promise<object>) => Guard<T> | undefined;
};

/** What an operation comes to: the answer's document (null: 204), or a refusal. Warnings become `warnings` beside a document's members. */
export type AdminOutcome = Managed<object | null>;

/** One operation of the admin API: the one source of its route, its checks and its place in the OpenAPI document. */
export type AdminOperation = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/admin/v1`; parts in the router's form, as in `/tenants/:tenant/clients/:client`. `:tenant` is the slug. */
  readonly path: string;
  /** `operationId`: stable, for code is generated from it. */
  readonly id: string;
  /** null: whoever is known may. */
  readonly area: AdminArea | null;
  readonly access: AdminAccess;
  readonly summary: string;
  readonly text?: string;
  /** Concerns the server itself or several tenants: not for callers of one tenant, who get 403. */
  readonly serverOnly?: boolean;
  /** Names and their values, as texts: an object of strings. */
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** null: 204 without a body. */
  readonly answer: TSchema | null;
  /** Answers 201, honours `Idempotency-Key`. */
  readonly creates?: boolean;
  /** Member of the document by which a created thing is found below the path that it was created at; null: it has no path. Left out: its id. */
  readonly locatedBy?: string | null;
  /** How it looks in the OpenAPI document; nothing in it works anywhere. */
  readonly example?: object;
  /** Answers with an ETag of its document; with PUT, PATCH and DELETE honours `If-Match`. */
  readonly etag?: boolean;
  /** A list in parts: takes `limit` and `after`, answers `{ items, next }`. */
  readonly paged?: boolean;
  /** An answer that is no JSON document: its media types, for the OpenAPI document. `run` then gives `{ stream }`. */
  readonly streams?: readonly string[];
  readonly run: (call: AdminCall<never, never>) => Promise<AdminOutcome | AdminStream>;
};

/** An answer that is written as it is read. */
export type AdminStream = { readonly stream: ReadableStream<Uint8Array>; readonly type: string; readonly fileName?: string };

/** Most items in one part of a list, and how many unless it is said. */
export const MOST_ITEMS = 200;
export const ITEMS = 50;

/** Declares an operation; `run` gets body and query in the types of their schemas. */
export function operation<Body extends TSchema = TSchema, Query extends TSchema = TSchema>(
  row: Omit<AdminOperation, 'run' | 'body' | 'query'> & {
    readonly body?: Body;
    readonly query?: Query;
    readonly run: (call: AdminCall<Static<Body>, Static<Query>>) => Promise<AdminOutcome | AdminStream>;
  },
): AdminOperation {
  // Body and query are held to the very schemas that the types come from before it is called.
  return row;
}

/** A part of a list as a document. */
export async function listed<T>({ items, next }: Paged<T>, document: (item: T) => object | Promise<object>): Promise<AdminOutcome> {
  return done({ items: await Promise.all(items.map(async (item) => document(item))), next });
}

/** A document made of an act's value; refusals and warnings stay. */
export async function told<T>(outcome: Managed<T>, document: (value: T) => object | null | Promise<object | null>): Promise<AdminOutcome> {
  return outcome.ok ? done(await document(outcome.value), outcome.warnings) : outcome;
}
