import type { ClientChange } from './client-settings.ts';
import type { UserAttributes } from './model.ts';
import type { TenantChange } from './tenant-settings.ts';

/**
 * What another server's export holds, in words of this one: whichever product it was, the same things come out of its file,
 * one by one, so that a file may hold more than memory does. Things that others need (roles, organizations, users of
 * memberships) come before those.
 */

/** A lifetime or other setting of the tenant that the other server had. */
export type ImportedTenant = { readonly kind: 'tenant'; readonly change: TenantChange };

/** A role; what it permits is known to no export. */
export type ImportedRole = { readonly kind: 'role'; readonly name: string };

export type ImportedOrganization = { readonly kind: 'organization'; readonly id: string; readonly name: string };

export type ImportedClient = {
  readonly kind: 'client';
  readonly id: string;
  readonly public: boolean;
  readonly change: ClientChange;
  /** In clear; null: the file does not tell it. */
  readonly secret: string | null;
  readonly enabled: boolean;
};

export type ImportedUser = {
  readonly kind: 'user';
  /** What applications know as `sub`; null: the file does not tell it. */
  readonly id: string | null;
  readonly username: string;
  /** Empty: none. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string | null;
  readonly attributes: UserAttributes;
  /** A hash in one of the kept forms (`readForeignPassword`). `temporary`: another is to be chosen at the next sign-in. */
  readonly password: { readonly digest: string; readonly temporary: boolean } | null;
  readonly enabled: boolean;
};

export type ImportedMembership = {
  readonly kind: 'membership';
  readonly orgId: string;
  /** A user of this file or, by id, one who was imported before. */
  readonly user: string;
  readonly by: 'id' | 'username';
  readonly roles: readonly string[];
};

/** Public keys of the other server; `issuer` as its tokens' `iss`. */
export type ImportedKeys = { readonly kind: 'keys'; readonly issuer: string; readonly jwks: unknown };

/** Kinds of things that are imported, in the order in which they need each other. */
export const importedKinds = ['tenant', 'role', 'organization', 'client', 'keys', 'user', 'membership'] as const;
export type ImportedKind = (typeof importedKinds)[number];

/** What cannot be taken as it was, and why. Never holds a secret, a hash, or what is known about a person beyond their name. */
export type ImportRemark = {
  readonly kind: 'remark';
  /** The thing that it is about, as people know it: `client web`. */
  readonly about: string;
  /** The same words for the same reason, so that remarks can be counted. */
  readonly text: string;
  /** The kind of the thing, where none of it can be taken; null: it is imported without what the text names. */
  readonly refused: ImportedKind | null;
};

export type ImportedThing =
  | ImportedTenant | ImportedRole | ImportedOrganization | ImportedClient | ImportedUser | ImportedMembership | ImportedKeys;

/** One thing after the other. Reading may throw an `UnreadableImport`. */
export type Imported = AsyncIterable<ImportedThing | ImportRemark>;

/** A file that is not what it should be, as a whole; the message says why, for people. */
export class UnreadableImport extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableImport';
  }
}

/** Whether an error is that; by name, as what reads files is loaded apart from the rest. */
export function isUnreadable(error: unknown): error is UnreadableImport {
  return error instanceof Error && error.name === 'UnreadableImport';
}

/** A remark about a thing that is imported all the same. */
export function remarkOn(about: string, text: string): ImportRemark {
  return { kind: 'remark', about, text, refused: null };
}

/** A remark about a thing that cannot be imported. */
export function refusalOf(kind: ImportedKind, about: string, text: string): ImportRemark {
  return { kind: 'remark', about, text, refused: kind };
}
