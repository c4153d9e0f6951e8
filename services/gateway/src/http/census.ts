import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from 'socket.io';

/** What one gateway has in hand. */
export interface Count {
  readonly connections: number;
  /** Those that have joined; each once, at most `maxUsers`. */
  readonly users: readonly string[];
  /** Changes that wait for their writer. */
  readonly pending: number;
}

export interface CensusDeps {
  readonly io: Pick<Server, 'on' | 'serverSideEmitWithAck'>;
  /** There may be other gateways. */
  readonly isFleet: boolean;
  readonly ownCount: () => Count;
}

export const maxUsers = 1_000;

const event = 'tidemark:count';
/** A gateway that hangs does not hold up the others' answer. */
const answersWithinMs = 1_000;

/** Counts over all gateways of the fleet, in one question to the others. */
export class Census {
  private readonly deps: CensusDeps;

  constructor(deps: CensusDeps) {
    this.deps = deps;
    // The typing of `on` knows the events of clients only.
    if (deps.isFleet) (deps.io.on as OnOthers).call(deps.io, event, (answer) => answer(deps.ownCount()));
  }

  /** Without those that do not answer in time. */
  async take(): Promise<Count> {
    const { isFleet, ownCount } = this.deps;
    return sum([ownCount(), ...(isFleet ? await this.askOthers() : [])]);
  }

  private async askOthers(): Promise<readonly Count[]> {
    const asked: Promise<unknown> = this.deps.io
      .serverSideEmitWithAck(event)
      .catch((error: { readonly responses?: unknown }) => error.responses);
    const answers = await Promise.race([asked, pause(answersWithinMs, undefined, { ref: false })]);
    return Array.isArray(answers) ? answers.filter(isCount) : [];
  }
}

type OnOthers = (event: string, listener: (answer: (count: Count) => void) => void) => unknown;

/** A gateway of another version may answer something else. */
function isCount(value: unknown): value is Count {
  const count = value as Partial<Count> | null;
  return typeof count?.connections === 'number' && typeof count.pending === 'number' && Array.isArray(count.users);
}

function sum(counts: readonly Count[]): Count {
  return {
    connections: counts.reduce((total, { connections }) => total + connections, 0),
    users: [...new Set(counts.flatMap(({ users }) => users))].slice(0, maxUsers),
    pending: counts.reduce((total, { pending }) => total + pending, 0),
  };
}
