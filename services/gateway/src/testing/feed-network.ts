import type { Entry, Epoch, Lane, Position } from '@tidemark/protocol';
import type { Bus, FeedMessage } from '@tidemark/transport';
import type { Random } from './random.ts';

/** How a network treats the messages of the feed, as probabilities. */
export interface NetworkHabits {
  readonly drop: number;
  readonly twice: number;
  readonly swap: number;
}

/** The feed between writers and one gateway: loses, doubles and reorders what it is told to carry. */
export class FeedNetwork implements Pick<Bus, 'subscribeFeed'> {
  private readonly random: Random;
  private readonly habits: NetworkHabits;
  private readonly listeners = new Set<(message: FeedMessage) => void>();
  private readonly carried: FeedMessage[] = [];

  constructor(random: Random, habits: NetworkHabits) {
    this.random = random;
    this.habits = habits;
  }

  async subscribeFeed(listener: (message: FeedMessage) => void): Promise<() => Promise<void>> {
    this.listeners.add(listener);
    return async () => void this.listeners.delete(listener);
  }

  get isEmpty(): boolean {
    return this.carried.length === 0;
  }

  /** A writer publishes an entry; it may ride with the one before. */
  publish(entry: Entry): void {
    const last = this.carried.at(-1);
    const follows =
      last?.entries.at(-1)?.seq === entry.seq - 1 && last.lane === entry.lane && last.epoch === entry.epoch;
    if (last !== undefined && follows && this.random.chance(0.5)) {
      this.carried[this.carried.length - 1] = { ...last, head: entry.seq, entries: [...last.entries, entry] };
    } else {
      this.carried.push({ epoch: entry.epoch, lane: entry.lane, head: entry.seq, entries: [entry] });
    }
  }

  /** The heartbeats of all lanes. */
  beat({ epoch, seqs }: Position): void {
    seqs.forEach((head, lane) => {
      this.tell({ epoch: epoch as Epoch, lane: lane as Lane, head, entries: [] });
    });
  }

  /** One message arrives, or does not. */
  step(): void {
    const { random, habits } = this;
    if (this.isEmpty) return;
    const place = random.chance(habits.swap) ? random.int(this.carried.length) : 0;
    const [message] = this.carried.splice(place, 1);
    if (message === undefined || random.chance(habits.drop)) return;
    this.tell(message);
    if (random.chance(habits.twice)) this.tell(message);
  }

  private tell(message: FeedMessage): void {
    for (const listener of this.listeners) listener(message);
  }
}
