import type { Lane } from '@tidemark/protocol';
import { StoreError } from '@tidemark/storage';
import type { Logger } from '@tidemark/telemetry';
import type { Lease, Leases } from '@tidemark/transport';
import { preferredOrder, shareOf } from './shares.ts';

/** What serves a lane while the lease on it is held. */
export interface LaneService {
  /** Takes no more work; resolves when that in hand is done. */
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly token: number;
  /** To be called when the lane turns out to be another's. */
  readonly onLost: (error: unknown) => void;
}

export interface LaneKeeperDeps {
  readonly leases: Leases;
  readonly holder: string;
  readonly leaseTtlMs: number;
  readonly lanes: readonly Lane[];
  readonly logger: Logger;
  readonly serve: (lane: Lane, options: ServeOptions) => Promise<LaneService>;
}

interface Tenure {
  readonly lane: Lane;
  readonly lease: Lease;
  readonly service: LaneService;
  /** Set when the lane is being given up. */
  closing?: Promise<void>;
}

/**
 * Holds leases on a fair share of the lanes and serves those. `tick` is called several times per life of a lease:
 * it renews, hands over what is too much and takes what is free. The leases are for speed; the store's fence is for safety.
 */
export class LaneKeeper {
  private readonly deps: LaneKeeperDeps;
  private readonly tenures = new Map<Lane, Tenure>();
  private share: number | undefined;
  /** The greatest token that the store knows of. A clock that was ahead once must not keep everybody out until its time has come. */
  private seenToken = 0;
  private draining = false;

  constructor(deps: LaneKeeperDeps) {
    this.deps = deps;
  }

  /** Lanes that are served now. */
  get serving(): readonly Lane[] {
    return [...this.tenures.values()].filter((tenure) => tenure.closing === undefined).map((tenure) => tenure.lane);
  }

  /** Lanes that this holder should serve, as of the last tick; undefined before the first. */
  get owed(): number | undefined {
    return this.share;
  }

  /** Never rejects, must not overlap with itself. While the leases are away everything stays as it is. */
  async tick(): Promise<void> {
    const { leases, holder, leaseTtlMs, lanes, logger } = this.deps;
    if (this.draining) return;
    try {
      await leases.announce(holder, leaseTtlMs);
      const holders = await leases.holders();
      const share = shareOf(lanes.length, holders, holder);
      this.share = share;
      await Promise.all([...this.tenures.values()].map((tenure) => this.renew(tenure)));
      for (const lane of this.serving.slice(share)) this.handOver(lane);
      await this.take(share, preferredOrder(lanes, holders, holder));
    } catch (error) {
      logger.warn({ err: error }, 'the leases on the lanes do not answer');
    }
  }

  /** Gives up every lane when its work in hand is done. Safe to call twice. */
  async drain(): Promise<void> {
    const { leases, holder, logger } = this.deps;
    this.draining = true;
    for (const lane of this.serving) this.handOver(lane);
    await Promise.all([...this.tenures.values()].map((tenure) => tenure.closing));
    try {
      await leases.retire(holder);
    } catch (error) {
      logger.warn({ err: error }, 'the announcement of this writer ends by itself');
    }
  }

  private async renew(tenure: Tenure): Promise<void> {
    if (await tenure.lease.renew()) return;
    this.deps.logger.warn({ lane: tenure.lane }, 'the lease on a lane was lost');
    this.close(tenure);
  }

  private async take(share: number, candidates: readonly Lane[]): Promise<void> {
    let wanted = share - this.serving.length;
    for (const lane of candidates) {
      if (wanted <= 0 || this.draining) return;
      // A lane that is being closed is left alone until its last commit is over.
      if (!this.tenures.has(lane) && (await this.acquire(lane))) wanted--;
    }
  }

  private async acquire(lane: Lane): Promise<boolean> {
    const { leases, holder, leaseTtlMs, serve, logger } = this.deps;
    const lease = await leases.acquire(leaseName(lane), holder, leaseTtlMs, this.seenToken);
    if (lease === undefined) return false;
    try {
      const service = await serve(lane, { token: lease.token, onLost: (error) => this.lose(lane, error) });
      const tenure: Tenure = { lane, lease, service };
      this.tenures.set(lane, tenure);
      logger.info({ lane }, 'serving a lane');
      // Drained while it was being taken.
      if (this.draining) this.close(tenure);
      return true;
    } catch (error) {
      logger.warn({ err: error, lane }, 'a lane could not be served');
      await lease.release();
      return false;
    }
  }

  private lose(lane: Lane, error: unknown): void {
    this.deps.logger.warn({ err: error, lane }, 'a lane is served by another writer');
    if (StoreError.is(error, 'fenced')) this.seenToken = Math.max(this.seenToken, error.token ?? 0);
    this.handOver(lane);
  }

  private handOver(lane: Lane): void {
    const tenure = this.tenures.get(lane);
    if (tenure !== undefined) this.close(tenure);
  }

  private close(tenure: Tenure): void {
    tenure.closing ??= this.closeAndRelease(tenure);
  }

  private async closeAndRelease({ lane, lease, service }: Tenure): Promise<void> {
    const { logger } = this.deps;
    try {
      await service.close();
      await lease.release();
      logger.info({ lane }, 'gave up a lane');
    } catch (error) {
      logger.warn({ err: error, lane }, 'a lane was not given up cleanly; its lease ends by itself');
    } finally {
      this.tenures.delete(lane);
    }
  }
}

function leaseName(lane: Lane): string {
  return `lane:${lane}`;
}
