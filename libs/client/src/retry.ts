import { errorCatalogue } from '@tidemark/protocol/core';

/** Whether the same message may succeed later, as the catalogue says. A code that it does not hold may not. */
export function mayRetryLater(code: string | undefined): boolean {
  return errorCatalogue[code as keyof typeof errorCatalogue]?.retry === 'later';
}
