import { z } from 'zod';

/** `sync:batch_changes`, the bare list of an older client. */
export const batchChangesMessage = z.array(z.unknown());
export type BatchChangesMessage = z.infer<typeof batchChangesMessage>;
