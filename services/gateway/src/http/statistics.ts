import type { Lane } from '@tidemark/protocol';
import type { History, LogStore, MaintenanceStore } from '@tidemark/storage';
import type { JobQueue } from '@tidemark/transport';
import { currentEpoch } from '../read/feed.ts';
import type { Connection } from '../socket/connection.ts';
import { type Census, type Count, maxUsers } from './census.ts';

export interface StatisticsDeps {
  readonly store: MaintenanceStore & LogStore & { readonly history: History };
  readonly queue: JobQueue;
  readonly census: Pick<Census, 'take'>;
}

/** What `GET /stats` answers, over the whole fleet. Cheap at any size. */
export class Statistics {
  private readonly deps: StatisticsDeps;

  constructor(deps: StatisticsDeps) {
    this.deps = deps;
  }

  async read() {
    const { store, queue, census } = this.deps;
    const epoch = currentEpoch(store.history);
    const [{ connections, users, pending }, { changes: committed }, heads, depth] = await Promise.all([
      census.take(),
      store.statistics(),
      store.heads(epoch.epoch),
      queue.depth(),
    ]);
    return {
      totalChanges: committed + pending,
      syncedChanges: committed,
      pendingChanges: pending,
      activeConnections: connections,
      activeUsers: users,
      lanes: heads.map(({ lane, head, trimmed }) => ({ lane, head, trimmed, waiting: depthOf(depth, lane) })),
    };
  }
}

function depthOf(depth: ReadonlyMap<Lane, number>, lane: Lane): number {
  return depth.get(lane) ?? 0;
}

/** Of this gateway alone. */
export function countOf(connections: ReadonlyMap<string, Connection>, pending: number): Count {
  const users = new Set<string>();
  for (const { session } of connections.values()) {
    if (session !== undefined) users.add(session.userId);
    if (users.size >= maxUsers) break;
  }
  return { connections: connections.size, users: [...users], pending };
}
