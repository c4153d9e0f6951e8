import type { Rules } from '@tidemark/access';
import {
  type AckMessage,
  brandAs,
  type ErrorCode,
  errorCatalogue,
  isObject,
  limits,
  SyncError,
  type UserId,
} from '@tidemark/protocol';
import type { Request } from 'express';
import type { Writing } from '../doors/writing.ts';
import type { RestIdentity } from './rest-identity.ts';

export interface RestChangeDeps {
  readonly identity: RestIdentity;
  readonly writing: Writing;
  readonly rules: Rules;
}

/** `POST /api/sync/change`. */
export class RestChange {
  private readonly deps: RestChangeDeps;

  constructor(deps: RestChangeDeps) {
    this.deps = deps;
  }

  /** Throws SyncError when there is no identity. */
  async handle(request: Request): Promise<{ status: number; body: unknown }> {
    const begun = performance.now();
    const body: unknown = request.body;
    const stated = isObject(body) ? body.userId : undefined;
    const { userId, claims } = await this.deps.identity.of(request, [
      request.query.userId,
      request.headers['x-user-id'],
      stated,
      'anonymous',
    ]);
    if (!isObject(body)) throw new SyncError('invalid_message', 'No changes provided');
    const emitTo = parseEmitTo(body.emitTo);
    const session = { userId, author: { userId, claims: this.deps.rules.claimsFor(userId, claims) } };
    const ack = await this.deps.writing.one({ session, origin: undefined, ...(emitTo && { emitTo }) }, body);
    const latency = Math.round(performance.now() - begun);
    return { status: statusOf(ack), body: { ...ack, latency } };
  }
}

function statusOf(ack: AckMessage): number {
  return ack.success ? 200 : errorCatalogue[(ack.code ?? 'internal') as ErrorCode].httpStatus;
}

function parseEmitTo(value: unknown): readonly UserId[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isList =
    Array.isArray(value) &&
    value.length <= limits.emitTo &&
    value.every((one) => typeof one === 'string' && one.length <= limits.userId);
  if (!isList) throw new SyncError('invalid_message', 'emitTo must be a list of user ids');
  return (value as string[]).map((one) => brandAs<UserId>(one));
}
