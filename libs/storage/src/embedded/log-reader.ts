import { brandAs, type Entry, type Epoch, type Lane } from '@tidemark/protocol';
import type { History, LaneEpoch, LaneHead, LogRead } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { readRow } from './committer.ts';
import type { Tables } from './environment.ts';
import { lanePrefix, logRange, seqOfRow } from './keys.ts';
import { decodeLaneState, type LaneState, laneStateKey } from './lane-state.ts';
import { decodeEntry } from './rows.ts';

/** A read of the log ends early when its entries have so many characters. */
const maxCharacters = 4 * 1024 * 1024;

export class LogReader {
  readonly #tables: Tables;
  readonly #history: History;

  constructor(tables: Tables, history: History) {
    this.#tables = tables;
    this.#history = history;
  }

  heads(epoch: Epoch): readonly LaneHead[] {
    const { lanes } = this.#epoch(epoch);
    return Array.from({ length: lanes }, (_, index) => {
      const lane = brandAs<Lane>(index);
      const { head, trimmed } = this.lane(epoch, lane);
      return { lane, head, trimmed };
    });
  }

  read({ epoch, lane, after, limit }: LogRead): readonly Entry[] {
    if (after < this.lane(epoch, lane).trimmed) throw trimmedError(lane);
    const entries: Entry[] = [];
    let characters = 0;
    for (const { key, value } of this.#tables.log.getRange({ ...logRange(lanePrefix(epoch, lane), after), limit })) {
      entries.push(decodeEntry(value, { epoch, lane, seq: seqOfRow(key) }));
      characters += value.length;
      if (characters >= maxCharacters) break;
    }
    return entries;
  }

  /** Committed changes, ever. */
  changes(): number {
    let changes = 0;
    for (const { epoch, base } of this.#history.epochs) {
      for (const { head } of this.heads(epoch)) changes += head - base;
    }
    return changes;
  }

  lane(epoch: Epoch, lane: Lane): LaneState {
    const { base, lanes } = this.#epoch(epoch);
    if (lane < 0 || lane >= lanes) throw new StoreError('stale_epoch', `epoch ${epoch} has no lane ${lane}`);
    return decodeLaneState(readRow(this.#tables.meta, laneStateKey(epoch, lane)), base);
  }

  #epoch(epoch: Epoch): LaneEpoch {
    const found = this.#history.epochs.find((candidate) => candidate.epoch === epoch);
    if (!found) throw new StoreError('stale_epoch', `this history has no epoch ${epoch}`);
    return found;
  }
}

function trimmedError(lane: Lane): StoreError {
  return new StoreError('trimmed', `the log of lane ${lane} starts later`);
}
