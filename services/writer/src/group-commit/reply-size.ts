import type { Outcome } from '@tidemark/protocol';
import { bytesLeft } from '../decide/index.ts';

/** What the documents in one reply may take as JSON, in bytes; plain text counts sixfold, see `bytesLeft`. */
const maxCurrentBytes = 64 * 1024 * 1024;

/**
 * Changes that lost are answered with the document that won. Many on large ones would be a reply that no connection carries
 * and that is asked for again and again: a document for which there is no room is left out, as where the author may not read
 * it. One is told whatever its size.
 */
export function boundCurrents(outcomes: readonly (readonly Outcome[])[]): readonly (readonly Outcome[])[] {
  let room = maxCurrentBytes;
  let hasLarge = false;
  return outcomes.map((ofRequest) =>
    ofRequest.map((outcome) => {
      if (!('current' in outcome) || !outcome.current) return outcome;
      const left = bytesLeft(outcome.current, room);
      if (left < 0 && hasLarge) return { ...outcome, current: undefined };
      if (left < 0) hasLarge = true;
      else room = left;
      return outcome;
    }),
  );
}
