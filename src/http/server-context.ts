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
  /** The server's own state, for readiness. */
  readonly readiness: Readiness;
};

/** What readiness depends on beside the store. */
export type Readiness = {
  /** Set when the server is told to stop (HT-21). */
  stopping: boolean;
  /** Milliseconds by which the machine's clock is behind (TM-02). */
  readonly clockBehindMs: () => number;
};

/** A request that passed the gate: whom its Host speaks of, and who sent it. */
export type Arrival = { readonly site: Site; readonly peer: Peer };
