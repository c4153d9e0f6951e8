import { RE2JS } from 're2js';

/** A regular expression that is matched in time linear in the text, whatever the pattern: patterns meet text from clients. */
export interface LinearPattern {
  test(text: string): boolean;
  /** The pattern; the schema compiler tells patterns apart by it. */
  toString(): string;
}

/** Takes JavaScript's syntax. Throws when the pattern is none, or needs what cannot be linear: back references, lookaround. */
export function linearPattern(pattern: string): LinearPattern {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  return { test: (text) => compiled.test(text), toString: () => pattern };
}
