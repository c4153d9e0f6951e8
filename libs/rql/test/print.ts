import { decode } from '../src/atom.ts';
import type { BoundNode, BoundQuery, BoundVisitor, Field, ValueOperand } from '../src/bound-tree.ts';
import { asLong } from '../src/decimal.ts';
import { isObject, type Json } from '../src/json.ts';
import type { TextOperator } from '../src/tree.ts';
import { visit } from '../src/visitor.ts';

/** The query as a text that parses to an equal query (unless what binding multiplied is past the limits of a text). */
export function printQuery(query: BoundQuery): string {
  return printNode(query.root);
}

function printNode(node: BoundNode): string {
  return visit<BoundNode, string>(node, PRINTERS);
}

const PRINTERS: BoundVisitor<string> = {
  and: ({ members }) =>
    joined(
      members.map((member) => (member.kind === 'or' ? `(${printNode(member)})` : printNode(member))),
      ' AND ',
    ),
  or: ({ members }) => joined(members.map(printNode), ' OR '),
  constant: ({ value }) => (value ? 'TRUEPREDICATE' : 'FALSEPREDICATE'),
  compare: ({ left, operator, right, caseInsensitive, ...range }) =>
    `${prefix(range)}${printField(left)} ${operator}${folding(caseInsensitive)} ${printOperand(right)}`,
  in: ({ left, values, caseInsensitive, ...range }) =>
    `${prefix(range)}${printField(left)} IN${folding(caseInsensitive)} {${printList(values)}}`,
  between: ({ left, low, high, ...range }) =>
    `${prefix(range)}${printField(left)} BETWEEN {${printValue(low)}, ${printValue(high)}}`,
  text: ({ left, operator, right, over, caseInsensitive, negated, quantifier }) => {
    const all = quantifier === 'all' ? 'ALL ' : '';
    const sides =
      over === 'left'
        ? [all + printOperand(left), printOperand(right)]
        : [printOperand(left), all + printOperand(right)];
    return `${negated ? 'NOT ' : ''}${sides[0]} ${WORDS[operator]}${folding(caseInsensitive)} ${sides[1]}`;
  },
};

const WORDS: Readonly<Record<TextOperator, string>> = {
  beginsWith: 'BEGINSWITH',
  endsWith: 'ENDSWITH',
  contains: 'CONTAINS',
  like: 'LIKE',
};

function joined(members: readonly string[], word: string): string {
  return [...members].sort().join(word);
}

function prefix({ negated, quantifier }: { negated: boolean; quantifier: 'any' | 'all' }): string {
  return (negated ? 'NOT ' : '') + (quantifier === 'all' ? 'ALL ' : '');
}

function folding(caseInsensitive: boolean): string {
  return caseInsensitive ? '[c]' : '';
}

function printOperand(operand: Field | ValueOperand): string {
  return operand.kind === 'value' ? printValue(operand.value) : printField(operand);
}

function printField(field: Field): string {
  const path = field.path.map(printName).join('.');
  return field.kind === 'path' ? path : `${path}.@${field.aggregate}`;
}

const BLANKS: Readonly<Record<string, string>> = { ' ': '\\ ', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function printName(name: string): string {
  return name.replace(/[ \n\r\t]/g, (blank) => BLANKS[blank] ?? blank);
}

/** Binding has put them in order. */
function printList(values: readonly Json[]): string {
  return values.map(printValue).join(', ');
}

function printValue(value: Json): string {
  if (typeof value === 'string') return printString(value);
  if (typeof value === 'number') return printNumber(value);
  if (!isObject(value)) return String(value);
  const atom = decode(value);
  switch (atom.kind) {
    case 'oid':
    case 'uuid':
      return `${atom.kind}(${atom.text})`;
    case 'date':
      return printDate(atom.value);
    case 'number':
      return printLong(value) ?? extended(value);
    default:
      return extended(value);
  }
}

/** Digits of an integer are read exactly, so only a safe one may be written that way. */
function printNumber(value: number): string {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

/** `T<seconds>:<nanoseconds>`: the one date literal that reaches every date. */
function printDate(time: number): string {
  const milliseconds = time % 1000;
  return `T${(time - milliseconds) / 1000}:${milliseconds * 1e6 + 0}`;
}

function printLong(value: Json): string | undefined {
  const atom = decode(value);
  if (atom.kind !== 'number' || typeof atom.value === 'number') return undefined;
  const long = asLong(atom.value);
  return long === undefined ? undefined : String(long);
}

function extended(value: Json): string {
  return `ejson(${printString(JSON.stringify(value))})`;
}

/** Everything that an editor, a log or UTF-8 may spoil is escaped. */
function printString(text: string): string {
  const body = text.replace(/[\\']|\p{Cc}|\p{Cs}/gu, (character) => {
    if (character === '\\' || character === "'") return `\\${character}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `'${body}'`;
}
