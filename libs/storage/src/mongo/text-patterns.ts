import type { TextOperator } from '@tidemark/rql';
import { BSONRegExp } from 'mongodb';

/** Code points of a text that go into a pattern: MongoDB refuses long ones, and the predicate looks at the rest. */
const maxLength = 1_000;

interface TextPattern {
  readonly pattern: BSONRegExp;
  /** False when it also finds texts that do not match. */
  readonly exact: boolean;
}

/**
 * A pattern that finds all texts for which `text operator value` holds. There is nothing in it to backtrack over: of a
 * LIKE only the start and one literal piece are looked for.
 */
export function textPattern(operator: TextOperator, value: string, caseInsensitive: boolean): TextPattern {
  const fits = value.length <= maxLength && !caseInsensitive;
  switch (operator) {
    case 'beginsWith':
      return { pattern: regExp(`^${literal(value, caseInsensitive)}`, caseInsensitive), exact: fits };
    case 'contains':
      return { pattern: regExp(literal(value, caseInsensitive), caseInsensitive), exact: fits };
    case 'endsWith':
      // `$` also stands before a newline that ends the text.
      return {
        pattern: regExp(value.length <= maxLength ? `${literal(value, caseInsensitive)}$` : '', caseInsensitive),
        exact: false,
      };
    case 'like':
      return { pattern: regExp(likePattern(value, caseInsensitive), caseInsensitive), exact: false };
  }
}

/** Finds the texts that are equal but for case, and maybe more. */
export function wholeTextPattern(value: string): BSONRegExp {
  return regExp(value.length <= maxLength ? `^${literal(value, true)}$` : `^${literal(value, true)}`, true);
}

function likePattern(value: string, caseInsensitive: boolean): string {
  const pieces = value.split(/[*?]+/);
  const [start = ''] = pieces;
  if (start !== '') return `^${literal(start, caseInsensitive)}`;
  const longest = pieces.reduce((a, b) => (b.length > a.length ? b : a), '');
  return literal(longest, caseInsensitive);
}

function regExp(pattern: string, caseInsensitive: boolean): BSONRegExp {
  return new BSONRegExp(pattern, caseInsensitive ? 'is' : 's');
}

/**
 * The text as a pattern for itself. Engines agree on what the cases of ASCII letters are; any other character may be
 * any one character when case does not count.
 */
function literal(text: string, caseInsensitive: boolean): string {
  let pattern = '';
  for (const character of start(text)) {
    pattern += character > '\u007f' && caseInsensitive ? '.' : escaped(character);
  }
  return pattern;
}

/** Without the last character, where a text is cut: it may be half a one. */
function start(text: string): readonly string[] {
  return text.length <= maxLength ? [...text] : [...text.slice(0, maxLength)].slice(0, -1);
}

function escaped(character: string): string {
  if (character < ' ') return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return '\\^$.*+?()[]{}|'.includes(character) ? `\\${character}` : character;
}
