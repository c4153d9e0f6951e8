/**
 * Adds to package-lock.json the optional packages that npm left out of it, with --check only tells of them (exit code 1).
 *
 * Tools ship a binary per platform as optional dependencies. When the registry at hand does not have one of them, npm
 * leaves it out of the lock file without a word, and from then on `npm ci` refuses the lock file on every machine. Run
 * this after changing dependencies. Versions are those that the tools pin; platforms are read off the names.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = 'package-lock.json';
const lock = JSON.parse(readFileSync(path, 'utf8'));
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** A package is looked for beside the one that wants it, then in every folder above, as Node does. */
function isLocked(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === '') return false;
    if (!folder.includes('/node_modules/')) return `node_modules/${name}` in lock.packages;
  }
}

function entry(name, version, parent) {
  const words = name.split(/[^a-z0-9]+/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = words.includes('musl') ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : [];
  const dev = parent.dev === true || parent.devOptional === true;
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(dev && { dev }),
    ...(libc.length > 0 && os.includes('linux') && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

const missing = Object.entries(lock.packages).flatMap(([from, parent]) =>
  Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(from, name))
    .map(([name, range]) => [name, entry(name, range.replace(/^[\^~=]/, ''), parent)]),
);
for (const [name, added] of missing) console.log(`${name}@${added.version} is missing in ${path}`);

if (process.argv.includes('--check')) process.exit(missing.length === 0 ? 0 : 1);
for (const [name, added] of missing) lock.packages[`node_modules/${name}`] = added;
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
if (missing.length > 0)
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
