import { clientFields, type Document, internalPrefix } from '@tidemark/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Ajv, type ErrorObject, type Options } from 'ajv/dist/ajv.js';
import { linearPattern } from './linear-pattern.ts';
import { checkSchema } from './schema-checks.ts';
import { SchemaError } from './schema-error.ts';
import { schemaSentence } from './schema-sentence.ts';
import type { SchemaObject } from './schema-walk.ts';
import { stringFormats } from './string-formats.ts';

export { SchemaError };

export interface SchemaCompiler {
  /**
   * A check of documents: why one does not obey, as a sentence, or undefined. Metadata is not shown to the schema.
   * Throws SchemaError for a schema that is none or that is refused (see schema-checks.ts).
   */
  compile(schema: unknown, collection: string): (document: Document) => string | undefined;
}

const drafts: readonly { readonly name: RegExp; readonly create: (options: Options) => Ajv }[] = [
  { name: /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, create: (options) => new Ajv2020(options) },
  { name: /^http:\/\/json-schema\.org\/draft-07\/schema#?$/, create: (options) => new Ajv(options) },
];

/** Unknown words are refused, so that a typo does not silently allow everything; documents are never changed. */
const options: Options = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  ownProperties: true,
  logger: false,
  formats: { ...stringFormats },
  // The code property is for generating files, which is not done here.
  code: { regExp: Object.assign(linearPattern, { code: '' }) },
};

/** Each draft's compiler is built at its first use. */
export function createSchemaCompiler(): SchemaCompiler {
  const compilers = new Map<RegExp, Ajv>();

  function compilerFor({ $schema }: SchemaObject): Ajv {
    const draft = $schema === undefined ? drafts[0] : drafts.find(({ name }) => name.test(String($schema)));
    if (draft === undefined) throw new SchemaError(['$schema'], 'must be draft 2020-12 (the default) or draft-07');
    const compiler = compilers.get(draft.name) ?? draft.create(options);
    compilers.set(draft.name, compiler);
    return compiler;
  }

  function compile(schema: unknown, collection: string) {
    const { $id, ...anonymous } = schema as SchemaObject;
    checkSchema(anonymous);
    const validate = validatorOf(compilerFor(anonymous), anonymous);
    return (document: Document) => {
      if (validate(userFields(document))) return undefined;
      return schemaSentence(collection, validate.errors ?? []);
    };
  }

  return { compile };
}

type Validator = ((data: unknown) => unknown) & { errors?: readonly ErrorObject[] | null };

function validatorOf(compiler: Ajv, schema: SchemaObject): Validator {
  const isSchema = compiler.validateSchema(schema);
  const error = compiler.errors?.at(-1);
  if (isSchema !== true) throw new SchemaError(namesOf(error?.instancePath ?? ''), error?.message ?? 'is no schema');
  try {
    return compiler.compile(schema);
  } catch (cause) {
    throw new SchemaError([], cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function namesOf(jsonPointer: string): string[] {
  return jsonPointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function userFields(document: Document): Readonly<Record<string, unknown>> {
  const fields = clientFields(document);
  for (const name in fields) if (name.startsWith(internalPrefix)) delete fields[name];
  return fields;
}
