import { type CommitPlan, StoreError } from '@tidemark/storage';
import { bytesLeft } from '../decide/index.ts';

/** What the images of one commit may take as JSON, in bytes; plain text counts sixfold, see `bytesLeft`. */
const maxImageBytes = 512 * 1024 * 1024;

/**
 * A small change of a large document carries the document twice, so a few dozen of them would take all the memory that a
 * process has. Throws StoreError `too_large` for a plan of several changes that does: whoever halves the group gets through,
 * and an atomic batch, which cannot be halved, is refused. A change alone is bounded by the size of its document.
 */
export function assertBearable({ entries }: CommitPlan): void {
  if (entries.length < 2) return;
  let room = maxImageBytes;
  for (const { before, after } of entries) {
    room = bytesLeft(after, bytesLeft(before, room));
    if (room < 0) throw new StoreError('too_large', 'the images of these changes are too large for one commit');
  }
}
