import { z } from 'zod';

/** `sync:checkpoint`: history moved without anything for this client. */
export const checkpointMessage = z.object({ checkpoint: z.string() });
export type CheckpointMessage = z.infer<typeof checkpointMessage>;

/** `sync:reset`: the checkpoint cannot be served; everything is bootstrapped, pending writes stay. */
export const resetMessage = z.object({ reason: z.string(), collections: z.array(z.string()).optional() });
export type ResetMessage = z.infer<typeof resetMessage>;

/** `sync:drain`: reconnect after the delay. */
export const drainMessage = z.object({ reconnectAfterMs: z.number() });
export type DrainMessage = z.infer<typeof drainMessage>;

/** `sync:notice`: an operator speaks to everybody. */
export const noticeMessage = z.object({ message: z.string() });
export type NoticeMessage = z.infer<typeof noticeMessage>;

/** `sync:error`. */
export const errorMessage = z.object({
  event: z.string().optional(),
  code: z.string(),
  error: z.string(),
  retryAfterMs: z.number().optional(),
});
export type ErrorMessage = z.infer<typeof errorMessage>;
