import { join } from 'node:path';

/** Returns the text of a file, `undefined` when there is none. Other failures throw. */
export type ReadFile = (path: string) => string | undefined;

/** What a settings file holds, by key path, and what is wrong with it. */
export interface FileContent {
  readonly path: string;
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly string[];
}

/**
 * Reads `<configDir>/<nodeEnv>.json`. A missing file is an empty one; a malformed one is a problem, and so is every key
 * that is not in `known`, because a misspelt key would silently change nothing.
 */
export function readSettingsFile(
  place: { readonly configDir: string; readonly nodeEnv: string },
  known: readonly string[],
  readFile: ReadFile,
): FileContent {
  const path = join(place.configDir, `${place.nodeEnv}.json`);
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  try {
    const text = readFile(path);
    if (text !== undefined) collect(parseObject(text), '', { known, values, problems, path });
  } catch (error) {
    problems.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { path, values, problems };
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (!isObject(value)) throw new Error('a JSON object was expected');
  return value;
}

interface Collecting {
  readonly known: readonly string[];
  readonly values: Map<string, unknown>;
  readonly problems: string[];
  readonly path: string;
}

function collect(object: Record<string, unknown>, prefix: string, into: Collecting): void {
  for (const [name, value] of Object.entries(object)) {
    const key = prefix + name;
    if (into.known.includes(key)) into.values.set(key, value);
    else if (!into.known.some((other) => other.startsWith(`${key}.`))) {
      into.problems.push(`${key} in ${into.path} is not a setting; known are ${into.known.join(', ')}`);
    } else if (isObject(value)) collect(value, `${key}.`, into);
    else into.problems.push(`${key} in ${into.path} must be an object`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
