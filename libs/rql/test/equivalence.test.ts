import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type BoundQuery,
  bindQuery,
  canonical,
  compile,
  equalities,
  type Json,
  lookupKey,
  lookupKeys,
  parseQuery,
} from '../src/index.ts';
import { document, indexable, spec, user } from './arbitraries.ts';
import { holds, type Spec, type Value } from './naive-evaluator.ts';
import { printQuery } from './print.ts';
import { Renderer } from './render.ts';

/** Chooses spellings from a row of generated numbers, so that a failing example is reproducible. */
function picker(choices: readonly number[]): (...options: string[]) => string {
  let next = 0;
  return (...options) => {
    const choice = choices[next % choices.length] ?? 0;
    next += 1;
    return options[choice % options.length] ?? '';
  };
}

const spelling = fc.array(fc.nat(11), { minLength: 1, maxLength: 12 });

function bind(
  tree: Spec,
  choices: readonly number[],
  claims: Record<string, Value>,
): { text: string; query: BoundQuery } {
  const renderer = new Renderer(picker(choices));
  const text = renderer.spec(tree);
  const query = bindQuery(parseQuery(text, { allowUser: true }), { args: renderer.args as Json[], user: claims });
  return { text, query };
}

const documents = fc.array(document, { minLength: 1, maxLength: 6 });

describe('a compiled query', () => {
  it('agrees with the naive evaluator, however it is written', () => {
    let matches = 0;
    let misses = 0;
    fc.assert(
      fc.property(spec, spelling, user, documents, (tree, choices, claims, all) => {
        const { text, query } = bind(tree, choices, claims);
        const predicate = compile(query);
        for (const one of all) {
          const expected = holds(tree, { document: one, user: claims });
          if (expected) matches += 1;
          else misses += 1;
          if (predicate(one) !== expected) throw new Error(`${text} should be ${expected} for ${JSON.stringify(one)}`);
        }
      }),
      { numRuns: 3000 },
    );
    // A generator that drifts to queries which match nothing, or everything, would prove little.
    expect(Math.min(matches, misses)).toBeGreaterThan((matches + misses) / 5);
  });

  it('has a canonical text that is the same for every spelling', () => {
    fc.assert(
      fc.property(spec, spelling, spelling, user, (tree, one, other, claims) => {
        expect(canonical(bind(tree, one, claims).query)).toBe(canonical(bind(tree, other, claims).query));
      }),
      { numRuns: 1000 },
    );
  });

  it('parses to the same query when it is printed', () => {
    fc.assert(
      fc.property(spec, spelling, user, documents, (tree, choices, claims, all) => {
        const { query } = bind(tree, choices, claims);
        const text = printQuery(query);
        const again = bindQuery(parseQuery(text));
        expect(printQuery(again)).toBe(text);
        expect(canonical(again)).toBe(canonical(query));
        const [first, second] = [compile(query), compile(again)];
        for (const one of all) expect(second(one)).toBe(first(one));
      }),
      { numRuns: 1500 },
    );
  });

  it('does not depend on the order and repetition of members', () => {
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 2, maxLength: 4 }),
        fc.constantFrom('and' as const, 'or' as const),
        user,
        (members, is, claims) => {
          const turned = [...members].reverse().concat(members);
          const one = bind({ is, members }, [0], claims).query;
          expect(canonical(bind({ is, members: turned }, [0], claims).query)).toBe(canonical(one));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is found under its equalities by every document that it matches', () => {
    let found = 0;
    fc.assert(
      fc.property(indexable, user, documents, (tree, claims, all) => {
        const { query } = bind(tree, [0], claims);
        const predicate = compile(query);
        const conditions = equalities(query);
        for (const one of all.filter(predicate)) {
          for (const { path, values } of conditions) {
            const keys = new Set(values.map(lookupKey));
            expect(lookupKeys(one, path).some((key) => keys.has(key))).toBe(true);
            found += 1;
          }
        }
      }),
      { numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(200);
  });
});
