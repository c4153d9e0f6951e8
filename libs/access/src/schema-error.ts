/** A schema that is refused, and where in it. */
export class SchemaError extends Error {
  /** Keys and indexes from the top of the schema. */
  readonly place: readonly string[];

  constructor(place: readonly string[], reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'SchemaError';
    this.place = place;
  }
}
