import type { Lane } from '@tidemark/protocol';
import type { History, LogStore, MaintenanceStore } from '@tidemark/storage';
import type { JobQueue } from '@tidemark/transport';
import { currentEpoch } from '../read/feed.ts';
import type { Connection } from '../socket/connection.ts';
import type { Changes } from '../write/changes.ts';

export interface StatisticsDeps {
  readonly store: MaintenanceStore & LogStore & { readonly history: History };
  readonly queue: JobQueue;
  readonly changes: Changes;
  readonly connections: ReadonlyMap<string, Connection>;
}

const maxUsers = 1_000;

/** What `GET /stats` answers. Cheap at any size. */
export class Statistics {
  private readonly deps: StatisticsDeps;

  constructor(deps: StatisticsDeps) {
    this.deps = deps;
  }

  async read() {
    const { store, queue, changes, connections } = this.deps;
    const epoch = currentEpoch(store.history);
    const [{ changes: committed }, heads, depth] = await Promise.all([
      store.statistics(),
      store.heads(epoch.epoch),
      queue.depth(),
    ]);
    return {
      totalChanges: committed + changes.pending,
      syncedChanges: committed,
      pendingChanges: changes.pending,
      activeConnections: connections.size,
      activeUsers: activeUsers(connections),
      lanes: heads.map(({ lane, head, trimmed }) => ({ lane, head, trimmed, waiting: depthOf(depth, lane) })),
    };
  }
}

function depthOf(depth: ReadonlyMap<Lane, number>, lane: Lane): number {
  return depth.get(lane) ?? 0;
}

function activeUsers(connections: ReadonlyMap<string, Connection>): string[] {
  const users = new Set<string>();
  for (const { session } of connections.values()) {
    if (session !== undefined) users.add(session.userId);
    if (users.size >= maxUsers) break;
  }
  return [...users];
}
