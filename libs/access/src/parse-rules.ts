import { readFile, stat } from 'node:fs/promises';
import { type CollectionName, parseCollectionName, SyncError } from '@tidemark/protocol';
import { bindQuery, parseQuery, type Query, QueryError } from '@tidemark/rql';
import { type CollectionEntry, type RulesFile, type Verb, verbs } from './collection-rules.ts';
import { indexFault } from './index-path.ts';
import { closedRule, createRuleFactory, openRule, type Rule } from './rule.ts';
import { RulesError } from './rules-error.ts';
import { type Entry, kindOf, type Place, RulesText } from './rules-text.ts';
import { createSchemaCompiler, type SchemaCompiler, SchemaError } from './schema-compiler.ts';

const keys = [...verbs, 'merge', 'indexes', 'schema'];
const maxFileBytes = 4 * 1024 * 1024;
const maxIndexes = 32;

/** The rules in a file. Throws RulesError, also when the file cannot be read. */
export async function loadRulesFile(path: string): Promise<RulesFile> {
  return parseRules(await textOf(path), path);
}

async function textOf(path: string): Promise<string> {
  const refuse = (reason: string, cause?: unknown) => new RulesError({ fileName: path, path: '', reason, cause });
  let size: number;
  let text: string;
  try {
    size = (await stat(path)).size;
    text = size > maxFileBytes ? '' : await readFile(path, 'utf8');
  } catch (error) {
    throw refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (size > maxFileBytes) throw refuse(`is larger than ${maxFileBytes} bytes`);
  return text;
}

/**
 * Rules in YAML or JSON. Everything is compiled here, so that nothing of the file can fail later.
 * Throws RulesError with file, path, line and column; for a query the position is that of the character in the file.
 */
export function parseRules(text: string, fileName: string): RulesFile {
  return new RulesParser(new RulesText(text, fileName), fileName).parse();
}

class RulesParser {
  private readonly text: RulesText;
  private readonly fileName: string;
  private readonly createRule = createRuleFactory();
  private readonly schemas: SchemaCompiler = createSchemaCompiler();

  constructor(text: RulesText, fileName: string) {
    this.text = text;
    this.fileName = fileName;
  }

  parse(): RulesFile {
    const { text } = this;
    if (text.isNothing(text.root)) text.fail(text.root, 'is empty: collections: is missing');
    const top = this.known(text.entries(text.root), ['collections']).get('collections');
    if (top === undefined) return text.fail(text.root, 'collections: is missing');
    const collections = new Map<CollectionName, CollectionEntry>();
    let fallback: CollectionEntry | undefined;
    for (const entry of text.entries(top.value)) {
      if (entry.name === '*') fallback = this.collection(entry);
      else collections.set(this.collectionName(entry), this.collection(entry));
    }
    return { fileName: this.fileName, collections, fallback };
  }

  private collectionName({ name, key }: Entry): CollectionName {
    try {
      return parseCollectionName(name);
    } catch (error) {
      return this.text.fail(key, SyncError.is(error) ? error.message : 'not the name of a collection');
    }
  }

  private collection({ value, name }: Entry): CollectionEntry {
    const given = this.known(this.text.entries(value), keys);
    const rule = (verb: Verb) => this.rule(given.get(verb));
    const schema = given.get('schema');
    return {
      read: rule('read'),
      insert: rule('insert'),
      update: rule('update'),
      delete: rule('delete'),
      merge: this.merge(given.get('merge')),
      indexes: this.indexes(given.get('indexes')),
      ...(schema === undefined ? {} : { schemaFault: this.schema(schema.value, name) }),
    };
  }

  private known(entries: readonly Entry[], names: readonly string[]): ReadonlyMap<string, Entry> {
    for (const { name, key } of entries) {
      if (!names.includes(name)) this.text.fail(key, `unknown key; expected ${names.join(', ')}`);
    }
    return new Map(entries.map((entry) => [entry.name, entry]));
  }

  private rule(entry: Entry | undefined): Rule {
    if (entry === undefined) return closedRule;
    const value = this.text.scalar(entry.value);
    if (value === true) return openRule;
    if (value === false) return closedRule;
    const place = entry.value;
    if (typeof value !== 'string') {
      return this.text.fail(place, `must be a condition in RQL, true or false, not ${kindOf(entry.value.node)}`);
    }
    // An empty query matches everything; an empty rule is rather something forgotten.
    if (value.trim() === '') return this.text.fail(place, 'is empty: write true to allow everything');
    return this.createRule(this.query(value, place));
  }

  private query(source: string, place: Place): Query {
    try {
      const query = parseQuery(source, { allowUser: true });
      if (query.argumentCount > 0)
        this.text.fail(place, 'a rule has no arguments ($0); values of the user are $user.<claim>');
      bindQuery(query, { user: {} });
      return query;
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return this.text.fail(place, error.message, { column: error.position, cause: error });
    }
  }

  private merge(entry: Entry | undefined): 'document' | 'field' {
    if (entry === undefined) return 'document';
    const value = this.text.scalar(entry.value);
    if (value === 'document' || value === 'field') return value;
    return this.text.fail(entry.value, 'must be document or field');
  }

  private indexes(entry: Entry | undefined): readonly string[] {
    if (entry === undefined) return [];
    const places = this.text.members(entry.value);
    if (places.length > maxIndexes) this.text.fail(entry.value, `has more than ${maxIndexes} members`);
    const paths = places.map((place) => {
      const path = this.text.scalar(place);
      const fault = indexFault(path);
      return fault === undefined ? (path as string) : this.text.fail(place, fault);
    });
    paths.forEach((path, at) => {
      const place = places[at];
      if (place !== undefined && paths.indexOf(path) !== at) this.text.fail(place, `${path} is listed twice`);
    });
    return paths;
  }

  private schema(place: Place, collection: string): NonNullable<CollectionEntry['schemaFault']> {
    this.text.entries(place);
    try {
      return this.schemas.compile(this.text.plain(place), collection);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      return this.text.fail(this.text.inside(place, error.place), error.message, { cause: error });
    }
  }
}
