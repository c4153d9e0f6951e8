import { ClientError, type ClientErrorCode } from './client-error.ts';
import { LocalStoreError, type LocalStoreErrorCode } from './local/port.ts';

const codes: Partial<Record<LocalStoreErrorCode, ClientErrorCode>> = {
  full: 'store_full',
  inUse: 'store_in_use',
  closed: 'closed',
};

/** What is known of something that was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a program is told when the local store fails: `what` failed, with the store's own words and the cause. */
export function storeError(what: string, error: unknown): ClientError {
  const code = (error instanceof LocalStoreError && codes[error.code]) || 'store_failed';
  return new ClientError(code, `${what}: ${textOf(error)}`, error);
}
