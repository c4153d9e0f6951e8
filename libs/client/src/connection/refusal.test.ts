import { describe, expect, it } from '@jest/globals';
import { refusalEvent } from './refusal.ts';

const retry = (code: string, canRenewToken: boolean) => {
  const event = refusalEvent({ code, message: 'no' }, canRenewToken);
  return event.kind === 'refused' && event.retry;
};

describe('refusalEvent', () => {
  it.each(['overloaded', 'unavailable', 'rate_limited', 'too_many_connections', 'internal'])('%s passes', (code) => {
    expect(retry(code, false)).toBe(true);
  });

  it.each(['forbidden', 'unsupported_protocol', 'invalid_message', 'wrong_user', 'unheard_of'])(
    '%s does not',
    (code) => {
      expect(retry(code, true)).toBe(false);
    },
  );

  it.each(['unauthenticated', 'token_expired'])('%s passes when there is a function for a better token', (code) => {
    expect(retry(code, true)).toBe(true);
    expect(retry(code, false)).toBe(false);
  });

  it('hands the wait on', () => {
    expect(refusalEvent({ code: 'overloaded', message: 'busy', retryAfterMs: 70 }, false)).toEqual({
      kind: 'refused',
      problem: { code: 'overloaded', message: 'busy' },
      retry: true,
      retryAfterMs: 70,
    });
  });
});
