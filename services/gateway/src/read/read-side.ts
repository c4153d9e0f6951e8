import type { Entry, Millis } from '@tidemark/protocol';
import type { DocumentStore, History, LogStore, TideStore } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';
import type { Bus } from '@tidemark/transport';
import { ChangesPages } from './changes-pages.ts';
import type { Broadcast } from './client-link.ts';
import { FanOut } from './fan-out.ts';
import { Feed } from './feed.ts';
import { GroupIndex } from './group-index.ts';
import { HistoryReader } from './history-reader.ts';
import type { StreamDeps } from './stream.ts';
import { TideBook } from './tide-book.ts';
import { type WildcardView, WildcardViews } from './wildcard-views.ts';

export interface ReadSideDeps {
  readonly store: LogStore & DocumentStore & TideStore & { readonly history: History };
  readonly bus: Pick<Bus, 'subscribeFeed'>;
  readonly telemetry: Telemetry;
  readonly broadcast: Broadcast;
  readonly settings: {
    readonly recentBytes: number;
    readonly bootstrapPage: number;
    readonly checkpointIntervalMs: number;
  };
  readonly now: () => Millis;
  readonly pause: (ms: number) => Promise<void>;
  /** See FeedDeps. */
  readonly onOutdated?: () => void;
}

/** What the doors use of the read side. */
export interface ReadParts {
  readonly stream: StreamDeps;
  readonly groups: GroupIndex;
  readonly reader: HistoryReader;
  readonly wildcards: WildcardViews;
  readonly pages: ChangesPages;
  readonly fanOut: () => FanOut;
}

/** The reading half of a gateway: feed, groups, fan-out, pages. `parts` exist after `start`. */
export class ReadSide {
  private readonly deps: ReadSideDeps;
  private readonly feed: Feed;
  private readonly wildcards = new WildcardViews();
  private running: ReadParts | undefined;
  private ticker: NodeJS.Timeout | undefined;

  constructor(deps: ReadSideDeps) {
    this.deps = deps;
    const { store, settings } = deps;
    this.feed = new Feed({ ...deps, log: store, history: store.history, recentBytes: settings.recentBytes });
  }

  async start(): Promise<void> {
    const { deps, feed, wildcards } = this;
    const { store, telemetry, settings } = deps;
    const groups = new GroupIndex();
    const reader = new HistoryReader({ log: store, history: store.history, feed });
    const readHeads = () => feed.readHeads();
    const beforeEntry = (entry: Entry) => wildcards.beforeEntry(entry);
    const fanOutDeps = { ...deps, feed, groups, historyId: store.history.id, beforeEntry };
    const fanOut = await feed.start((start) => new FanOut(fanOutDeps, start));
    const pages = new ChangesPages({
      documents: store,
      reader,
      fanOut,
      tides: new TideBook(store, deps.now),
      readHeads,
    });
    const stream: StreamDeps = {
      documents: store,
      reader,
      fanOut,
      groups,
      readHeads,
      telemetry,
      settings,
      pause: deps.pause,
    };
    this.running = { stream, groups, reader, wildcards, pages, fanOut: () => fanOut };
    this.ticker = setInterval(() => {
      fanOut.announcePosition();
      telemetry.metrics.groups.set(groups.size);
    }, settings.checkpointIntervalMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.ticker);
    await this.feed.stop();
  }

  parts(): ReadParts {
    if (this.running === undefined) throw new Error('the gateway has not started');
    return this.running;
  }

  closeWildcard(view: WildcardView): void {
    this.wildcards.remove(view);
  }
}
