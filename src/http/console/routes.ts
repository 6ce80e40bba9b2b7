import { auditRoutes } from './audit-export.ts';
import type { ConsoleRoute } from './call.ts';
import { dashboardRoutes } from './dashboard.ts';
import { routesOf } from './engine.ts';
import { inspectorRoutes } from './inspector.ts';
import { liveRoutes } from './live.ts';
import { searchRoutes } from './search.ts';
import { consoleResources } from './table.ts';

/** Every page of the console but setting up. */
export const consoleRoutes: readonly ConsoleRoute[] = [
  ...dashboardRoutes, ...searchRoutes, ...inspectorRoutes, ...liveRoutes, ...auditRoutes,
  ...consoleResources.flatMap(routesOf),
];
