import { z } from 'zod';

/** `ping`. */
export const pingMessage = z.object({ t: z.number().nullish() }).nullish();
export type PingMessage = z.infer<typeof pingMessage>;
export const pongMessage = z.object({
  timestamp: z.number(),
  clientTimestamp: z.number().optional(),
  latency: z.number().optional(),
});
export type PongMessage = z.infer<typeof pongMessage>;
