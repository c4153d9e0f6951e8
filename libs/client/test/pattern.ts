import { isDeepStrictEqual } from 'node:util';

/** What `{"$as": …}` has remembered. */
export type Memory = Map<string, unknown>;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined when the value matches, else where and why not. The language is described in `scenarios/README.md`. */
export function mismatch(pattern: unknown, value: unknown, memory: Memory, path = 'value'): string | undefined {
  if (isFields(pattern)) {
    if ('$any' in pattern) return undefined;
    if ('$absent' in pattern) return value === undefined ? undefined : `${path} is there`;
    if ('$as' in pattern) {
      memory.set(String(pattern.$as), value);
      return value === undefined ? `${path} is not there` : undefined;
    }
    if ('$ref' in pattern) return same(memory.get(String(pattern.$ref)), value, path);
    if (!isFields(value)) return `${path} is ${JSON.stringify(value)}, not an object`;
    return first(Object.keys(pattern), (name) => mismatch(pattern[name], value[name], memory, `${path}.${name}`));
  }
  if (!Array.isArray(pattern)) return same(pattern, value, path);
  if (!Array.isArray(value) || value.length !== pattern.length)
    return `${path} is ${JSON.stringify(value)}, not a list of ${pattern.length}`;
  return first([...pattern.keys()], (index) => mismatch(pattern[index], value[index], memory, `${path}[${index}]`));
}

/** The value with what was remembered in it. */
export function resolved(value: unknown, memory: Memory): unknown {
  if (Array.isArray(value)) return value.map((member) => resolved(member, memory));
  if (!isFields(value)) return value;
  if ('$ref' in value) return memory.get(String(value.$ref));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolved(member, memory)]));
}

function same(expected: unknown, value: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(expected, value)) return undefined;
  return `${path} is ${JSON.stringify(value)}, not ${JSON.stringify(expected)}`;
}

function first<T>(members: readonly T[], check: (member: T) => string | undefined): string | undefined {
  for (const member of members) {
    const fault = check(member);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
