/**
 * The rule of the house: imports go down, and only into the rooms that the table names. Read from the compiler's
 * own syntax trees, so that type-only imports, `import('…')` types and re-exports count too.
 */
import { beforeAll, expect, test } from 'bun:test';
import { join, relative, resolve } from 'node:path';
import * as is from 'typescript/unstable/ast/is';
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/async';

/** What a room may import: other rooms of src/ (its own always), files outside src/, packages, built-in modules. */
type Room = { rooms: string[]; files?: string[]; packages?: string[]; builtins?: string[] };

/** Folders of src/. `app` and `main.ts` put the house together and may import anything, as may `cli`. */
const rooms: Record<string, Room | 'anything'> = {
  spec: { rooms: [] },
  core: { rooms: ['spec'] },
  keys: { rooms: ['core', 'spec'], packages: ['jose'], builtins: ['node:crypto', 'node:fs', 'node:os', 'node:path', 'node:util'] },
  tokens: { rooms: ['core', 'spec', 'keys'], packages: ['jose'], builtins: ['node:crypto'] },
  storage: {
    rooms: ['core', 'spec'],
    files: ['drizzle'],
    packages: ['drizzle-orm'],
    builtins: ['bun:sqlite', 'node:crypto', 'node:fs', 'node:path', 'node:url', 'node:util'],
  },
  credentials: { rooms: ['core', 'spec'], packages: ['@simplewebauthn/server', 'reflect-metadata', 'otpauth', 'bowser', 'uqr'], builtins: ['node:crypto'] },
  audit: { rooms: ['core', 'spec'], builtins: ['bun:ffi', 'node:crypto', 'node:dgram', 'node:net', 'node:os'] },
  importers: { rooms: ['core', 'spec'], packages: ['csv-parse'], builtins: ['node:crypto', 'node:stream'] },
  metrics: { rooms: ['core', 'spec'], packages: ['@opentelemetry'], builtins: ['node:async_hooks', 'node:crypto'] },
  outbound: {
    rooms: ['core', 'spec'],
    packages: ['nodemailer'],
    builtins: ['node:crypto', 'node:dns', 'node:dns/promises', 'node:http', 'node:https', 'node:net', 'node:tls'],
  },
  pages: { rooms: ['core', 'spec'], packages: ['preact', 'preact-render-to-string'] },
  config: { rooms: ['core', 'spec'], packages: ['yaml'], builtins: ['node:crypto', 'node:fs', 'node:path'] },
  service: { rooms: ['core', 'spec', 'tokens', 'keys', 'credentials', 'config', 'importers', 'metrics'] },
  http: {
    rooms: ['service', 'pages', 'metrics', 'core', 'spec', 'version.ts'],
    files: ['node_modules'],
    packages: ['elysia', '@elysiajs/swagger', 'swagger-ui-dist'],
    builtins: ['node:crypto', 'node:net'],
  },
  cli: 'anything',
  app: 'anything',
  'app.ts': 'anything',
  'main.ts': 'anything',
  'version.ts': { rooms: [], files: ['package.json'] },
};

/** Rooms that only decide: facts and now come in, a verdict goes out. */
const pure = ['spec', 'core'];
/** What has no place there: clocks, chance, the machine, waiting. Types of promises (the ports') are fine. */
const impure = [
  'Bun',
  'process',
  'performance',
  'globalThis',
  'crypto',
  'setTimeout',
  'setInterval',
  'fetch',
  'console',
];
const mostLines = 300;

const root = resolve(import.meta.dir, '..');
const src = join(root, 'src');
const files: { path: string; room: string; tree: SourceFile }[] = [];

beforeAll(async () => {
  const api = new API({ cwd: root });
  const config = join(root, 'tsconfig.json');
  const snapshot = await api.updateSnapshot({ openProjects: [config] });
  const program = snapshot.getProject(config)!.program;
  for (const path of await program.getSourceFileNames()) {
    if (!path.startsWith(`${src}/`) || path.endsWith('.d.ts')) continue;
    const tree = await program.getSourceFile(path);
    if (tree) files.push({ path: relative(root, path), room: relative(src, path).split('/')[0]!, tree });
  }
  await api.close();
});

test('every file of src/ is in a room that the table knows', () => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter(({ room }) => rooms[room] === undefined).map(({ path }) => path)).toEqual([]);
});

test('imports go down, into rooms and packages that the table allows', () => {
  const wrong = files.flatMap(({ path, room, tree }) =>
    imports(tree).flatMap(({ specifier, node }) => {
      const why = refusal(path, room, specifier);
      return why === undefined ? [] : [`${at(path, tree, node)} imports '${specifier}': ${why}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test('spec and core have no clock, no chance, no machine and never wait', () => {
  expect(find(pure, (node) => impurity(node))).toEqual([]);
});

test('no Math.random anywhere', () => {
  expect(find(undefined, (node) => (isMember(node, 'Math', 'random') ? 'Math.random' : undefined))).toEqual([]);
});

test('no any', () => {
  expect(find(undefined, (node) => (node.kind === SyntaxKind.AnyKeyword ? 'any' : undefined))).toEqual([]);
});

test('no default exports', () => {
  const isDefault = (node: Node): boolean =>
    is.isExportAssignment(node) ||
    (node.kind === SyntaxKind.DefaultKeyword && !is.isDefaultClause(node.parent)) ||
    (is.isExportSpecifier(node) && node.name.text === 'default');
  expect(find(undefined, (node) => (isDefault(node) ? 'default export' : undefined))).toEqual([]);
});

test('no barrels: no file that only passes on what others export', () => {
  const passesOn = (node: Node): boolean => is.isExportDeclaration(node) && node.moduleSpecifier !== undefined;
  const barrels = files.filter(({ tree }) => {
    const own = tree.statements.filter((statement) => !is.isImportDeclaration(statement) && !passesOn(statement));
    return own.length === 0 && tree.statements.some(passesOn);
  });
  expect(barrels.map(({ path }) => path)).toEqual([]);
});

test(`no file over ${mostLines} lines`, () => {
  const counted = files.map(({ path, tree }) => ({ path, lines: tree.text.trimEnd().split('\n').length }));
  expect(counted.filter(({ lines }) => lines > mostLines)).toEqual([]);
});

/** Why this import may not be, or undefined when it may. */
function refusal(path: string, room: string, specifier: string): string | undefined {
  const rule = rooms[room];
  if (rule === undefined || rule === 'anything') return undefined;
  if (specifier.startsWith('.')) {
    const target = resolve(root, path, '..', specifier);
    if (!target.startsWith(`${src}/`)) {
      const outside = relative(root, target).split('/')[0]!;
      return rule.files?.includes(outside) ? undefined : `${room} may not read ${outside}`;
    }
    const other = relative(src, target).split('/')[0]!;
    return other === room || rule.rooms.includes(other) ? undefined : `${room} may enter ${names(rule.rooms)}`;
  }
  if (/^(node|bun):/.test(specifier)) {
    return rule.builtins?.includes(specifier) ? undefined : `built-ins of ${room}: ${names(rule.builtins)}`;
  }
  const known = rule.packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return known ? undefined : `packages of ${room}: ${names(rule.packages)}`;
}

function names(list: string[] = []): string {
  return list.length === 0 ? 'none' : list.join(', ');
}

/** Every module that a file names: import, export … from, import('…'), import('…').Type, require('…'). */
function imports(tree: SourceFile): { specifier: string; node: Node }[] {
  return nodes(tree).flatMap((node) => {
    const named =
      is.isImportDeclaration(node) || is.isExportDeclaration(node)
        ? node.moduleSpecifier
        : is.isImportTypeNode(node) && is.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : is.isExternalModuleReference(node)
            ? node.expression
            : is.isCallExpression(node) && ['import', 'require'].includes(node.expression.getText(tree))
              ? node.arguments[0]
              : undefined;
    if (named === undefined) return [];
    return [
      {
        specifier: is.isStringLiteral(named) || is.isNoSubstitutionTemplateLiteral(named) ? named.text : '(computed)',
        node,
      },
    ];
  });
}

function impurity(node: Node): string | undefined {
  if (is.isAwaitExpression(node)) return 'await';
  if (node.kind === SyntaxKind.AsyncKeyword) return 'async';
  if (node.kind === SyntaxKind.AwaitKeyword) return 'await';
  if (isMember(node, 'Date', 'now')) return 'Date.now';
  if (is.isNewExpression(node) && isName(node.expression, 'Date') && !node.arguments?.length) return 'new Date()';
  if (!is.isIdentifier(node) || !impure.includes(node.text)) return undefined;
  const { parent } = node;
  const holdsName =
    is.isPropertyAccessExpression(parent) ||
    is.isPropertyAssignment(parent) ||
    is.isPropertySignatureDeclaration(parent);
  return holdsName && parent.name === node ? undefined : node.text;
}

function isMember(node: Node, object: string, property: string): boolean {
  return is.isPropertyAccessExpression(node) && isName(node.expression, object) && node.name.text === property;
}

function isName(node: Node, name: string): boolean {
  return is.isIdentifier(node) && node.text === name;
}

/** `file:line: what` for every node of these rooms (of all, when undefined) in which `what` finds something. */
function find(only: string[] | undefined, what: (node: Node) => string | undefined): string[] {
  const searched = files.filter(({ room }) => only === undefined || only.includes(room));
  return searched.flatMap(({ path, tree }) =>
    nodes(tree).flatMap((node) => {
      const found = what(node);
      return found === undefined ? [] : [`${at(path, tree, node)}: ${found}`];
    }),
  );
}

function nodes(tree: SourceFile): Node[] {
  const all: Node[] = [];
  const visit = (node: Node): undefined => {
    all.push(node);
    node.forEachChild(visit);
  };
  visit(tree);
  return all;
}

function at(path: string, tree: SourceFile, node: Node): string {
  return `${path}:${tree.text.slice(0, node.getStart(tree)).split('\n').length}`;
}
