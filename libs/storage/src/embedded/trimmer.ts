import { brandAs, type Entry, type Lane, type Millis } from '@tidemark/protocol';
import type { History, LaneEpoch } from '../port.ts';
import type { Job, View } from './committer.ts';
import type { RowWrite, Tables } from './environment.ts';
import {
  documentRowKey,
  lanePrefix,
  logRange,
  logRowKey,
  outcomeKeyOfSuperseded,
  outcomeRowKey,
  seqOfRow,
  timeRowKey,
} from './keys.ts';
import { decodeLaneState, encodeLaneState, laneStateKey } from './lane-state.ts';
import { decodeEntry, decodeTombstone, isTombstoneRow } from './rows.ts';

/** A step ends early when its entries have so many characters: each is parsed, and everything else waits meanwhile. */
const maxCharacters = 4 * 1024 * 1024;

export interface TrimmerDeps {
  readonly tables: Tables;
  readonly history: History;
}

export interface TrimStep {
  readonly before: Millis;
  /** At most so many entries, superseded outcomes and tides; what goes with an entry is not counted. */
  readonly limit: number;
}

/** What a step has trimmed, and whether it ended before there was nothing left. */
export interface TrimResult {
  readonly count: number;
  readonly isCut: boolean;
}

/** One step of trimming, small enough to share a commit with transactions. */
export function trimJob(deps: TrimmerDeps, step: TrimStep): Job<TrimResult> {
  return {
    weight: step.limit,
    run(view) {
      const trim = new Trim(deps, view, step);
      trim.lanes();
      trim.superseded();
      trim.tides();
      return { writes: trim.writes, result: { count: trim.count, isCut: trim.isCut } };
    },
  };
}

class Trim {
  readonly writes: RowWrite[] = [];
  count = 0;
  isCut = false;
  #characters = 0;
  readonly #deps: TrimmerDeps;
  readonly #view: View;
  readonly #step: TrimStep;

  constructor(deps: TrimmerDeps, view: View, step: TrimStep) {
    this.#deps = deps;
    this.#view = view;
    this.#step = step;
  }

  lanes(): void {
    for (const epoch of this.#deps.history.epochs) {
      for (let index = 0; index < epoch.lanes; index++) this.#lane(epoch, brandAs<Lane>(index));
    }
  }

  /** Outcomes that have no entry, by the time of their decision. */
  superseded(): void {
    const { superseded, outcomes } = this.#deps.tables;
    for (const key of superseded.getKeys(this.#olderRange())) {
      if (!this.#take()) return;
      this.#remove(superseded, key);
      this.#remove(outcomes, outcomeKeyOfSuperseded(key));
    }
  }

  /** The newest of the old tides stays: it is the one that stands for all times up to the first tide that is kept. */
  tides(): void {
    const { tides } = this.#deps.tables;
    let older: string | undefined;
    for (const key of tides.getKeys(this.#olderRange())) {
      if (older !== undefined) {
        if (!this.#take()) return;
        this.#remove(tides, older);
      }
      older = key;
    }
  }

  #lane({ epoch, base }: LaneEpoch, lane: Lane): void {
    const { log, meta } = this.#deps.tables;
    const key = laneStateKey(epoch, lane);
    const state = decodeLaneState(this.#view.get(meta, key), base);
    const prefix = lanePrefix(epoch, lane);
    let trimmed = state.trimmed;
    for (const { key: row, value } of log.getRange(logRange(prefix, trimmed))) {
      if (this.#characters >= maxCharacters) this.isCut = true;
      if (this.isCut) break;
      const entry = decodeEntry(value, { epoch, lane, seq: seqOfRow(row) });
      if (entry.committedAt >= this.#step.before || !this.#take()) break;
      this.#characters += value.length;
      trimmed = entry.seq;
      this.#entry(prefix, entry);
    }
    if (trimmed !== state.trimmed)
      this.writes.push({ table: meta, key, value: encodeLaneState({ ...state, trimmed }) });
  }

  #entry(prefix: string, entry: Entry): void {
    const { log, outcomes, documents } = this.#deps.tables;
    this.#remove(log, logRowKey(prefix, entry.seq));
    this.#remove(outcomes, outcomeRowKey(entry));
    if (entry.after !== null) return;
    const key = documentRowKey(entry.collection, entry.key);
    const row = this.#view.get(documents, key);
    if (row !== undefined && isTombstoneRow(row) && decodeTombstone(row).seq === entry.seq)
      this.#remove(documents, key);
  }

  #olderRange(): { readonly start: string; readonly end: string } {
    return { start: '\u0000', end: timeRowKey(this.#step.before) };
  }

  #take(): boolean {
    this.isCut ||= this.count >= this.#step.limit;
    if (!this.isCut) this.count += 1;
    return !this.isCut;
  }

  #remove(table: RowWrite['table'], key: string): void {
    this.writes.push({ table, key, value: undefined });
  }
}
