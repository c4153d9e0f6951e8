import type { Checkpoint } from './checkpoint.ts';
import { encodedCheckpoint, readCheckpoint } from './checkpoint-format.ts';
import * as limits from './limits.ts';

/** Of the format in checkpoint-format.ts. Whoever changes that format takes the next one. */
const version = '1.';
const base64Url = /^[\w-]+$/;

/** Opaque text: format version, dot, base64url. Clients keep it, never read it. Equal checkpoints have equal tokens. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return version + encodedCheckpoint(checkpoint).toString('base64url');
}

/** The checkpoint in a token, or undefined when it is none that this version of the server makes. Never throws. */
export function decodeCheckpoint(token: string): Checkpoint | undefined {
  if (token.length > limits.checkpoint || !token.startsWith(version)) return undefined;
  const text = token.slice(version.length);
  if (!base64Url.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Unused bits of the last character would make a second token of the same checkpoint.
  return bytes.toString('base64url') === text ? readCheckpoint(bytes) : undefined;
}
