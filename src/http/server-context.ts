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
