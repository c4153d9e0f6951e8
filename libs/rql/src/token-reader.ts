import { ownProperty } from './json.ts';
import { QueryError } from './query-error.ts';
import { END, type Token } from './token.ts';

/** Walks over the tokens of a query, the last of which is the end, and holds what is known about it on the way. */
export class TokenReader {
  /** Whether `$user` may stand for a value. */
  readonly allowUser: boolean;
  /** The highest `$n` that was met, plus one. */
  argumentCount = 0;
  usesUser = false;
  /** How many parentheses and NOTs are open. */
  depth = 0;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[], allowUser: boolean) {
    this.#tokens = tokens;
    this.allowUser = allowUser;
  }

  /** The next token; at the end, the end for ever. */
  peek(): Token {
    return this.#tokens[Math.min(this.#index, this.#tokens.length - 1)] as Token;
  }

  next(): void {
    this.#index += 1;
  }

  /** Whether the next token is one of these words. */
  at(...words: readonly string[]): boolean {
    return words.includes(this.peek().word);
  }

  /** Steps over the next token if it is one of these words. */
  take(...words: readonly string[]): boolean {
    const taken = this.at(...words);
    if (taken) this.#index += 1;
    return taken;
  }

  /** Steps over the next token if it is a word of the table, and tells what stands there for it. */
  takeOf<T>(table: Readonly<Record<string, T>>): T | undefined {
    const found = ownProperty(table, this.peek().word);
    if (found !== undefined) this.#index += 1;
    return found;
  }

  fail(expected: readonly string[], remark = ''): never {
    const { position, text, word } = this.peek();
    const found = word === END ? text : JSON.stringify(text.slice(0, 40));
    throw new QueryError(position, found + remark, expected);
  }
}
