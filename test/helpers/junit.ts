/** Reads the JUnit reports that `bun test` writes. */

export type Count = { passed: number; failed: number; skipped: number };

/** `missing`: files that were asked for and are not in the report, because they crashed or did not load; each counts as failed. */
export type Report = { count: Count; missing: string[]; skipped: string[]; failed: string[] };

/** In: the report ('' when none was written) and the files that were asked for. Out: counts and `file: name` lists. */
export function countJunit(xml: string, files: string[]): Report {
  const cases = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, head = '', body = '']) => ({
      name: `${attribute(head, 'file')}: ${attribute(head, 'name')}`,
      isSkipped: body.includes('<skipped'),
      isFailed: /<(failure|error)\b/.test(body),
    }),
  );
  const reported = new Set([...xml.matchAll(/<testsuite ([^>]*)>/g)].map(([, head = '']) => attribute(head, 'file')));
  const missing = files.filter((file) => !reported.has(file));
  const failed = cases.filter(({ isFailed }) => isFailed).map(({ name }) => name);
  const skipped = cases.filter(({ isSkipped }) => isSkipped).map(({ name }) => name);
  const passed = cases.length - failed.length - skipped.length;
  return {
    count: { passed, failed: failed.length + missing.length, skipped: skipped.length },
    missing,
    skipped,
    failed,
  };
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#10': ' ', '#39': "'" };

function attribute(head: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? '';
  return value.replace(/&([#\w]+);/g, (whole, entity: string) => entities[entity] ?? whole);
}
