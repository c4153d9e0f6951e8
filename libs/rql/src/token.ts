import type { Json } from './json.ts';

/** What the end is called, as a word that no text contains. */
export const END = 'the end';

export interface Token {
  /** 1-based column of the first character. */
  readonly position: number;
  /** The token as written, for messages. */
  readonly text: string;
  /**
   * What the parser knows it by: an operator, punctuation, `[c]`, `$user`, an `@word`, or what may be a word of the language, in lower
   * case. Empty for a literal, an argument, and a name that by its escapes can only be a field.
   */
  readonly word: string;
  /** The field that it may name, with escapes resolved. */
  readonly name?: string;
  /** What a literal stands for. */
  readonly value?: Json;
  /** The number of an argument. */
  readonly argument?: number;
}
