/**
 * Makes the package that a user installs, from the sources and the declarations that `tsc -b` has written:
 * `esm/` and `cjs/`, both with types, and a package.json of their own. The rooms that the client is made of are inside, so that
 * it needs nothing but what npm has; see docs/decisions/0011-the-client-is-built-as-one-package.md.
 *
 *     node scripts/build-package.mjs [folder = dist/package]
 *
 * Run by `npm run build`, which puts esbuild into the PATH.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? join(root, 'dist/package'));
const manifest = readJson(join(root, 'package.json'));
const entries = ['index', 'browser/index', 'node/index', 'react/index', 'devtools/index'];

/** The rooms that go into the package: where their declarations are, and where they go. */
const rooms = {
  '@tidemark/protocol/core': 'protocol/core',
  '@tidemark/protocol/limits': 'protocol/limits',
  '@tidemark/rql': 'rql/index',
};
const isRoom = (name) => name.startsWith('@tidemark/');
const dependencies = Object.fromEntries(Object.entries(manifest.dependencies).filter(([name]) => !isRoom(name)));

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeJson('package.json', packageManifest());
writeJson('cjs/package.json', { type: 'commonjs' });
cpSync(join(root, '../../LICENSE'), join(target, 'LICENSE'));
buildModules();
copyDeclarations('esm');
copyDeclarations('cjs');

function packageManifest() {
  const { name, version, license, sideEffects, peerDependencies, peerDependenciesMeta } = manifest;
  const { engines } = readJson(join(root, '../../package.json'));
  // No module imports zod: the declarations name its types.
  const zod = readJson(join(root, '../protocol/package.json')).dependencies.zod;
  return {
    ...{ name, version, license, type: 'module', sideEffects, engines },
    ...{ main: './cjs/index.js', types: './cjs/index.d.ts' },
    exports: Object.fromEntries(entries.map((entry) => [subpath(entry), conditions(entry)])),
    ...{ dependencies: { ...dependencies, zod }, peerDependencies, peerDependenciesMeta },
  };
}

function subpath(entry) {
  return entry === 'index' ? '.' : `./${dirname(entry)}`;
}

function conditions(entry) {
  const files = (kind) => ({ types: `./${kind}/${entry}.d.ts`, default: `./${kind}/${entry}.js` });
  return { import: files('esm'), require: files('cjs') };
}

/**
 * What several subpaths use becomes a file that they share: a class has one identity, whichever subpath it comes from. esbuild
 * shares between modules only, so CommonJS is made of the finished modules, file by file.
 */
function buildModules() {
  const externals = [...Object.keys(dependencies), ...Object.keys(manifest.peerDependencies)];
  const options = ['--platform=node', '--target=es2022', '--log-level=warning'];
  const sources = entries.map((entry) => join(root, 'src', `${entry}.ts`));
  esbuild(sources, 'esm', [
    ...['--bundle', '--splitting', '--format=esm', '--conditions=tidemark-source', ...options],
    ...[`--outbase=${join(root, 'src')}`, ...externals.map((name) => `--external:${name}`)],
  ]);
  esbuild([join(target, 'esm/**/*.js')], 'cjs', ['--format=cjs', `--outbase=${join(target, 'esm')}`, ...options]);
}

function esbuild(inputs, folder, options) {
  execFileSync('esbuild', [...inputs, ...options, `--outdir=${join(target, folder)}`], { stdio: 'inherit' });
}

/** Copies the declarations of the entries and all that they lead to; imports of rooms become paths. */
function copyDeclarations(kind) {
  const copied = new Set();
  const copy = (module) => {
    if (copied.has(module)) return;
    copied.add(module);
    const text = readFileSync(declarationOf(module), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
    const path = join(target, kind, `${module}.d.ts`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      text.replace(/(\bfrom |\bimport\()'([^']+)'/g, (found, before, specifier) => {
        const imported = importedModule(module, specifier);
        if (imported === undefined) return found;
        copy(imported);
        return `${before}'${pathBetween(module, imported)}'`;
      }),
    );
  };
  for (const entry of entries) copy(entry);
}

/** Where `tsc -b` has put the declarations of a module of the package. */
function declarationOf(module) {
  const [, room, path] = /^(protocol|rql)\/(.*)$/.exec(module) ?? [];
  return room === undefined ? join(root, 'dist', `${module}.d.ts`) : join(root, '..', room, 'dist', `${path}.d.ts`);
}

/** The module of this package that an import means; undefined for one of another package. */
function importedModule(from, specifier) {
  if (specifier.startsWith('.')) return join(dirname(from), specifier).replace(/\.tsx?$/, '');
  if (isRoom(specifier) && rooms[specifier] === undefined)
    throw new Error(`${from} imports ${specifier}: where is it?`);
  return rooms[specifier];
}

function pathBetween(from, to) {
  const path = relative(dirname(from), `${to}.js`);
  return path.startsWith('.') ? path : `./${path}`;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeJson(path, value) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), `${JSON.stringify(value, null, 2)}\n`);
}
