import type { ActivityMinute } from '../core/operations-store.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { Context } from '../service/context.ts';
import type { Peer } from './peer.ts';
import type { Site } from './host-guard.ts';
import type { Responder } from './respond.ts';

/** What every endpoint works with. */
export type ServerContext = {
  readonly ctx: Context;
  readonly respond: Responder;
  readonly answers: AnswerMemory;
  /** Whether `/docs` is served (HT-18). */
  readonly docs: boolean;
  /** Whether mails are kept here in place of being sent, and may be looked at. */
  readonly mailbox: boolean;
  /** The page at `/demo`; null: this is no demo. */
  readonly demo: DemoSite | null;
  /** The server's own state, for readiness. */
  readonly readiness: Readiness;
  /** Whether the admin API is served; left out: it is. */
  readonly admin?: boolean;
  /** What this start was told, for operators. */
  readonly settings?: readonly SettingFact[];
  /** What operators are shown of the process; left out: nothing. */
  readonly observatory?: Observatory;
};

/** One setting of this start. `value` is null where nothing was set, and of a secret never said. */
export type SettingFact = {
  /** As the settings file calls it, or its flag where that does not know it. */
  readonly name: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly secret: boolean;
  readonly set: boolean;
  /** Who said so: a flag, a variable, a line of the file; null: it is the default. */
  readonly source: string | null;
  /** What it does, in a line. */
  readonly doc: string;
};

/** What operators are shown of the process. */
export type Observatory = {
  /** Every metric in the text format of Prometheus. */
  exposition(): Promise<string>;
  /** The main figures, as a document. @throws StoreError */
  figures(): Promise<object>;
  /** What happened since a moment, minute by minute, the one that runs included; the oldest first. @throws StoreError */
  activity(sinceMs: number): Promise<readonly ActivityMinute[]>;
  /** Where the memory of answers tells how often it could answer. */
  watchAnswers(figures: () => { readonly hits: number; readonly misses: number }): void;
};

/** What the page at `/demo` works with: all of it is in the tenant `default`. */
export type DemoSite = {
  /** The page's own client: public. */
  readonly client: string;
  readonly scopes: readonly string[];
  /** The confidential client that the server asks about tokens as, in the page's stead. */
  readonly gateway: string;
  /** Name that people sign in with. */
  readonly username: string;
};

/** What readiness depends on beside the store. */
export type Readiness = {
  /** Set when the server is told to stop (HT-21). */
  stopping: boolean;
  /** Milliseconds by which the machine's clock is behind (TM-02). */
  readonly clockBehindMs: () => number;
};

/** A request that passed the gate: whom its Host speaks of, and who sent it. */
export type Arrival = {
  readonly site: Site;
  readonly peer: Peer;
  /** The Host that counts, lower case: the client's own, also behind a proxy of ours. One of those that are served. */
  readonly host: string;
};
