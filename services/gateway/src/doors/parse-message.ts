import { SyncError } from '@tidemark/protocol';

/** The part of a schema that is needed here. */
interface Schema<T> {
  safeParse(
    input: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

/** The payload as the schema types it. Throws `invalid_message` with the place of the fault. */
export function parseMessage<T>(schema: Schema<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.length ? `${issue.path.map(String).join('.').slice(0, 100)}: ` : '';
  throw new SyncError('invalid_message', `${place}${issue?.message ?? 'malformed'}`);
}
