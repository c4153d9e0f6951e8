import type { Field } from './bound-tree.ts';
import { checkValue } from './check-value.ts';
import { isList, isObject, type Json } from './json.ts';
import { QueryError } from './query-error.ts';
import type { ArgumentOperand, ConstantOperand, ListOperand, Operand, Quantifier, UserOperand } from './tree.ts';

export interface QueryValues {
  readonly args?: readonly Json[];
  /** The claims of the user's token. */
  readonly user?: Readonly<Record<string, unknown>>;
}

/** An operand without placeholders. */
export type Resolved = ResolvedField | ResolvedValues | ResolvedMissing;

export interface ResolvedField {
  readonly kind: 'field';
  readonly field: Field;
  readonly quantifier?: Quantifier | undefined;
}

export interface ResolvedValues {
  readonly kind: 'values';
  readonly values: readonly Json[];
  /** False for a single value, which is then the only one. */
  readonly isList: boolean;
  /** Whether members were left out because the user has no such claim. */
  readonly isPartial: boolean;
  readonly quantifier?: Quantifier | undefined;
}

/** A claim that the user does not have. */
export interface ResolvedMissing {
  readonly kind: 'missing';
}

const MISSING: ResolvedMissing = { kind: 'missing' };

export function resolveOperand(operand: Operand, given: QueryValues): Resolved {
  switch (operand.kind) {
    case 'path':
      return { kind: 'field', field: { kind: 'path', path: operand.path }, quantifier: operand.quantifier };
    case 'aggregate':
      return { kind: 'field', field: { kind: 'aggregate', path: operand.path, aggregate: operand.aggregate } };
    case 'list':
      return resolveList(operand, given);
    default:
      return resolveConstant(operand, given);
  }
}

function resolveConstant(operand: ConstantOperand, given: QueryValues): Resolved {
  if (operand.kind === 'literal') return valuesOf(operand.value);
  const value = operand.kind === 'argument' ? argument(operand, given) : claim(operand, given);
  if (value === undefined) return MISSING;
  return { ...valuesOf(value), quantifier: operand.quantifier };
}

function valuesOf(value: Json): ResolvedValues {
  return { kind: 'values', values: isList(value) ? value : [value], isList: isList(value), isPartial: false };
}

function resolveList(list: ListOperand, given: QueryValues): ResolvedValues {
  const values: Json[] = [];
  for (const item of list.items) {
    const resolved = resolveConstant(item, given);
    if (resolved.kind !== 'values') continue;
    if (!resolved.isList) values.push(...resolved.values);
    else if (item.kind === 'argument') {
      throw new QueryError({
        position: item.position,
        expected: ['a single value'],
        found: `a list as $${item.index}`,
      });
    }
  }
  return {
    kind: 'values',
    values,
    isList: true,
    isPartial: values.length < list.items.length,
    quantifier: list.quantifier,
  };
}

function argument({ index, position }: ArgumentOperand, { args = [] }: QueryValues): Json {
  if (index >= args.length) {
    const found = args.length === 1 ? '1 argument' : `${args.length} arguments`;
    throw new QueryError({ position, expected: [`a value for $${index}`], found });
  }
  const checked = checkValue(args[index]);
  if (checked.ok) return checked.value;
  throw new QueryError({ position, expected: [`a JSON or Extended JSON value as $${index}`], found: checked.reason });
}

/**
 * A claim that is absent, null or no valid value is missing, and so is such a member of a list: otherwise a token with
 * `team: null` would be let into every document without a team.
 */
function claim({ path }: UserOperand, { user = {} }: QueryValues): Json | undefined {
  let value: unknown = user;
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (isList(value)) value = value.filter((item) => item !== null && item !== undefined);
  const checked = checkValue(value);
  return checked.ok && checked.value !== null ? checked.value : undefined;
}
