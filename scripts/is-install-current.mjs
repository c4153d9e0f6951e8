/** Exits with 0 when node_modules holds what package-lock.json asks for, with 1 when `npm ci` is due. */
import { readFileSync } from 'node:fs';

function packages(path) {
  try {
    return Object.entries(JSON.parse(readFileSync(path, 'utf8')).packages);
  } catch {
    return undefined;
  }
}

const wanted = packages('package-lock.json');
const installed = packages('node_modules/.package-lock.json');
if (wanted === undefined || installed === undefined) process.exit(1);

const versions = new Map(installed.map(([path, entry]) => [path, entry.version ?? entry.resolved]));
const missing = wanted.find(([path, entry]) => {
  // Packages for other systems are in the lock file, and rightly not here.
  if (!path.startsWith('node_modules/') || (entry.optional && !versions.has(path))) return false;
  return versions.get(path) !== (entry.version ?? entry.resolved);
});
process.exit(missing === undefined ? 0 : 1);
