import type { Author, Json } from '@tidemark/protocol';
import {
  type BoundQuery,
  bindQuery,
  compile,
  FALSE_QUERY,
  type Predicate,
  type Query,
  QueryError,
} from '@tidemark/rql';
import { createBudgetedCache } from './budgeted-cache.ts';
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
  /** First names of the claims that it mentions, `sub` not among them. */
  readonly claims: readonly string[];
  bind(author: Author): BoundRule;
}

const never: BoundRule = { query: FALSE_QUERY, isOpen: false, matches: () => false };

export const closedRule: Rule = { claims: [], bind: () => never };

/**
 * Characters of cache keys that one rule may hold, each entry counted with what its compiled form takes about:
 * some thousand authors, whatever the size of their claims.
 */
const cacheBudget = 2 ** 22;
const entryOverhead = 600;

/** A rule that binds once for each set of values that its claims take. */
export function createRule(query: Query): Rule {
  if (!query.usesUser) {
    const only = boundRule(query, {});
    return { claims: [], bind: () => only };
  }
  const names = [...usedClaims(query.root)].filter((name) => name !== 'sub');
  const cache = createBudgetedCache<BoundRule>(cacheBudget, entryOverhead);
  const bind = ({ userId, claims }: Author) => {
    const key = names.reduce((text, name) => text + keyOf(claims, name), JSON.stringify(userId));
    return cache.get(key) ?? cache.set(key, boundRule(query, { ...claims, sub: userId }));
  };
  return { claims: names, bind };
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
