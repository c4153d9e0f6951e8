import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from 'yaml';
import { RulesError } from './rules-error.ts';
import { sourceOffset } from './source-offset.ts';

/** A value of the file and how one gets there. Aliases are followed: `node` is what they stand for. */
export interface Place {
  readonly names: readonly string[];
  readonly node: Node | null;
  /** Where a value that was left out would have stood. */
  readonly near?: Node;
}

/** A key of a mapping and its value. */
export interface Entry {
  readonly name: string;
  readonly key: Place;
  readonly value: Place;
}

/** An alias may repeat a block; past this many nodes it is an attack on memory or a mistake. */
const maxAliasCount = 100;

/** A YAML or JSON text whose values know where they stand, so that every refusal can say so. */
export class RulesText {
  readonly root: Place;
  private readonly text: string;
  private readonly fileName: string;
  private readonly lines = new LineCounter();
  private readonly document: Document;

  /** Throws RulesError when the text is no YAML, or relies on tags that nobody defined. */
  constructor(text: string, fileName: string) {
    this.text = text;
    this.fileName = fileName;
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, uniqueKeys: true });
    const problem = this.document.errors[0] ?? this.document.warnings[0];
    if (problem !== undefined)
      throw this.error({ path: '', offset: problem.pos[0], reason: problem.message, cause: problem });
    this.root = { names: [], node: this.document.contents };
  }

  /** The entries of a mapping, in order. Refuses anything else. */
  entries(place: Place): readonly Entry[] {
    const { node, names } = place;
    if (!isMap(node)) return this.fail(place, `must be a mapping, not ${kindOf(node)}`);
    return node.items.map((pair) => {
      const keyNode = pair.key as Node | null;
      const key = { names, node: keyNode };
      if (!isScalar(keyNode) || typeof keyNode.value !== 'string') return this.fail(key, 'a key must be text');
      const inner = [...names, keyNode.value];
      return {
        name: keyNode.value,
        key: { names: inner, node: keyNode },
        value: { ...this.follow(inner, pair.value), near: keyNode },
      };
    });
  }

  /** The members of a list. Refuses anything else. */
  members(place: Place): readonly Place[] {
    const { node, names } = place;
    if (!isSeq(node)) return this.fail(place, `must be a list, not ${kindOf(node)}`);
    return node.items.map((item, index) => this.follow([...names, String(index)], item));
  }

  /** The plain value of a text, number, boolean or null; undefined for a mapping or list. */
  scalar(place: Place): unknown {
    return isScalar(place.node) ? place.node.value : undefined;
  }

  /** True for a value that was left out, or is null. */
  isNothing({ node }: Place): boolean {
    return node === null || (isScalar(node) && node.value === null);
  }

  /** The value as JSON would have it. */
  plain(place: Place): unknown {
    try {
      return place.node?.toJS(this.document, { maxAliasCount });
    } catch (error) {
      return this.fail(place, 'has too many aliases', { cause: error });
    }
  }

  /** The place that `names` lead to from `place`, or the last one on the way that exists. */
  inside(place: Place, names: readonly string[]): Place {
    let current = place;
    for (const name of names) {
      const { node } = current;
      const next = isMap(node) ? node.get(name, true) : isSeq(node) ? node.items[Number(name)] : undefined;
      if (next === undefined) return { ...current, names: [...place.names, ...names] };
      current = this.follow([...current.names, name], next);
    }
    return current;
  }

  /**
   * Refuses the file because of what stands at the place. With `column` (1-based, in the value of a text) the position
   * is that of the character in the file, whatever the quoting and folding.
   */
  fail(place: Place, reason: string, details: { column?: number; cause?: unknown } = {}): never {
    const { node } = place;
    const offset = isScalar(node) && details.column !== undefined ? this.inText(node, details.column) : undefined;
    const { cause } = details;
    throw this.error({
      path: pathText(place.names),
      offset: offset ?? (node ?? place.near)?.range?.[0],
      reason,
      cause,
    });
  }

  private inText(node: Scalar, column: number): number | undefined {
    if (!node.range || typeof node.value !== 'string') return undefined;
    const source = this.text.slice(node.range[0], node.range[1]);
    const within = sourceOffset(source, node.value, column - 1);
    return within === undefined ? undefined : node.range[0] + within;
  }

  private follow(names: readonly string[], node: unknown): Place {
    const target = isAlias(node) ? node.resolve(this.document) : node;
    return { names, node: (target ?? null) as Node | null };
  }

  private error(at: { path: string; offset: number | undefined; reason: string; cause?: unknown }): RulesError {
    const { path, offset, reason, cause } = at;
    const position = offset === undefined ? undefined : this.lines.linePos(offset);
    return new RulesError({
      fileName: this.fileName,
      path,
      reason,
      line: position?.line,
      column: position?.col,
      cause,
    });
  }
}

/** Names that hold dots or blanks are quoted, so that the path can be read back. */
function pathText(names: readonly string[]): string {
  return names.map((name) => (/^[^\s."]+$/.test(name) ? name : JSON.stringify(name))).join('.');
}

/** What a value is, for a sentence. */
export function kindOf(node: Node | null): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  return typeof node.value === 'string' ? 'a text' : `the ${typeof node.value} ${String(node.value)}`;
}
