import { QueryError } from './query-error.ts';
import type { Token } from './token.ts';

/** Walks over tokens, the last of which is an end. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private index = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  /** The next token; at the end, the end for ever. */
  peek(): Token {
    const token = this.tokens[Math.min(this.index, this.tokens.length - 1)];
    if (!token) throw new RangeError('There are no tokens.');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.index += 1;
    return token;
  }

  atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** Whether the next token is one of these symbols or words (lower case). */
  at(...spellings: readonly string[]): boolean {
    const token = this.peek();
    if (token.kind === 'symbol') return spellings.includes(token.symbol);
    return token.kind === 'name' && token.word !== '' && spellings.includes(token.word);
  }

  /** Steps over the next token if it is one of these. */
  take(...spellings: readonly string[]): boolean {
    const taken = this.at(...spellings);
    if (taken) this.index += 1;
    return taken;
  }

  fail(expected: readonly string[], remark = ''): never {
    const { position, text, kind } = this.peek();
    const found = kind === 'end' ? text : JSON.stringify(text.slice(0, 40));
    throw new QueryError({ position, expected, found: found + remark });
  }
}
