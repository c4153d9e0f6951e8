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
export type Resolved = ResolvedField | ResolvedValues;

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

/** Undefined: a claim that the user does not have. */
export function resolveOperand(operand: Operand, given: QueryValues): Resolved | undefined {
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

function resolveConstant(operand: ConstantOperand, given: QueryValues): ResolvedValues | undefined {
  const value = givenValue(operand, given);
  if (value === undefined) return undefined;
  const quantifier = operand.kind === 'literal' ? undefined : operand.quantifier;
  return {
    kind: 'values',
    values: isList(value) ? value : [value],
    isList: isList(value),
    isPartial: false,
    quantifier,
  };
}

function givenValue(operand: ConstantOperand, given: QueryValues): Json | undefined {
  if (operand.kind === 'literal') return operand.value;
  return operand.kind === 'argument' ? argument(operand, given) : claim(operand, given);
}

function resolveList({ items, quantifier }: ListOperand, given: QueryValues): ResolvedValues {
  const values: Json[] = [];
  for (const item of items) {
    const value = givenValue(item, given);
    if (isList(value) && item.kind === 'argument') {
      throw new QueryError(item.position, `a list as $${item.index}`, ['a single value']);
    }
    if (value !== undefined && !isList(value)) values.push(value);
  }
  return { kind: 'values', values, isList: true, isPartial: values.length < items.length, quantifier };
}

function argument({ index, position }: ArgumentOperand, { args = [] }: QueryValues): Json {
  if (index >= args.length) {
    const found = args.length === 1 ? '1 argument' : `${args.length} arguments`;
    throw new QueryError(position, found, [`a value for $${index}`]);
  }
  const checked = checkValue(args[index]);
  if (checked.ok) return checked.value;
  throw new QueryError(position, checked.reason, [`a JSON or Extended JSON value as $${index}`]);
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
