import type { StandaloneOptions } from '@tidemark/standalone';

/** `standalone` has an embedded store, `mongo` is one server on MongoDB, `fleet` two gateways, two writers and a janitor. */
export type TestMode = 'standalone' | 'mongo' | 'fleet';

export interface ServerOptions {
  /** Default: what TIDEMARK_TEST_MODE says. */
  readonly mode?: TestMode;
  /** Beside a free port, a folder of its own and NODE_ENV=development. */
  readonly env?: Readonly<Record<string, string>>;
  /** Content of RULES_FILE, YAML. */
  readonly rules?: string;
  /** Content of the settings file of the environment. */
  readonly file?: unknown;
  /** A process of its own, which can be killed. */
  readonly process?: boolean;
  /** Faults between the parts; only where they are in this process. */
  readonly wrap?: NonNullable<StandaloneOptions['wrap']>;
  /** Errors in the log do not fail the test. */
  readonly mayLogErrors?: boolean;
}

/** A server that runs, however it is run. */
export interface RunningServer {
  /** Where clients may connect; a fleet has several. */
  readonly urls: readonly string[];
  /** Lines of the log, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  drain(): Promise<void>;
  /** Ends it the polite way. */
  stop(): Promise<void>;
  /** Ends it as a power cut would; only with a process of its own. */
  kill(): Promise<void>;
}

export type StartServer = (env: Readonly<Record<string, string>>, options: ServerOptions) => Promise<RunningServer>;
