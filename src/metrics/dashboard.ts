/** One curve: a query, and what its series are called. */
type Query = readonly [expression: string, legend: string];
/** Units as Grafana calls them. */
type Unit = 'short' | 's' | 'bytes' | 'reqps' | 'cps' | 'ops' | 'percentunit' | 'dtdurations';
type Panel = { readonly title: string; readonly unit: Unit; readonly text?: string; readonly queries: readonly [Query, ...Query[]] };
type Section = { readonly title: string; readonly panels: readonly Panel[] };

const RATE = '[$__rate_interval]';
const HERE = 'instance=~"$instance"';
const only = (matchers: string): string => `{${matchers === '' ? HERE : `${HERE}, ${matchers}`}}`;
/** Per second, summed by labels. */
const rate = (metric: string, by: string, matchers = ''): string => `sum by (${by}) (rate(${metric}${only(matchers)}${RATE}))`;
const rateOfAll = (metric: string, matchers = ''): string => `sum(rate(${metric}${only(matchers)}${RATE}))`;
/** Of a histogram. */
const quantile = (share: number, metric: string, matchers = '', by = 'le'): string => `histogram_quantile(${share}, sum by (${by}) (rate(${metric}_bucket${only(matchers)}${RATE})))`;
const latest = (metric: string, by: string): string => `max by (${by}) (${metric}${only('')})`;

const latency = 'assay_http_request_duration_seconds';
const INTROSPECT = 'endpoint="introspect"';
const quantiles = (metric: string, matchers = ''): readonly [Query, ...Query[]] => [
  [quantile(0.5, metric, matchers), 'p50'], [quantile(0.95, metric, matchers), 'p95'], [quantile(0.99, metric, matchers), 'p99'],
];

const sections: readonly Section[] = [
  {
    title: 'Traffic',
    panels: [
      { title: 'Requests by endpoint', unit: 'reqps', queries: [[rate('assay_http_requests_total', 'endpoint'), '{{endpoint}}']] },
      { title: 'Requests by layout', unit: 'reqps', queries: [[rate('assay_http_requests_total', 'layout'), '{{layout}}']] },
      { title: 'Refused (4xx)', unit: 'reqps', queries: [[rate('assay_http_requests_total', 'endpoint, status', 'status=~"4.."'), '{{endpoint}} {{status}}']] },
      { title: 'Failed (5xx)', unit: 'reqps', text: 'Our own trouble: 503 asks to come again.', queries: [[rate('assay_http_requests_total', 'endpoint, status', 'status=~"5.."'), '{{endpoint}} {{status}}']] },
      { title: 'Slowest endpoints (p99)', unit: 's', queries: [[quantile(0.99, latency, '', 'le, endpoint'), '{{endpoint}}']] },
      { title: 'Errors that callers were told', unit: 'cps', queries: [[rate('assay_errors_total', 'error'), '{{error}}']] },
    ],
  },
  {
    title: 'Introspection',
    panels: [
      { title: 'Introspections by result', unit: 'reqps', text: 'Active, or why not.', queries: [[rate('assay_introspections_total', 'result'), '{{result}}']] },
      { title: 'Time to an answer', unit: 's', queries: quantiles(latency, INTROSPECT) },
      { title: 'Denied by policy', unit: 'cps', queries: [[rate('assay_introspection_policy_total', 'outcome'), '{{outcome}}']] },
      {
        title: 'Answered from memory', unit: 'percentunit',
        queries: [[`${rate('assay_cache_lookups_total', 'cache', 'result="hit"')} / ${rate('assay_cache_lookups_total', 'cache')}`, '{{cache}}']],
      },
    ],
  },
  {
    title: 'Issuance and revocation',
    panels: [
      { title: 'Tokens issued', unit: 'cps', queries: [[rate('assay_tokens_issued_total', 'grant_type, format'), '{{grant_type}} {{format}}']] },
      { title: 'Revocations', unit: 'cps', queries: [[rate('assay_revocations_total', 'outcome'), '{{outcome}}']] },
      { title: 'Refresh tokens used twice', unit: 'short', text: 'Each ended a family: a token was stolen, or a client is broken.', queries: [[`sum(increase(assay_refresh_reuse_total${only('')}[$__interval]))`, 'families ended']] },
      { title: 'Clients that failed to authenticate', unit: 'cps', queries: [[rate('assay_client_authentication_failures_total', 'reason'), '{{reason}}']] },
      { title: 'Age of signing keys', unit: 'dtdurations', queries: [[latest('assay_signing_key_age_seconds', 'tenant'), '{{tenant}}'], [`max(assay_signing_key_oldest_seconds${only('')})`, 'oldest of all']] },
    ],
  },
  {
    title: 'Sign-ins',
    panels: [
      { title: 'Sign-ins', unit: 'cps', queries: [[rate('assay_sign_ins_total', 'methods'), '{{methods}}']] },
      { title: 'Failed tries', unit: 'cps', queries: [[rate('assay_sign_in_failures_total', 'reason'), '{{reason}}']] },
      { title: 'Slow hashes: time', unit: 's', queries: [...quantiles('assay_password_hash_seconds'), [quantile(0.99, 'assay_password_hash_wait_seconds'), 'p99 waiting']] },
      {
        title: 'Slow hashes: places', unit: 'short',
        queries: [[latest('assay_password_hashes_running', 'instance'), 'running'], [latest('assay_password_hashes_waiting', 'instance'), 'waiting'], [latest('assay_password_hash_places', 'instance'), 'places']],
      },
    ],
  },
  {
    title: 'Storage',
    panels: [
      { title: 'Time of a commit', unit: 's', queries: quantiles('assay_storage_commit_seconds') },
      { title: 'Changes per commit', unit: 'short', queries: quantiles('assay_storage_commit_operations') },
      { title: 'Commits and changes', unit: 'ops', queries: [[rateOfAll('assay_storage_commit_seconds_count'), 'commits'], [rateOfAll('assay_storage_commit_operations_sum'), 'changes'], [latest('assay_storage_operations_waiting', 'instance'), 'waiting']] },
      { title: 'Size', unit: 'bytes', queries: [[latest('assay_database_bytes', 'instance'), 'database'], [latest('assay_database_wal_bytes', 'instance'), 'write-ahead log']] },
      { title: 'Rows', unit: 'short', queries: [[`max by (table) (assay_rows${only('')} > 0)`, '{{table}}']] },
      { title: 'Cleared away', unit: 'ops', queries: [[rateOfAll('assay_sweeper_rows_total'), 'rows'], [rateOfAll('assay_sweeper_seconds_total'), 'seconds of work per second']] },
    ],
  },
  {
    title: 'Queues',
    panels: [
      { title: 'Outbox', unit: 'short', queries: [[latest('assay_outbox_waiting', 'kind'), '{{kind}}']] },
      { title: 'Oldest in the outbox', unit: 's', queries: [[latest('assay_outbox_oldest_seconds', 'kind'), '{{kind}}']] },
      { title: 'Deliveries', unit: 'cps', queries: [[rate('assay_deliveries_total', 'kind, outcome'), '{{kind}} {{outcome}}']] },
      { title: 'Webhooks', unit: 'short', queries: [[latest('assay_webhooks', 'state'), '{{state}}'], [`max(assay_webhook_events_behind${only('')})`, 'events behind']] },
      { title: 'Spans of traces', unit: 'cps', queries: [[rate('assay_trace_spans_total', 'outcome'), '{{outcome}}']] },
    ],
  },
  {
    title: 'Process',
    panels: [
      { title: 'Processor', unit: 'percentunit', queries: [[`rate(process_cpu_seconds_total${only('')}${RATE})`, '{{instance}}']] },
      { title: 'Memory', unit: 'bytes', queries: [[latest('process_resident_memory_bytes', 'instance'), '{{instance}}']] },
      { title: 'Event loop: how late', unit: 's', queries: quantiles('assay_event_loop_lag_seconds') },
      { title: 'Uptime', unit: 'dtdurations', queries: [[`time() - process_start_time_seconds${only('')}`, '{{instance}}'], [`max by (version, commit) (assay_build_info${only('')}) * 0`, '{{version}} {{commit}}']] },
      { title: 'Clock behind', unit: 's', text: 'Above 0 the clock of the machine went back.', queries: [[latest('assay_clock_behind_seconds', 'instance'), '{{instance}}']] },
    ],
  },
];

const WIDTH = 24;
const ACROSS = 3;
const HEIGHT = 8;
const datasource = { type: 'prometheus', uid: '$datasource' } as const;

function panelDocument({ title, unit, text, queries }: Panel, id: number, x: number, y: number): object {
  return {
    id, type: 'timeseries', title, ...(text !== undefined && { description: text }), datasource,
    gridPos: { x, y, w: WIDTH / ACROSS, h: HEIGHT },
    targets: queries.map(([expr, legendFormat], index) => ({ refId: String.fromCharCode('A'.charCodeAt(0) + index), datasource, editorMode: 'code', range: true, expr, legendFormat })),
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10, showPoints: 'never', spanNulls: false } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function panelDocuments(): readonly object[] {
  const documents: object[] = [];
  let y = 0;
  let id = 0;
  for (const { title, panels } of sections) {
    documents.push({ id: (id += 1), type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: WIDTH, h: 1 }, panels: [] });
    y += 1;
    for (const [index, panel] of panels.entries()) {
      const across = index % ACROSS;
      documents.push(panelDocument(panel, (id += 1), across * (WIDTH / ACROSS), y + Math.floor(index / ACROSS) * HEIGHT));
    }
    y += Math.ceil(panels.length / ACROSS) * HEIGHT;
  }
  return documents;
}

/** A dashboard for Grafana: import it, and choose the Prometheus that scrapes this server. */
export function grafanaDashboard(): object {
  return {
    uid: 'assay', title: 'Assay', tags: ['assay', 'oauth'], timezone: 'browser', editable: true, graphTooltip: 1, schemaVersion: 41, version: 1,
    refresh: '30s', time: { from: 'now-6h', to: 'now' }, annotations: { list: [] }, links: [],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0, includeAll: false, multi: false, options: [], refresh: 1, regex: '' },
        {
          name: 'instance', label: 'Instance', type: 'query', datasource, definition: 'label_values(assay_build_info, instance)',
          query: { query: 'label_values(assay_build_info, instance)', refId: 'instance' }, current: { text: ['All'], value: ['$__all'] },
          hide: 0, includeAll: true, multi: true, options: [], refresh: 2, regex: '', sort: 1,
        },
      ],
    },
    panels: panelDocuments(),
  };
}
