import type { Meters } from './meters.ts';

/** How often the event loop is looked at, milliseconds. */
const LOOK_EVERY_MS = 500;

/** What the process itself costs. */
export type ProcessFigures = { readonly residentBytes: number; readonly cpuSeconds: number; readonly startedAtMs: number };

/** As of now; asking costs microseconds. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6, startedAtMs: performance.timeOrigin };
}

/** Puts what the process costs into the registry, under the names that Prometheus' own clients use. */
export function registerProcess({ registry }: Meters, build: { readonly version: string; readonly commit: string }): void {
  const one = (value: number): readonly [{ readonly labels: readonly []; readonly value: number }] => [{ labels: [], value }];
  registry.read('gauge', { name: 'process_resident_memory_bytes', help: 'Memory in use.', labels: [] }, () => one(processFigures().residentBytes));
  registry.read('counter', { name: 'process_cpu_seconds_total', help: 'Processor time used.', labels: [] }, () => one(processFigures().cpuSeconds));
  registry.read('gauge', { name: 'process_start_time_seconds', help: 'When the process started, since the epoch.', labels: [] }, () => one(processFigures().startedAtMs / 1000));
  registry.read('gauge', { name: 'assay_build_info', help: 'What was built.', labels: ['version', 'commit'] }, () => [{ labels: [build.version, build.commit], value: 1 }]);
}

/** Watches how late the event loop is. @returns stops it */
export function watchEventLoop(meters: Meters): () => void {
  let expectedMs = performance.now() + LOOK_EVERY_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    meters.lagged(Math.max(0, nowMs - expectedMs) / 1000);
    expectedMs = nowMs + LOOK_EVERY_MS;
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
