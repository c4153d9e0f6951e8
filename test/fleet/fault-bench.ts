import { expect } from '@jest/globals';
import { type BackendOptions, Backends } from '../rig/backends.ts';
import { Fleet, type FleetOptions } from '../rig/fleet.ts';
import { Ledger } from '../rig/ledger.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { Workload } from '../rig/workload.ts';

/** Quicker than in production, so that many rounds fit into a test. */
const env = { NODE_ENV: 'development', LEASE_TTL_MS: '2000', JOB_TIMEOUT_MS: '8000', DRAIN_TIMEOUT_MS: '8000' };

export interface BenchOptions {
  readonly backends?: BackendOptions;
  readonly fleet?: Omit<FleetOptions, 'env'>;
  /** Another way to the backends: settings on top of those that lead to them. */
  readonly reroute?: (backends: Backends) => Promise<Readonly<Record<string, string>>>;
}

/** A fleet on backends of its own, to be broken while clients use it. */
export class FaultBench implements AsyncDisposable {
  readonly backends: Backends;
  readonly fleet: Fleet;
  /** Of the services. */
  readonly env: Readonly<Record<string, string>>;
  private readonly ledger: Ledger;
  private made = 0;

  private constructor(parts: {
    backends: Backends;
    fleet: Fleet;
    ledger: Ledger;
    env: Readonly<Record<string, string>>;
  }) {
    this.backends = parts.backends;
    this.fleet = parts.fleet;
    this.ledger = parts.ledger;
    this.env = parts.env;
  }

  static async start(options: BenchOptions = {}): Promise<FaultBench> {
    const backends = await Backends.start(options.backends);
    try {
      const all = { ...backends.env, ...env, ...(await options.reroute?.(backends)) };
      const fleet = await Fleet.start({ ...options.fleet, env: all });
      return new FaultBench({ backends, fleet, env: all, ledger: await Ledger.open(backends.env) });
    } catch (error) {
      await backends[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Breaks things while clients write and watch; then checks that nothing is lost, doubled, stuck or left over. */
  async survive(breakThings: (workload: Workload) => Promise<void>): Promise<Workload> {
    const collection = `faults${++this.made}`;
    await using workload = await Workload.start({ collection, urls: () => this.fleet.urls });
    await workload.progress(30);
    await breakThings(workload);
    // Everyone works again, not only what was on its way.
    await workload.progress(60);
    expect({ faults: await workload.faults(this.ledger), ...workload.summary }).toMatchObject({ faults: [] });
    await this.fleet.ready();
    await waitUntil(() => this.isQuiet(), { within: 30_000, what: 'the queues are empty' });
    return workload;
  }

  /** Nothing is in any queue. */
  private async isQuiet(): Promise<boolean> {
    const answers = await Promise.all(this.fleet.urls.map(async (url) => (await fetch(`${url}/stats`)).json()));
    return (answers as Stats[]).every(
      ({ pendingChanges, lanes }) => pendingChanges === 0 && lanes?.every(({ waiting }) => waiting === 0),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ledger[Symbol.asyncDispose]();
    await this.fleet[Symbol.asyncDispose]().finally(() => this.backends[Symbol.asyncDispose]());
  }
}

interface Stats {
  readonly pendingChanges: number;
  readonly lanes?: readonly { readonly waiting: number }[];
}
