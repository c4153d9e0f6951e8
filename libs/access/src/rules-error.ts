export interface RulesErrorDetails {
  readonly fileName: string;
  /** Names from the top of the file to the place, `collections.tasks.read`; empty for the file itself. */
  readonly path: string;
  /** What is wrong there. */
  readonly reason: string;
  /** 1-based. */
  readonly line?: number | undefined;
  /** 1-based, in UTF-16 units. */
  readonly column?: number | undefined;
  readonly cause?: unknown;
}

/** A rules file that is refused. `message` names the file, the position, the path and the reason. */
export class RulesError extends Error {
  readonly path: string;
  readonly line?: number;
  readonly column?: number;

  constructor(details: RulesErrorDetails) {
    super(sentence(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RulesError';
    this.path = details.path;
    if (details.line !== undefined) this.line = details.line;
    if (details.column !== undefined) this.column = details.column;
  }
}

function sentence({ fileName, path, reason, line, column }: RulesErrorDetails): string {
  const position = line === undefined ? '' : `:${line}:${column ?? 1}`;
  return `${fileName}${position}: ${path === '' ? '' : `${path}: `}${reason}`;
}
