/** Resolves when the part works. The signal aborts when nobody waits for the answer any more. */
export type HealthCheck = (signal: AbortSignal) => Promise<void>;

export interface Readiness {
  readonly ready: boolean;
  /** Names of the parts that are not ready, sorted: `store`, `queue`, `bus`, `draining`. */
  readonly failing: readonly string[];
  /** What an operator has to set differently, in sentences; missing when there is nothing. */
  readonly misconfigured?: readonly string[];
}

/** Thrown by the check of a part that is set up wrongly. The message is for everyone who may ask for readiness. */
export class Misconfigured extends Error {
  override readonly name = 'Misconfigured';
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
  let round: { readonly startedAt: number; readonly failures: Promise<readonly Failure[]> } | undefined;

  function currentRound(): Promise<readonly Failure[]> {
    // An answer older than cacheMs is asked anew; the age counts from the start, so an outage is never hidden for longer.
    if (round === undefined || now() - round.startedAt >= cacheMs) {
      round = { startedAt: now(), failures: failuresOf(checks, timeoutMs) };
    }
    return round.failures;
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
      const failures = await currentRound();
      const parts = failures.map(({ part }) => part);
      const failing = (draining ? [...parts, 'draining'] : parts).sort();
      const misconfigured = failures.flatMap(({ error }) => (error instanceof Misconfigured ? [error.message] : []));
      return { ready: failing.length === 0, failing, ...(misconfigured.length > 0 && { misconfigured }) };
    },
  };
}

interface Failure {
  readonly part: string;
  readonly error: unknown;
}

async function failuresOf(checks: ReadonlyMap<string, HealthCheck>, timeoutMs: number): Promise<readonly Failure[]> {
  const failures = await Promise.all([...checks].map(([part, check]) => failureOf(part, check, timeoutMs)));
  return failures.filter((failure) => failure !== undefined);
}

async function failureOf(part: string, check: HealthCheck, timeoutMs: number): Promise<Failure | undefined> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Failure>((resolve) => {
    timer = setTimeout(() => resolve({ part, error: new Error(`no answer within ${timeoutMs} ms`) }), timeoutMs);
  });
  const answer = Promise.resolve()
    .then(() => check(abort.signal))
    .then(
      () => undefined,
      (error: unknown) => ({ part, error }),
    );
  const failure = await Promise.race([answer, late]);
  clearTimeout(timer);
  if (failure !== undefined) abort.abort();
  return failure;
}
