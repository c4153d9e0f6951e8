import type { Author, Json } from '@tidemark/protocol';
import {
  type BoundQuery,
  bindQuery,
  compile,
  FALSE_QUERY,
  type Predicate,
  type Query,
  QueryError,
  TRUE_QUERY,
} from '@tidemark/rql';
import { type BudgetedCache, createBudgetedCache } from './budgeted-cache.ts';
import { usedClaims } from './used-claims.ts';

/** One verb of one collection, as it stands for some author. */
export interface BoundRule {
  /** Exactly FALSE_QUERY when nothing can match. */
  readonly query: BoundQuery;
  /** False when nothing can match. */
  readonly isOpen: boolean;
  readonly matches: Predicate;
}

/** One verb of one collection. */
export interface Rule {
  /** As it is written. */
  readonly text: string;
  /** First names of the claims that it mentions, `sub` not among them. */
  readonly claims: readonly string[];
  bind(author: Author): BoundRule;
}

const never: BoundRule = { query: FALSE_QUERY, isOpen: false, matches: () => false };
const always: BoundRule = { query: TRUE_QUERY, isOpen: true, matches: () => true };

export const closedRule: Rule = { text: 'false', claims: [], bind: () => never };
export const openRule: Rule = { text: 'true', claims: [], bind: () => always };

/** Makes the rules of one file, which share one bounded memory of what they bound. */
export type RuleFactory = (query: Query) => Rule;

/**
 * Characters of cache keys in one file's memory, each entry counted with about what its compiled form takes:
 * some ten thousand authors with small claims, fewer with large ones.
 */
const cacheBudget = 2 ** 23;
const entryOverhead = 600;

/** Its rules bind once for each set of values that the claims they mention take. */
export function createRuleFactory(): RuleFactory {
  const cache = createBudgetedCache<BoundRule>(cacheBudget, entryOverhead);
  let made = 0;
  return (query) => {
    made += 1;
    return query.usesUser ? personalRule(query, cache, `${made}`) : commonRule(query);
  };
}

function commonRule(query: Query): Rule {
  const only = boundRule(query, {});
  return { text: query.source, claims: [], bind: () => only };
}

/** `prefix` tells the rule from the others in the cache. */
function personalRule(query: Query, cache: BudgetedCache<BoundRule>, prefix: string): Rule {
  const names = [...usedClaims(query.root)].filter((name) => name !== 'sub');
  const bind = ({ userId, claims }: Author) => {
    const key = names.reduce((text, name) => text + keyOf(claims, name), prefix + JSON.stringify(userId));
    return cache.get(key) ?? cache.set(key, boundRule(query, { ...claims, sub: userId }));
  };
  return { text: query.source, claims: names, bind };
}

/** Equal keys only for equal claims: JSON text cannot hold the bare control character, which also marks a missing claim. */
function keyOf(claims: Readonly<Record<string, Json>>, name: string): string {
  return Object.hasOwn(claims, name) ? `\u0000${JSON.stringify(claims[name])}` : '\u0000';
}

/** A claim that cannot stand where the rule wants it (too many values, a list for a single one) opens nothing. */
function boundRule(query: Query, user: Readonly<Record<string, Json>>): BoundRule {
  try {
    const bound = bindQuery(query, { user });
    if (bound.root.kind === 'constant' && !bound.root.value) return never;
    return { query: bound, isOpen: true, matches: compile(bound) };
  } catch (error) {
    if (error instanceof QueryError) return never;
    throw error;
  }
}
