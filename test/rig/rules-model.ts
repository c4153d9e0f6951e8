import type { Random } from './random.ts';
import type { Fields } from './view.ts';

/** A user, as the tokens say. */
export interface Person {
  readonly sub: string;
  /** Missing: the claim is not in the token. */
  readonly team?: string;
}

/** A condition in the language of the rules, and the same by hand. */
export interface Condition {
  readonly text: string;
  readonly holds: (person: Person, document: Fields) => boolean;
}

/** Every document has `keeper: "root"`, so that this lets the user root see everything. */
const forRoot: Condition = {
  text: 'keeper == $user.sub',
  holds: (person, document) => document.keeper === person.sub,
};

const atoms: readonly Condition[] = [
  { text: 'owner == $user.sub', holds: (person, document) => document.owner === person.sub },
  {
    text: 'team == $user.team',
    holds: (person, document) => person.team !== undefined && document.team === person.team,
  },
  {
    text: 'ANY members == $user.sub',
    holds: (person, document) => (document.members as string[] | undefined)?.includes(person.sub) ?? false,
  },
  { text: 'public == true', holds: (_, document) => document.public === true },
  { text: 'level <= 2', holds: (_, document) => typeof document.level === 'number' && document.level <= 2 },
  { text: 'TRUEPREDICATE', holds: () => true },
  { text: 'FALSEPREDICATE', holds: () => false },
];

export function randomCondition(random: Random): Condition {
  const first = random.pick(atoms);
  if (random.chance(0.4)) return first;
  const second = random.pick(atoms);
  return random.chance(0.5) ? either(first, second) : both(first, second);
}

function either(a: Condition, b: Condition): Condition {
  return {
    text: `(${a.text}) OR (${b.text})`,
    holds: (person, document) => a.holds(person, document) || b.holds(person, document),
  };
}

function both(a: Condition, b: Condition): Condition {
  return {
    text: `(${a.text}) AND (${b.text})`,
    holds: (person, document) => a.holds(person, document) && b.holds(person, document),
  };
}

export interface RuleSet {
  readonly read: Condition;
  readonly insert: Condition;
  readonly update: Condition;
  readonly delete: Condition;
}

/** Root may do everything. */
export function randomRules(random: Random): RuleSet {
  const rule = () => either(forRoot, randomCondition(random));
  return { read: rule(), insert: rule(), update: rule(), delete: rule() };
}

export function rulesFileOf(collections: Readonly<Record<string, RuleSet>>): string {
  const lines = Object.entries(collections).flatMap(([name, rules]) => [
    `  ${name}:`,
    ...(['read', 'insert', 'update', 'delete'] as const).map(
      (verb) => `    ${verb}: ${JSON.stringify(rules[verb].text)}`,
    ),
  ]);
  return `collections:\n${lines.join('\n')}\n`;
}

/** Filters that clients ask for. */
export const filters: readonly (Condition & { readonly args?: readonly unknown[] })[] = [
  { text: '', holds: () => true },
  { text: 'level > $0', args: [1], holds: (_, document) => typeof document.level === 'number' && document.level > 1 },
  { text: "team IN {'red', 'blue'}", holds: (_, document) => document.team === 'red' || document.team === 'blue' },
  { text: 'NOT public == true', holds: (_, document) => document.public !== true },
];

export interface ModelChange {
  readonly operation: 'insert' | 'update' | 'delete';
  readonly documentId: string;
  readonly data: Fields;
  readonly unset: readonly string[];
  /** So old that it loses to everything that was ever stored. */
  readonly isOld: boolean;
}

/** One collection as the design says that it must behave, in the order in which changes are decided. */
export class CollectionModel {
  readonly documents = new Map<string, Fields>();
  private readonly known = new Set<string>();
  private readonly rules: RuleSet;

  constructor(rules: RuleSet) {
    this.rules = rules;
  }

  /** What the server must answer; an applied change is made. */
  decide(person: Person, change: ModelChange): 'applied' | 'superseded' | 'forbidden' {
    const { operation, documentId, data, unset, isOld } = change;
    const before = this.documents.get(documentId);
    const isDead = before === undefined && this.known.has(documentId);
    if (isDead && operation === 'update') return 'superseded';
    const after = operation === 'delete' ? undefined : merged(operation === 'update' ? before : undefined, data, unset);
    if (!this.allows(person, before, after)) return 'forbidden';
    if (isOld && this.known.has(documentId)) return 'superseded';
    this.known.add(documentId);
    if (after === undefined) this.documents.delete(documentId);
    else this.documents.set(documentId, after);
    return 'applied';
  }

  private allows(person: Person, before: Fields | undefined, after: Fields | undefined): boolean {
    if (before === undefined) return after !== undefined && this.rules.insert.holds(person, after);
    if (after === undefined) return this.rules.delete.holds(person, before);
    return this.rules.update.holds(person, before) && this.rules.update.holds(person, after);
  }
}

function merged(before: Fields | undefined, data: Fields, unset: readonly string[]): Fields {
  const after: Record<string, unknown> = { ...before, ...data };
  for (const name of unset) delete after[name];
  return after;
}
