import type { Operand, Spec, Value } from './naive-evaluator.ts';

/** A query as a client would send it. */
export interface Rendered {
  readonly text: string;
  readonly args: Value[];
}

/** Writes a query as text, in one of the many spellings that `pick` chooses (it returns one of its arguments). */
export class Renderer {
  readonly args: Value[] = [];
  private readonly pick: (...choices: string[]) => string;

  constructor(pick: (...choices: string[]) => string) {
    this.pick = pick;
  }

  spec(spec: Spec): string {
    switch (spec.is) {
      case 'constant':
        return spec.value ? this.pick('TRUEPREDICATE', 'truepredicate') : this.pick('FALSEPREDICATE', 'FalsePredicate');
      case 'not':
        return `${this.pick('NOT ', '!', 'not  ')}${this.group(spec.member, ['and', 'or'])}`;
      case 'and':
        return spec.members.map((m) => this.group(m, ['or', 'and'])).join(this.pick(' AND ', '&&', ' and '));
      case 'or':
        return spec.members.map((m) => this.group(m, ['or'])).join(this.pick(' OR ', '||', '\n or '));
      case 'between':
        return `${this.operand(spec.operand)} ${this.pick('BETWEEN', 'between')} {${this.value(spec.low)},${this.value(spec.high)}}`;
      default: {
        const operator = this.operator(spec.operator) + (spec.folded ? this.pick('[c]', ' [c]') : '');
        return `${this.operand(spec.left)} ${operator} ${this.operand(spec.right)}`;
      }
    }
  }

  private group(spec: Spec, kinds: readonly string[]): string {
    const text = this.spec(spec);
    return kinds.includes(spec.is) ? `(${text})` : this.pick(text, `( ${text} )`);
  }

  private operator(operator: string): string {
    const spellings: Record<string, string[]> = {
      '==': ['==', '='],
      '!=': ['!=', '<>'],
      '<=': ['<=', '=<'],
      '>=': ['>=', '=>'],
    };
    return this.pick(...(spellings[operator] ?? [operator, operator.toLowerCase()]));
  }

  private operand(operand: Operand): string {
    switch (operand.is) {
      case 'path':
        return this.word(operand.word) + operand.path.map(name).join('.');
      case 'aggregate':
        return this.aggregate(operand.path.map(name), operand.fn);
      case 'claim':
        return `$user.${operand.name}`;
      case 'list': {
        if (operand.spelled === 'argument') return this.word(operand.word) + this.argument([...operand.values]);
        return `${this.word(operand.word)}{${operand.values.map((v) => this.value(v)).join(', ')}}`;
      }
      case 'value':
        return operand.spelled === 'argument' ? this.argument(operand.value) : this.value(operand.value);
    }
  }

  private aggregate(path: readonly string[], fn: string): string {
    if (fn === 'count') return `${path.join('.')}.${this.pick('@count', '@size')}`;
    const [first, ...rest] = path;
    return this.pick(`${path.join('.')}.@${fn}`, [first, `@${fn}`, ...rest].join('.'));
  }

  private word(word: 'any' | 'all' | 'none' | undefined): string {
    if (!word) return '';
    return this.pick(...(word === 'any' ? ['ANY ', 'SOME ', 'some '] : [`${word} `, `${word.toUpperCase()} `]));
  }

  /** As a literal if there is one for it. */
  private value(value: Value): string {
    if (value === null) return this.pick('null', 'NULL', 'nil');
    if (typeof value === 'string') return this.pick(JSON.stringify(value), singleQuoted(value));
    if (typeof value !== 'object') return this.pick(String(value), String(value).toUpperCase());
    const { $oid: oid, $uuid: uuid, $date: date, $numberLong: long } = value as { [key: string]: Value };
    if (typeof oid === 'string') return `oid(${oid})`;
    if (typeof uuid === 'string') return `uuid(${uuid})`;
    if (typeof long === 'string') return long;
    if (date === '2026-11-24T10:00:00Z')
      return this.pick('2026-11-24@10:00:00', '2026-11-24T10:00:00', 'T1795514400:0');
    return this.argument(value);
  }

  private argument(value: Value): string {
    this.args.push(value);
    return `$${this.args.length - 1}`;
  }
}

function name(text: string): string {
  return text.replaceAll(' ', '\\ ');
}

function singleQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
}
