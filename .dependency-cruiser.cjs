/**
 * Who may import whom. A folder under libs/ and services/ is a room with one door: others come in through what its
 * package.json exports, and only the rooms listed for them here. `npm run lint` runs it; scripts/lint-rooms.test.ts
 * plants a violation of every rule and expects the report.
 */
const { readFileSync, readdirSync, existsSync } = require('node:fs');
const { join } = require('node:path');

const foundation = [
  'libs/protocol',
  'libs/rql',
  'libs/access',
  'libs/storage',
  'libs/transport',
  'libs/telemetry',
  'libs/config',
];
/** From settings to adapters: what the mains of the services share. */
const runtime = 'libs/runtime';
const services = ['services/gateway', 'services/writer', 'services/janitor'];

const mayImport = {
  'libs/protocol': [],
  'libs/telemetry': [],
  'libs/config': [],
  'libs/rql': ['libs/protocol'],
  'libs/access': ['libs/protocol', 'libs/rql'],
  'libs/storage': ['libs/protocol', 'libs/rql', 'libs/telemetry'],
  'libs/transport': ['libs/protocol', 'libs/telemetry'],
  'libs/client': ['libs/protocol', 'libs/rql'],
  'libs/runtime': foundation,
  'services/gateway': [...foundation, runtime],
  'services/writer': [...foundation, runtime],
  'services/janitor': [...foundation, runtime],
  'services/standalone': [...foundation, runtime, ...services],
};

/** Everything else that is a workspace (examples, load test, whole-system tests) may enter every room, by its door. */
const anyRoom = Object.keys(mayImport);

/** Tests and what serves them: suites that ship with a port, servers to test against, benchmarks. */
const testFiles = '(\\.test\\.tsx?$|/(conformance|testing|fixtures|test|bench)/)';

function workspaces() {
  const grouped = ['libs', 'services', 'examples'].flatMap((group) =>
    existsSync(join(__dirname, group)) ? readdirSync(join(__dirname, group)).map((name) => `${group}/${name}`) : [],
  );
  return [...grouped, 'loadtest', 'test'].filter((folder) => existsSync(join(__dirname, folder, 'package.json')));
}

const manifests = new Map(
  workspaces().map((folder) => [folder, JSON.parse(readFileSync(join(__dirname, folder, 'package.json'), 'utf8'))]),
);
const folderOf = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]));

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function either(paths) {
  return `^(?:${paths.map(escaped).join('|')})`;
}

function doorsOf(folder) {
  const targets = Object.values(manifests.get(folder)?.exports ?? {}).map((target) => target['tidemark-source']);
  return targets.filter((target) => target !== undefined).map((target) => join(folder, target));
}

/** The rules of one workspace. */
function roomRules(folder) {
  const allowed = mayImport[folder] ?? anyRoom;
  const manifest = manifests.get(folder);
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies });
  const declaredRooms = declared.map((name) => folderOf.get(name)).filter((room) => room !== undefined);
  const others = [...manifests.keys()].filter((other) => other !== folder);
  const forbidden = others.filter((other) => !allowed.includes(other));
  const undeclared = others.filter((other) => allowed.includes(other) && !declaredRooms.includes(other));
  const rule = (name, comment, rooms) => ({
    name: `${name}:${folder}`,
    comment,
    severity: 'error',
    from: { path: `^${escaped(folder)}/` },
    to: { path: either(rooms.map((room) => `${room}/`)) },
  });
  const rules = [];
  if (forbidden.length > 0) {
    rules.push(rule('room', `${folder} may import: ${allowed.join(', ') || 'no other room'}`, forbidden));
  }
  if (undeclared.length > 0) {
    rules.push(rule('undeclared-room', `add the room to the dependencies in ${folder}/package.json`, undeclared));
  }
  rules.push({
    name: `door:${folder}`,
    comment: 'a room is entered by its index.ts or a subpath that its package.json exports',
    severity: 'error',
    from: { path: '^(libs|services|examples|loadtest|test)/', pathNot: `^${escaped(folder)}/` },
    to: {
      path: `^${escaped(folder)}/`,
      ...(doorsOf(folder).length > 0 ? { pathNot: `${either(doorsOf(folder))}$` } : {}),
    },
  });
  rules.push({
    name: `own-door:${folder}`,
    comment: 'inside a room, import the file that holds the thing, not the index',
    severity: 'error',
    from: { path: `^${escaped(folder)}/src/`, pathNot: testFiles },
    to: { path: `^${escaped(folder)}/src/index\\.ts$` },
  });
  return rules;
}

/**
 * The walker that swc ships, and dependency-cruiser extends, was written before `using` and stops at it. It is taught
 * here; the test of these rules plants an import behind one.
 */
function teachUsing() {
  const { Visitor } = require('@swc/core/Visitor.js');
  const { visitStatement, visitForOfStatement } = Visitor.prototype;
  Visitor.prototype.visitStatement = function (statement) {
    if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
    statement.decls = this.visitVariableDeclarators(statement.decls);
    return statement;
  };
  Visitor.prototype.visitForOfStatement = function (loop) {
    if (loop.left.type !== 'UsingDeclaration') return visitForOfStatement.call(this, loop);
    loop.right = this.visitExpression(loop.right);
    loop.body = this.visitStatement(loop.body);
    return loop;
  };
}
teachUsing();

/** dependency-cruiser asks swc for TypeScript without JSX, whatever the file is called. */
function teachTsx() {
  const { Compiler } = require('@swc/core');
  const { parseFileSync } = Compiler.prototype;
  Compiler.prototype.parseFileSync = function (path, options) {
    return parseFileSync.call(this, path, path.endsWith('.tsx') ? { ...options, tsx: true } : options);
  };
}
teachTsx();

const rootTools = Object.keys(JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')).devDependencies);

module.exports = {
  forbidden: [
    ...[...manifests.keys()].flatMap(roomRules),
    {
      name: 'no-circular',
      comment: 'two files that need each other are one thing, or hide a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'the import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: 'add the package to the dependencies of the workspace that imports it',
      severity: 'error',
      from: { pathNot: [testFiles, '^[^/]+$', '^scripts/'] },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'no-undeclared-test-package',
      comment: 'tests may use what the root package.json has for tools; anything else is declared where it is used',
      severity: 'error',
      from: { path: [testFiles, '^scripts/'] },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer'],
        pathNot: either(rootTools.map((tool) => `node_modules/${tool}/`)),
      },
    },
    {
      name: 'no-dev-package-in-source',
      comment:
        'what runs must be among the dependencies (or what a program brings along, the peers), not the devDependencies',
      severity: 'error',
      from: { path: '^(libs|services)/', pathNot: testFiles },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'no-test-in-source',
      comment: 'what runs does not import tests, nor what serves them',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: testFiles },
      to: { path: testFiles, pathNot: '(^|/)node_modules/' },
    },
  ],
  options: {
    // TypeScript 7 has no JavaScript API; swc reads the imports, type-only ones included.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|data|\\.cache|\\.run)/|\\.d\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['tidemark-source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json'],
    },
  },
};
