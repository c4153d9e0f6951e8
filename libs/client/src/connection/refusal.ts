import { mayRetryLater } from '../retry.ts';
import type { ConnectionEvent } from './machine.ts';

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

/** What a refusal means for the connection: a token that can be renewed, and what passes by itself, is worth another try. */
export function refusalEvent({ code, message, retryAfterMs }: Refusal, canRenewToken: boolean): ConnectionEvent {
  const isTokenTrouble = code === 'unauthenticated' || code === 'token_expired';
  return {
    kind: 'refused',
    problem: { code, message },
    retry: mayRetryLater(code) || (isTokenTrouble && canRenewToken),
    retryAfterMs,
  };
}
