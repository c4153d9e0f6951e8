import type { Json } from './json.ts';

interface Placed {
  /** 1-based column of the first character. */
  readonly position: number;
  /** The token as written, for messages. */
  readonly text: string;
}

export type Token = NameToken | LiteralToken | ArgumentToken | SymbolToken | EndToken;

/** A field name or a word of the language: which one, the parser decides. */
export interface NameToken extends Placed {
  readonly kind: 'name';
  /** With escapes resolved. */
  readonly name: string;
  /** Lower case, or empty when an escape shows that a field is meant. */
  readonly word: string;
}

export interface LiteralToken extends Placed {
  readonly kind: 'literal';
  readonly value: Json;
}

export interface ArgumentToken extends Placed {
  readonly kind: 'argument';
  readonly index: number;
}

/** Operators, punctuation, `[c]`, `$user` and `@words`; `symbol` is the one spelling of those that have several. */
export interface SymbolToken extends Placed {
  readonly kind: 'symbol';
  readonly symbol: string;
}

export interface EndToken extends Placed {
  readonly kind: 'end';
}
