import { bindQuery, compile, type Json, parseQuery } from '../src/index.ts';

/** Whether a document matches a query, through the whole room. */
export function matches(text: string, document: Record<string, Json>, args: readonly Json[] = []): boolean {
  return compile(bindQuery(parseQuery(text), { args }))(document);
}
