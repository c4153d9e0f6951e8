/** Resolves when the part works. The signal aborts when nobody waits for the answer any more. */
export type HealthCheck = (signal: AbortSignal) => Promise<void>;

export interface Readiness {
  readonly ready: boolean;
  /** Names of the parts that are not ready, sorted: `store`, `queue`, `bus`, `draining`. */
  readonly failing: readonly string[];
}

export interface HealthOptions {
  readonly version: string;
  /** How long one check may take, in ms. */
  readonly timeoutMs?: number;
  /** How long an answer is repeated without checking again, in ms. */
  readonly cacheMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export interface Health {
  readonly version: string;
  /** Adds a part; registering a name again replaces its check. */
  register(part: string, check: HealthCheck): void;
  /** Never rejects. All checks run side by side, so it takes no longer than one timeout. */
  ready(): Promise<Readiness>;
  /** From now on never ready, so that balancers stop sending clients. There is no way back. */
  startDraining(): void;
  readonly draining: boolean;
}

/** Answers whether this process can serve. Probes are cheap however many ask: one round of checks per `cacheMs`. */
export function createHealth(options: HealthOptions): Health {
  const { version, timeoutMs = 1_000, cacheMs = 1_000, now = () => performance.now() } = options;
  const checks = new Map<string, HealthCheck>();
  let draining = false;
  let round: { readonly startedAt: number; readonly failing: Promise<string[]> } | undefined;

  function currentRound(): Promise<string[]> {
    // An answer older than cacheMs is asked anew; the age counts from the start, so an outage is never hidden for longer.
    if (round === undefined || now() - round.startedAt >= cacheMs) {
      round = { startedAt: now(), failing: failingParts(checks, timeoutMs) };
    }
    return round.failing;
  }

  return {
    version,
    get draining() {
      return draining;
    },
    register(part, check) {
      checks.set(part, check);
      round = undefined;
    },
    startDraining() {
      draining = true;
    },
    async ready() {
      const parts = await currentRound();
      const failing = (draining ? [...parts, 'draining'] : [...parts]).sort();
      return { ready: failing.length === 0, failing };
    },
  };
}

async function failingParts(checks: ReadonlyMap<string, HealthCheck>, timeoutMs: number): Promise<string[]> {
  const parts = [...checks];
  const passed = await Promise.all(parts.map(([, check]) => passes(check, timeoutMs)));
  return parts.filter((_, i) => passed[i] === false).map(([part]) => part);
}

async function passes(check: HealthCheck, timeoutMs: number): Promise<boolean> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const answer = Promise.resolve()
    .then(() => check(abort.signal))
    .then(
      () => true,
      () => false,
    );
  const passed = await Promise.race([answer, late]);
  clearTimeout(timer);
  if (!passed) abort.abort();
  return passed;
}
