import { type ErrorDefinition, errorCatalogue } from '../libs/protocol/src/errors.ts';

const start = '<!-- errors:start -->';
const end = '<!-- errors:end -->';

/** The page with the table between its markers made anew from the catalogue. Throws when the markers are missing. */
export function withErrorTable(page: string): string {
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page needs the lines ${start} and ${end}`);
  return `${page.slice(0, from + start.length)}\n${errorTable()}\n${page.slice(to)}`;
}

function errorTable(): string {
  const head = ['code', 'status', 'what happened', 'what to do', 'who can mend it', 'send again', 'log level'];
  const rows = Object.entries(errorCatalogue).map(([code, definition]) => [`\`${code}\``, ...cells(definition)]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function cells({ httpStatus, cause, cure, fault, retry, logLevel }: ErrorDefinition): readonly string[] {
  return [String(httpStatus), cause, cure, fault, retryWords[retry], logLevel];
}

const retryWords: Readonly<Record<ErrorDefinition['retry'], string>> = {
  never: 'no',
  later: 'after `retryAfterMs`',
  after_change: 'after the cure',
};
