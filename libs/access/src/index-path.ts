import { fieldNameFault } from '@tidemark/protocol';

/** Why the value cannot be the path of an index (`owner`, `address.city`), as a sentence; undefined when it can. */
export function indexFault(path: unknown): string | undefined {
  if (typeof path !== 'string') return 'must be the path of a field, as in address.city';
  for (const name of path.split('.')) {
    const fault = fieldNameFault(name);
    if (fault !== undefined) return `is no path of a field: ${fault}`;
  }
  return undefined;
}
