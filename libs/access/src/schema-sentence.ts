import type { ErrorObject } from 'ajv/dist/ajv.js';

const maxLength = 400;

/** What a person needs to correct the document: the place and what it must be. Never a value of the document. */
export function schemaSentence(collection: string, errors: readonly ErrorObject[]): string {
  const outermost = errors.at(-1);
  // "must match then schema" says nothing; of the parts of an anyOf no single one is the reason.
  const error = outermost?.keyword === 'if' ? errors[0] : outermost;
  const place = error === undefined || error.instancePath === '' ? 'the document' : placeText(error.instancePath);
  const demand = error === undefined ? 'is refused' : demandOf(error);
  const sentence = `the schema of ${collection} refuses it: ${place} ${demand}`;
  return sentence.length <= maxLength ? sentence : `${sentence.slice(0, maxLength - 1)}…`;
}

function placeText(jsonPointer: string): string {
  return jsonPointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}

function demandOf({ keyword, params, message = 'is refused' }: ErrorObject): string {
  const detail = detailOf(keyword, params as Readonly<Record<string, unknown>>);
  return detail === undefined ? message : `${message}: ${detail}`;
}

function detailOf(keyword: string, params: Readonly<Record<string, unknown>>): string | undefined {
  switch (keyword) {
    case 'additionalProperties':
      return String(params.additionalProperty);
    case 'unevaluatedProperties':
      return String(params.unevaluatedProperty);
    case 'enum':
      return JSON.stringify(params.allowedValues);
    case 'const':
      return JSON.stringify(params.allowedValue);
    default:
      return undefined;
  }
}
