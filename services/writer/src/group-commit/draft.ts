import { brandAs, type Lane, type Millis, type Seq } from '@tidemark/protocol';
import type { CommitPlan, DocumentRef, RecordedOutcome, Snapshot, StoredState } from '@tidemark/storage';
import type { Decision } from '../decide/index.ts';
import type { Item } from './unit.ts';

/** How a change ended the first time. */
export type FirstOutcome =
  | { readonly kind: 'applied'; readonly timestamp: Millis; readonly lane: Lane; readonly seq: Seq }
  | { readonly kind: 'superseded'; readonly timestamp: Millis };

/** History as the next change of a transaction sees it. */
export interface View {
  head(lane: Lane): Seq;
  state(item: Item): StoredState | undefined;
  first(item: Item): FirstOutcome | undefined;
}

export function viewOf(snapshot: Snapshot): View {
  return {
    head: (lane) => snapshot.head(lane),
    state: (item) => snapshot.state(item.change),
    first: (item) => snapshot.outcome(item.ref),
  };
}

type Applied = Extract<Decision, { kind: 'applied' }>;

/** What a transaction is going to write, on top of what it found. */
export class Draft implements View {
  private readonly base: View;
  private readonly heads = new Map<Lane, Seq>();
  private readonly states = new Map<string, { readonly ref: DocumentRef; readonly state: StoredState }>();
  private readonly firsts = new Map<string, FirstOutcome>();
  private readonly entries: Applied['entry'][] = [];
  private readonly superseded: RecordedOutcome[] = [];

  constructor(base: View) {
    this.base = base;
  }

  head(lane: Lane): Seq {
    return this.heads.get(lane) ?? this.base.head(lane);
  }

  nextSeq(lane: Lane): Seq {
    return brandAs<Seq>(this.head(lane) + 1);
  }

  state(item: Item): StoredState | undefined {
    return this.states.get(item.documentKey)?.state ?? this.base.state(item);
  }

  first(item: Item): FirstOutcome | undefined {
    return this.firsts.get(item.changeKey) ?? this.base.first(item);
  }

  apply(item: Item, { entry, state }: Applied): void {
    this.entries.push(entry);
    this.heads.set(entry.lane, entry.seq);
    this.states.set(item.documentKey, { ref: item.change, state });
    const { timestamp, lane, seq } = entry;
    this.firsts.set(item.changeKey, { kind: 'applied', timestamp, lane, seq });
  }

  supersede(item: Item, now: Millis): void {
    const { collection, documentId } = item.change;
    const times = { timestamp: now, committedAt: now };
    this.superseded.push({ ...item.ref, kind: 'superseded', collection, documentId, ...times });
    this.firsts.set(item.changeKey, { kind: 'superseded', timestamp: now });
  }

  /** Takes over all that a draft on top of this one holds. */
  absorb(draft: Draft): void {
    this.entries.push(...draft.entries);
    this.superseded.push(...draft.superseded);
    for (const [lane, seq] of draft.heads) this.heads.set(lane, seq);
    for (const [key, state] of draft.states) this.states.set(key, state);
    for (const [key, first] of draft.firsts) this.firsts.set(key, first);
  }

  plan(): CommitPlan {
    return { entries: this.entries, states: [...this.states.values()], superseded: this.superseded };
  }
}
