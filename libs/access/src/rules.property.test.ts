import { describe, expect, it } from '@jest/globals';
import { type Author, brandAs, type CollectionName, type Document, type Json, type UserId } from '@tidemark/protocol';
import { compile } from '@tidemark/rql';
import fc from 'fast-check';
import { parseRules } from './parse-rules.ts';
import { createRules, type Rules } from './rules.ts';

/**
 * Random rules with claims, random authors and documents: every answer of the compiled rules equals an evaluation
 * that was written from the words of the specification, without a query language.
 */

type Operator = '==' | '!=' | '<' | '>=' | 'IN';
type Value = { literal: Json } | { claim: string };
type Condition =
  | { kind: 'and' | 'or'; members: Condition[] }
  | { kind: 'not'; member: Condition }
  | { kind: 'compare'; field: string; operator: Operator; value: Value };

const fields = ['a', 'b', 'c.d'];
const claimNames = ['team', 'teams', 'org.id', 'sub', 'constructor'];
const literals: Json[] = [null, true, 0, 1, 'x', 'y'];
const userIds = ['x', 'y', 'ann'];

const compare = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    field: fc.constantFrom(...fields),
    operator: fc.constantFrom<Operator>('==', '!=', '<', '>=', 'IN'),
    value: fc.record({ claim: fc.constantFrom(...claimNames) }),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    field: fc.constantFrom(...fields),
    operator: fc.constantFrom<Operator>('==', '!=', '<', '>='),
    value: fc.record({ literal: fc.constantFrom(...literals) }),
  }),
);

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    compare,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      members: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), member: tie('condition') }),
  ),
}));

const scalar: fc.Arbitrary<Json> = fc.constantFrom<Json>(null, true, false, 0, 1, 2.5, 'x', 'y', '', 'ann');
const plainObject: fc.Arbitrary<Json> = fc.constantFrom<Json>({}, { k: 1 }, { k: 'x', l: null }, { id: 'x' });
const value = fc.oneof(
  { weight: 3, arbitrary: scalar },
  plainObject,
  fc.array(fc.oneof(scalar, plainObject), { maxLength: 3 }),
);
const document = fc
  .record({ a: value, b: value, c: fc.oneof(value, fc.record({ d: value })) }, { requiredKeys: [] })
  .map((some): Document => ({ _id: 'd1', ...some }) as Document);
const claimValue = fc.oneof(value, fc.array(fc.array(scalar, { minLength: 1 }), { minLength: 1, maxLength: 2 }));
const claims = fc.record(
  {
    team: claimValue,
    teams: claimValue,
    org: fc.oneof(claimValue, fc.record({ id: claimValue })),
    sub: claimValue,
    extra: claimValue,
  },
  { requiredKeys: [] },
);
const author = fc.record({ userId: fc.constantFrom(...userIds).map(brandAs<UserId>), claims });

function textOf(node: Condition): string {
  if (node.kind === 'not') return `NOT (${textOf(node.member)})`;
  if (node.kind !== 'compare') return node.members.map((member) => `(${textOf(member)})`).join(` ${node.kind} `);
  const right = 'claim' in node.value ? `$user.${node.value.claim}` : JSON.stringify(node.value.literal);
  return `${node.field} ${node.operator} ${right}`;
}

/** The values that a field yields: elements of a list, of each document in a list; a missing one is null. */
function yielded(from: Json | undefined, path: readonly string[]): Json[] {
  const [name, ...rest] = path;
  if (name === undefined) return Array.isArray(from) ? [...from] : [from ?? null];
  if (Array.isArray(from)) {
    return from.flatMap((element) => (isPlain(element) ? yielded(element, path) : []));
  }
  return isPlain(from) && Object.hasOwn(from, name) ? yielded(from[name], rest) : [null];
}

const isPlain = (some: Json | undefined): some is { readonly [key: string]: Json } =>
  typeof some === 'object' && some !== null && !Array.isArray(some);

/** The values of a claim, or undefined when the user does not have it: absent, null, or no value at all. */
function claimed(who: Author, path: string): Json[] | undefined {
  let found: Json | undefined = { ...who.claims, sub: who.userId };
  for (const name of path.split('.')) found = isPlain(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  if (found === undefined || found === null) return undefined;
  if (!Array.isArray(found)) return [found];
  if (found.some(Array.isArray)) return undefined;
  return found.filter((member) => member !== null);
}

function test(operator: Operator, left: Json, right: Json): boolean {
  const isEqual = JSON.stringify(left) === JSON.stringify(right);
  if (operator === '==' || operator === 'IN') return isEqual;
  if (operator === '!=') return !isEqual;
  if (left === null && right === null) return operator === '>=';
  if (typeof left !== typeof right || typeof left === 'object' || left === null || right === null) return false;
  return operator === '<' ? left < right : left >= right;
}

/** `wanted` is false under an odd number of NOTs: a comparison with a missing claim is false under both. */
function naive(node: Condition, who: Author, doc: Document, wanted = true): boolean {
  if (node.kind === 'not') return naive(node.member, who, doc, !wanted);
  if (node.kind !== 'compare') {
    const results = node.members.map((member) => naive(member, who, doc, wanted));
    return (node.kind === 'and') === wanted ? results.every(Boolean) : results.some(Boolean);
  }
  const right = 'claim' in node.value ? claimed(who, node.value.claim) : [node.value.literal];
  if (right === undefined) return false;
  const left = yielded(doc, node.field.split('.'));
  return left.some((one) => right.some((two) => test(node.operator, one, two))) === wanted;
}

const tasks = brandAs<CollectionName>('tasks');
interface Verbs {
  read?: Condition;
  insert?: Condition;
  update?: Condition;
  delete?: Condition;
}
const verbs: fc.Arbitrary<Verbs> = fc.record(
  { read: condition, insert: condition, update: condition, delete: condition },
  { requiredKeys: [] },
);

function compiled(conditions: Verbs): Rules {
  const texts = Object.entries(conditions).map(([verb, node]) => [verb, textOf(node as Condition)]);
  return createRules(parseRules(JSON.stringify({ collections: { tasks: Object.fromEntries(texts) } }), 'f.json'), {
    production: true,
  });
}

describe('compiled rules equal the naive evaluation', () => {
  const authors = fc.array(author, { minLength: 1, maxLength: 4 });
  const documents = fc.array(document, { minLength: 2, maxLength: 4 });

  it('for reading, one document at a time and as a query', () => {
    fc.assert(
      fc.property(condition, authors, documents, (read, people, docs) => {
        const rules = compiled({ read });
        // Twice, so that the answers come from the memory too.
        for (const who of [...people, ...people]) {
          const matches = compile(rules.readQuery(tasks, who));
          for (const doc of docs) {
            const expected = naive(read, who, doc);
            expect(rules.canRead(tasks, who, doc)).toBe(expected);
            expect(matches(doc)).toBe(expected);
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('for writing, by what happens to the document', () => {
    const image = fc.option(document);
    fc.assert(
      fc.property(
        verbs,
        authors,
        fc.array(fc.tuple(image, image), { minLength: 1, maxLength: 4 }),
        (some, people, pairs) => {
          const rules = compiled(some);
          const holds = (node: Condition | undefined, who: Author, doc: Document) =>
            node !== undefined && naive(node, who, doc);
          for (const who of people) {
            for (const [before, after] of pairs) {
              const fault = rules.writeFault(tasks, who, { before, after });
              if (before === null && after === null) continue;
              const expected =
                before === null
                  ? holds(some.insert, who, after as Document)
                  : after === null
                    ? holds(some.delete, who, before)
                    : holds(some.update, who, before) && holds(some.update, who, after);
              expect(fault?.code).toBe(expected ? undefined : 'forbidden');
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('for the few claims that a job carries', () => {
    fc.assert(
      fc.property(verbs, author, document, (some, who, doc) => {
        const rules = compiled(some);
        const carried = JSON.parse(
          JSON.stringify({ ...who, claims: rules.claimsFor(who.userId, who.claims) }),
        ) as Author;
        expect(carried.claims).not.toHaveProperty('extra');
        for (const images of [
          { before: null, after: doc },
          { before: doc, after: doc },
          { before: doc, after: null },
          { before: null, after: null },
        ]) {
          expect(rules.writeFault(tasks, carried, images)).toEqual(rules.writeFault(tasks, who, images));
        }
        expect(rules.canRead(tasks, carried, doc)).toBe(rules.canRead(tasks, who, doc));
      }),
      { numRuns: 500 },
    );
  });
});

describe('any text', () => {
  it('is rules or a RulesError, never anything else', () => {
    const words = fc.constantFrom(
      'collections:',
      ' ',
      '\n',
      '  ',
      'tasks:',
      'read:',
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      '*x',
      '&x ',
      '|',
      '>',
      '- ',
      '!!',
      '$user',
      'owner == 1',
      'schema:',
      ',',
      '#',
      '\t',
      '%',
    );
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(words, { maxLength: 25 }).map((parts) => parts.join('')),
      fc.array(words).map((parts) => `collections:\n  t:\n    read: ${parts.join('')}`),
    );
    fc.assert(
      fc.property(text, (some) => {
        try {
          expect(parseRules(some, 'f').fileName).toBe('f');
        } catch (error) {
          expect((error as Error).name).toBe('RulesError');
          expect((error as Error).message).toMatch(/^f(:\d+:\d+)?: ./);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
