import { permits, type AdminAccess, type AdminArea, type Administrator } from '../../core/admin.ts';
import type { SignedIn } from '../../core/next-step.ts';
import type { Tenant } from '../../core/model.ts';
import type { Context } from '../../service/context.ts';
import { parseForm, type FormValues, type KnownParameters } from '../form.ts';
import type { ServerContext } from '../server-context.ts';
import type { Visit } from '../people/visit.ts';
import { idOf } from './paths.ts';

/** One request of an administrator for a page of the console: who it is was settled before. */
export type ConsoleCall = {
  readonly server: ServerContext;
  readonly visit: Visit;
  /** Acts done with it are the administrator's in the audit trail. */
  readonly ctx: Context;
  readonly signedIn: SignedIn;
  readonly administrator: Administrator;
  readonly route: ConsoleRoute;
  /** Parts of the path by name, as they stand there. */
  readonly parts: Readonly<Record<string, string>>;
  /** The tenant in the path; null: the path has none. */
  readonly within: Tenant | null;
  /** The one tenant that the administrator is bound to; null: none. */
  readonly bound: Tenant | null;
  /** Of the request, without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The posted form, as text: its token was checked. Empty for GET. */
  readonly body: string;
};

/** A page of the console. */
export type ConsoleRoute = {
  /** Below `/admin`; parts with a colon stand for ids. `:tenant` is a slug. */
  readonly path: string;
  /** What it is about; null: every administrator may see it. */
  readonly area: AdminArea | null;
  /** What seeing it takes; `read` unless said. A post always takes `write`, unless `postAccess` says otherwise. */
  readonly access?: AdminAccess;
  readonly postAccess?: AdminAccess;
  /** Concerns the server or several tenants: for who is bound to a tenant it is not there. */
  readonly serverOnly?: boolean;
  /** Takes a sign-in of the last minutes: for what cannot be taken back, and for what gives access. */
  readonly recent?: boolean;
  readonly show?: (call: ConsoleCall) => Promise<Response>;
  readonly post?: (call: ConsoleCall) => Promise<Response>;
};

/** The tenant that the path names. @throws Error where it names none: a row in the wrong place */
export function tenantOf({ within, route }: ConsoleCall): Tenant {
  if (within === null) throw new Error(`${route.path} names no tenant`);
  return within;
}

/** Another part of the path: the id that it stands for. */
export function param({ parts }: ConsoleCall, name: string): string {
  return idOf(parts[name] ?? '');
}

/** Whether the administrator may. */
export function may({ administrator }: Pick<ConsoleCall, 'administrator'>, area: AdminArea | null, access: AdminAccess): boolean {
  return area === null || permits(administrator.scopes, area, access);
}

/** Values of a posted form. Names that were not asked for are not read. */
export type Posted = { readonly one: (name: string) => string; readonly many: (name: string) => readonly string[] };

/** Reads the posted form. @returns null when it is broken */
export function readPosted({ body }: Pick<ConsoleCall, 'body'>, known: KnownParameters): Posted | null {
  const reading = parseForm<FormValues>(body, known);
  if (!reading.ok) return null;
  const { form } = reading;
  return {
    one(name) {
      const value = form[name];
      return typeof value === 'string' ? value : '';
    },
    many(name) {
      const value = form[name];
      return value === undefined ? [] : typeof value === 'string' ? [value] : value;
    },
  };
}
