/** A collector of traces: takes OTLP over HTTP as JSON, and keeps it. */

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number | string } };
/** A span as the protocol's JSON has it. */
export type ReceivedSpan = {
  readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly name: string; readonly kind: number;
  readonly startTimeUnixNano: string; readonly endTimeUnixNano: string; readonly attributes: readonly Attribute[]; readonly status: { readonly code: number };
};
type Export = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly ReceivedSpan[] }[];
  }[];
};

export class Collector {
  readonly requests: { readonly path: string; readonly headers: Headers; readonly body: string }[] = [];
  /** What it answers from now on. */
  status = 200;
  private readonly server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => this.take(request) });
  readonly url = `http://127.0.0.1:${this.server.port}`;

  private async take(request: Request): Promise<Response> {
    this.requests.push({ path: new URL(request.url).pathname, headers: request.headers, body: await request.text() });
    return new Response('{}', { status: this.status, headers: { 'Content-Type': 'application/json' } });
  }

  get exports(): readonly Export[] {
    return this.requests.map(({ body }) => JSON.parse(body) as Export);
  }

  get spans(): readonly ReceivedSpan[] {
    return this.exports.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
  }

  close(): Promise<void> {
    return this.server.stop(true);
  }
}

/** Attributes as an object. */
export function attributesOf(attributes: readonly Attribute[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));
}
