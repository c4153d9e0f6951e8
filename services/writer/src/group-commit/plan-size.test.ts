import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '@tidemark/protocol';
import type { CommitPlan, CommitStore, History, Snapshot, StoredState } from '@tidemark/storage';
import { silentTelemetry } from '@tidemark/telemetry';
import { createInProcessBus } from '@tidemark/transport/inprocess';
import { gateway, job, request, update } from '../testing/changes.ts';
import { openRules } from '../testing/decisions.ts';
import { GroupCommitter } from './group-committer.ts';

const history = { id: 'h', epochs: [{ epoch: 1, lanes: 1, base: 0 }] } as unknown as History;

/** Holds one document, and takes plans without keeping them: nothing here grows with the document. */
class OneDocument implements CommitStore {
  readonly history = history;
  readonly plans: CommitPlan[] = [];
  private state: StoredState;
  private head = 0;

  constructor(text: string) {
    this.state = { kind: 'document', document: { _id: 'd1', text, sync_updated_at: 1, sync_version: 0 } };
  }

  transact: CommitStore['transact'] = async (_request, decide) => {
    const snapshot: Snapshot = {
      head: () => this.head as never,
      state: () => this.state,
      outcome: () => undefined,
    };
    const { plan, result } = decide(snapshot);
    this.plans.push(plan);
    this.state = plan.states[0]?.state ?? this.state;
    this.head += plan.entries.length;
    return result;
  };
}

async function send(store: OneDocument, atomic: boolean): Promise<readonly Outcome[]> {
  const bus = createInProcessBus();
  const answers: Outcome[] = [];
  await bus.subscribeReplies(gateway, (reply) => answers.push(...reply.outcomes.flat()));
  const committer = new GroupCommitter({
    ...{ store, bus, rules: openRules, telemetry: silentTelemetry(), now: Date.now },
    settings: { maxClockSkewMs: 60_000, optimisticLocking: false, maxTransactionChanges: 100, publishTimeoutMs: 1_000 },
  });
  const changes = Array.from({ length: 20 }, (_, n) => update({ n }));
  const seat = committer.seat({ lane: 0 as never, token: 1, onLost: () => undefined });
  await seat.submit(job([request(changes, { atomic })]), { attempt: 1 });
  return answers;
}

const large = 'x'.repeat(14 * 1024 * 1024);

describe('small changes of one document', () => {
  it('are one commit while the document is small', async () => {
    const store = new OneDocument('x');
    await send(store, false);
    expect(store.plans.map(({ entries }) => entries.length)).toEqual([20]);
  });

  it('are several when it is large, since each carries it twice', async () => {
    const store = new OneDocument(large);
    const outcomes = await send(store, false);
    expect(outcomes.map((outcome) => outcome.kind === 'applied' && outcome.seq)).toEqual(changesOf(20));
    expect(store.plans.length).toBeGreaterThan(5);
    expect(store.plans.flatMap(({ entries }) => entries.map(({ seq }) => seq))).toEqual(changesOf(20));
  });

  it('are refused when they are to be one and the document is large', async () => {
    const store = new OneDocument(large);
    const outcomes = await send(store, true);
    expect(new Set(outcomes.map((outcome) => outcome.kind === 'rejected' && outcome.code))).toEqual(
      new Set(['too_large']),
    );
    expect(store.plans).toEqual([]);
  });
});

const changesOf = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
