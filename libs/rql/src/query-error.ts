/** A query or an argument that is refused. `message` is a sentence for a person. */
export class QueryError extends Error {
  readonly code = 'invalid_query';
  /** 1-based column in the query text, in UTF-16 units (what an editor's cursor counts). */
  readonly position: number;
  /** What would have been accepted there; empty when the trouble is not a missing word. */
  readonly expected: readonly string[];

  /** `found`: what stood there instead, or why the text is refused. */
  constructor(position: number, found: string, expected: readonly string[] = []) {
    const wanted = expected.length > 0 ? `expected ${alternatives(expected)}, found ` : '';
    super(`Invalid query at position ${position}: ${wanted}${found.slice(0, MAX_QUOTED)}.`);
    this.name = 'QueryError';
    this.position = position;
    this.expected = expected;
  }
}

const MAX_QUOTED = 120;

function alternatives(expected: readonly string[]): string {
  const last = expected.at(-1) ?? '';
  return expected.length === 1 ? last : `${expected.slice(0, -1).join(', ')} or ${last}`;
}
