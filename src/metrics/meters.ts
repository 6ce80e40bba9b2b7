import type { AuthFailure } from '../core/client-auth.ts';
import type { ActivityName, DeliveryKind, DeliveryResult, IntrospectionResult, Metrics, RevocationResult } from '../core/metrics.ts';
import { authMethodsOfPeople } from '../core/people.ts';
import { Registry, type Cell } from './registry.ts';

/** Upper ends in seconds: an introspection takes microseconds, a password tens of milliseconds, a stuck disk seconds. */
const latencyBounds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const commitBounds = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
const groupBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
const hashBounds = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;
const lagBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

/** Each reason that a token may have; the compiler sees to it that none is missing. */
const results: Readonly<Record<IntrospectionResult, true>> = {
  active: true, not_a_token: true, unknown: true, bad_signature: true, key_revoked: true, wrong_issuer: true, wrong_type: true, other_tenant: true,
  expired: true, not_yet_valid: true, issued_in_future: true, revoked: true, rotated: true, grant_revoked: true, client_disabled: true,
  client_unknown: true, user_disabled: true, user_unknown: true, tenant_disabled: true, policy: true,
};
const revocations: readonly RevocationResult[] = ['revoked', 'already', 'denied', 'unknown'];
const refusals: Readonly<Record<AuthFailure, true>> = {
  no_credentials: true, unknown_client: true, disabled_client: true, wrong_method: true, no_secret: true, wrong_secret: true, throttled: true, unsupported_method: true,
};
const deliveries: Readonly<Record<DeliveryKind, readonly DeliveryResult[]>> = {
  mail: ['delivered', 'mailbox', 'refused', 'failed', 'given_up'], logout: ['delivered', 'refused', 'failed', 'given_up'], webhook: ['delivered', 'failed', 'given_up'],
};

/** What services and endpoints count with, the registry that it is told from, and what other parts of the process add to. */
export type Meters = {
  readonly metrics: Metrics;
  readonly registry: Registry;
  /** A group of operations was committed. */
  readonly committed: (operations: number, seconds: number) => void;
  /** A slow hash was made: how long it waited for its turn, and took. */
  readonly hashed: (waitedSeconds: number, seconds: number) => void;
  /** The event loop came back to a timer so late. */
  lagged(seconds: number): void;
  /** Spans for the collector of traces. */
  spans(result: 'sent' | 'dropped' | 'failed', count: number): void;
  /** What happened since the start of the process, by the names that minutes are told by. */
  readonly totals: () => Readonly<Record<ActivityName, number>>;
  /** Mean seconds of an answer of an endpoint since the start; null: there was none. */
  readonly meanSeconds: (endpoint: string) => number | null;
};

function outcomeOf(status: number): string {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}

/** Makes the meters of a process. */
export function makeMeters(): Meters {
  const registry = new Registry();
  const requests = registry.counter('assay_http_requests_total', 'Requests answered, by endpoint, layout and status.', ['endpoint', 'layout', 'status']);
  const latency = registry.histogram('assay_http_request_duration_seconds', 'Time to an answer, from the arrival at the endpoint on.', latencyBounds, ['endpoint', 'layout', 'outcome']);
  const errors = registry.counter('assay_errors_total', 'Errors that callers were told, by code.', ['error']);
  const introspections = registry.counter('assay_introspections_total', 'Introspections answered, by what was found: active, or why not.', ['result']);
  const recorded = registry.counter('assay_introspection_policy_total', 'Introspections that policy denied, or would have.', ['outcome']);
  const revoked = registry.counter('assay_revocations_total', 'Revocation requests, by what came of them.', ['outcome']);
  const issued = registry.counter('assay_tokens_issued_total', 'Access tokens issued.', ['grant_type', 'format']);
  const reused = registry.counter('assay_refresh_reuse_total', 'Spent refresh tokens that came again and ended their family.');
  const refused = registry.counter('assay_client_authentication_failures_total', 'Clients that did not prove who they are, by reason.', ['reason']);
  const signIns = registry.counter('assay_sign_ins_total', 'Sign-ins, by the methods that proved who it is.', ['methods']);
  const signInFailures = registry.counter('assay_sign_in_failures_total', 'Tries to sign in that failed, by reason.', ['reason']);
  const delivered = registry.counter('assay_deliveries_total', 'Attempts to deliver mails, logouts and webhooks.', ['kind', 'outcome']);
  const commits = registry.histogram('assay_storage_commit_seconds', 'Time of a commit, from its beginning to being on disk.', commitBounds);
  const groups = registry.histogram('assay_storage_commit_operations', 'Changes that shared a commit.', groupBounds);
  const waits = registry.histogram('assay_password_hash_wait_seconds', 'Time that a slow hash waited for its turn.', hashBounds);
  const hashes = registry.histogram('assay_password_hash_seconds', 'Time that a slow hash took, its wait apart.', hashBounds);
  const sweptRows = registry.counter('assay_sweeper_rows_total', 'Rows that ended or were cleared away.');
  const sweptSeconds = registry.counter('assay_sweeper_seconds_total', 'Time spent clearing away.');
  const lag = registry.histogram('assay_event_loop_lag_seconds', 'How late the event loop came back to a timer.', lagBounds);
  const spans = registry.counter('assay_trace_spans_total', 'Spans of traces, by what became of them.', ['outcome']);

  const byResult = new Map(Object.keys(results).map((result) => [result, introspections.of(result)]));
  // A rate is told from the second value on: what has not happened yet is 0, and not missing.
  for (const what of ['denied', 'would_deny']) recorded.of(what);
  for (const outcome of revocations) revoked.of(outcome);
  for (const grant of ['authorization_code', 'client_credentials', 'refresh_token', 'operator']) for (const format of ['jwt', 'opaque']) issued.of(grant, format);
  for (const reason of Object.keys(refusals)) refused.of(reason);
  for (const [kind, outcomes] of Object.entries(deliveries)) for (const outcome of outcomes) delivered.of(kind, outcome);
  for (const outcome of ['sent', 'dropped', 'failed']) spans.of(outcome);
  for (const spread of [commits, groups, waits, hashes, lag]) spread.of();
  const [reuses, rows, seconds] = [reused.of(), sweptRows.of(), sweptSeconds.of()];
  const ours: ReadonlySet<string> = new Set(authMethodsOfPeople);

  function route(endpoint: string, layout: string): ReturnType<Metrics['route']> {
    type Answered = { readonly count: Cell; readonly spread: ReturnType<typeof latency.of> };
    const byStatus = new Map<number, Answered>();
    const answered = (status: number): Answered => {
      const made = { count: requests.of(endpoint, layout, String(status)), spread: latency.of(endpoint, layout, outcomeOf(status)) };
      byStatus.set(status, made);
      return made;
    };
    return {
      done(status, ms) {
        const { count, spread } = byStatus.get(status) ?? answered(status);
        count.value += 1;
        spread.add(ms / 1000);
      },
      count(status) {
        requests.of(endpoint, layout, String(status)).value += 1;
      },
    };
  }

  const metrics: Metrics = {
    route,
    refused: (error) => void (errors.of(error).value += 1),
    introspected(result) {
      const cell = byResult.get(result);
      if (cell !== undefined) cell.value += 1;
    },
    introspectionRecorded: (what) => void (recorded.of(what).value += 1),
    revoked: (outcome) => void (revoked.of(outcome).value += 1),
    issued: (grant, format) => void (issued.of(grant, format).value += 1),
    refreshReused: () => void (reuses.value += 1),
    clientRefused: (reason) => void (refused.of(reason).value += 1),
    signedIn: (methods) => void (signIns.of(methods.filter((method) => ours.has(method)).toSorted().join(' ')).value += 1),
    signInFailed: (reason) => void (signInFailures.of(reason).value += 1),
    delivered: (kind, outcome) => void (delivered.of(kind, outcome).value += 1),
    swept(count, took) {
      rows.value += count;
      seconds.value += took;
    },
  };

  return {
    metrics,
    registry,
    committed(operations, took) {
      commits.of().add(took);
      groups.of().add(operations);
    },
    hashed(waited, took) {
      waits.of().add(waited);
      hashes.of().add(took);
    },
    lagged: (late) => lag.of().add(late),
    spans: (result, count) => void (spans.of(result).value += count),
    totals: () => ({
      requests: requests.sum(),
      introspections: introspections.sum(),
      active: introspections.sum(([result]) => result === 'active'),
      inactive: introspections.sum(([result]) => result !== 'active'),
      denied: recorded.sum(([what]) => what === 'denied'),
      tokens_issued: issued.sum(),
      revocations: revoked.sum(([outcome]) => outcome === 'revoked'),
      sign_ins: signIns.sum(),
      sign_ins_failed: signInFailures.sum(),
      errors: requests.sum(([, , status = '']) => status.startsWith('5')),
      refused: requests.sum(([, , status = '']) => status.startsWith('4')),
    }),
    meanSeconds(endpoint) {
      const { count, sum } = latency.total(([name]) => name === endpoint);
      return count === 0 ? null : sum / count;
    },
  };
}
