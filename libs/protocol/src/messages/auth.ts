import { z } from 'zod';
import { tokenField } from './fields.ts';

/** `sync:auth`: a fresh token for the same user. */
export const authMessage = z.object({ token: tokenField });
export type AuthMessage = z.infer<typeof authMessage>;
