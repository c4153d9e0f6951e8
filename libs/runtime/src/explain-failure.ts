import { types } from 'node:util';
import { RulesError } from '@tidemark/access';
import { SettingsError } from '@tidemark/config';
import { SyncError } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';

/** Why a service ends. What the operator can mend is a sentence; anything else shows where it comes from. */
export function explainFailure(error: unknown): string {
  if (error instanceof SettingsError || error instanceof RulesError || StoreError.is(error) || SyncError.is(error))
    return error.message;
  if (!types.isNativeError(error)) return String(error);
  return explainListening(error) ?? String(error.stack);
}

/** A HOST or PORT that this machine does not give. */
function explainListening({ message, code, syscall }: NodeJS.ErrnoException): string | undefined {
  if (code === 'ENOTFOUND' && syscall === 'getaddrinfo') return `a name is not known, is HOST right? ${message}`;
  if (syscall !== 'listen') return undefined;
  if (code === 'EADDRINUSE') return `the port is taken: ${message}`;
  if (code === 'EACCES') return `PORT needs rights that the process does not have: ${message}`;
  return `HOST and PORT cannot be listened at: ${message}`;
}
