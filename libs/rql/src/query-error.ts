export interface QueryErrorDetails {
  /** 1-based column in the query text, in UTF-16 units (what an editor's cursor counts). */
  readonly position: number;
  /** What would have been accepted there; empty when the trouble is not a missing word. */
  readonly expected?: readonly string[];
  /** What stood there instead, or why the text is refused. */
  readonly found: string;
}

/** A query or an argument that is refused. `message` is a sentence for a person. */
export class QueryError extends Error {
  readonly code = 'invalid_query';
  readonly position: number;
  readonly expected: readonly string[];

  constructor(details: QueryErrorDetails) {
    super(sentence(details));
    this.name = 'QueryError';
    this.position = details.position;
    this.expected = details.expected ?? [];
  }
}

const MAX_QUOTED = 120;

function sentence({ position, expected = [], ...details }: QueryErrorDetails): string {
  const found = details.found.slice(0, MAX_QUOTED);
  const where = `Invalid query at position ${position}`;
  if (expected.length === 0) return `${where}: ${found}.`;
  return `${where}: expected ${alternatives(expected)}, found ${found}.`;
}

function alternatives(expected: readonly string[]): string {
  const last = expected.at(-1) ?? '';
  return expected.length === 1 ? last : `${expected.slice(0, -1).join(', ')} or ${last}`;
}
