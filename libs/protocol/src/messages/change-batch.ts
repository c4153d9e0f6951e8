import { z } from 'zod';

/** `sync:changeBatch`. Members are parsed one by one, so that a bad one is rejected alone. */
export const changeBatchMessage = z.object({ changes: z.array(z.unknown()), atomic: z.boolean().nullish() });
export type ChangeBatchMessage = z.infer<typeof changeBatchMessage>;
