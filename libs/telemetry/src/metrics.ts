import { collectDefaultMetrics, Gauge as PromGauge, Registry } from 'prom-client';
import {
  type Counter,
  counter,
  countersBy,
  type Gauge,
  gauge,
  histogram,
  histogramsBy,
  type Labelled,
  labelledCounter,
  labelledGauge,
  type Observer,
} from './instrument.ts';

const stages = ['admit', 'queue', 'decide', 'commit', 'publish', 'fanout', 'ack'] as const;
/** The way of a change: `ack` is the whole of it, from arrival to answer; the others are its parts. */
export type Stage = (typeof stages)[number];

const outcomes = ['applied', 'superseded', 'duplicate', 'rejected'] as const;
const catchUpReasons = ['resume', 'gap', 'slow'] as const;
const jobResults = ['done', 'redelivered', 'timeout'] as const;

/** From a quarter of a millisecond to ten seconds: a goal of 0.6 ms must be told from 1 ms. */
const secondsBuckets = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizeBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

export interface MetricsOptions {
  /** Where the instruments live; one of their own when left out, so that two servers in one process do not mix. */
  readonly registry?: Registry;
  /** Adds the metrics of Node itself (memory, event loop, garbage collection). Off by default. */
  readonly defaults?: boolean;
}

/** Every instrument of Tidemark by name. Times are seconds. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(options: MetricsOptions = {}) {
  const registry = options.registry ?? new Registry();
  if (options.defaults === true) collectDefaultMetrics({ register: registry });
  return Object.freeze({
    ...writing(registry),
    ...reading(registry),
    ...operating(registry),
    /** What `GET /metrics` answers, with `contentType`. */
    text: (): Promise<string> => registry.metrics(),
    contentType: registry.contentType,
  });
}

function writing(registry: Registry) {
  const named = (name: string, help: string) => ({ registry, name: `tidemark_${name}`, help });
  return {
    stageSeconds: histogramsBy({
      ...named('stage_duration_seconds', 'Time that changes spend in a stage'),
      label: 'stage',
      values: stages,
      buckets: secondsBuckets,
    }),
    changes: countersBy({ ...named('changes_total', 'Changes decided'), label: 'outcome', values: outcomes }),
    /** By error code. */
    rejections: labelledCounter({ ...named('rejections_total', 'Changes and requests refused'), label: 'code' }),
    jobs: countersBy({ ...named('jobs_total', 'Jobs of the writers'), label: 'result', values: jobResults }),
    jobChanges: histogram({ ...named('job_changes', 'Changes in one job'), buckets: sizeBuckets }),
    poisoned: counter(named('poisoned_changes_total', 'Changes rejected because they alone made a commit fail')),
    laneHead: labelledGauge({ ...named('lane_head', 'Last committed seq of a lane'), label: 'lane' }),
    trimmed: counter(named('trimmed_entries_total', 'Log entries removed after retention')),
  };
}

function reading(registry: Registry) {
  const named = (name: string, help: string) => ({ registry, name: `tidemark_${name}`, help });
  return {
    connections: gauge(named('connections', 'Open sockets')),
    sessions: gauge(named('sessions', 'Sockets that have joined')),
    subscriptions: gauge(named('subscriptions', 'Subscriptions of all sockets')),
    groups: gauge(named('groups', 'Distinct collection, filter and arguments among the subscriptions')),
    deliveries: counter(named('deliveries_total', 'Changes sent to sockets')),
    bootstrapDocuments: counter(named('bootstrap_documents_total', 'Documents sent to new subscriptions')),
    catchUps: countersBy({
      ...named('catch_ups_total', 'Times a socket read the log to catch up'),
      label: 'reason',
      values: catchUpReasons,
    }),
    resets: counter(named('resets_total', 'Checkpoints that could not be served')),
    feedGaps: counter(named('feed_gaps_total', 'Gaps seen in the feed of a lane')),
    slowClients: gauge(named('slow_clients', 'Sockets that are off the live feed until they have drained')),
  };
}

function operating(registry: Registry) {
  const named = (name: string, help: string) => ({ registry, name: `tidemark_${name}`, help });
  const info = new PromGauge({
    name: 'tidemark_build_info',
    help: 'Always 1; the labels tell what runs',
    labelNames: ['version', 'service'],
    registers: [registry],
  });
  return {
    rateLimited: counter(named('rate_limited_total', 'Messages refused by the rate limit')),
    /** By reason, for example `user`, `address`, `unauthenticated`. */
    refusedConnections: labelledCounter({
      ...named('refused_connections_total', 'Connections refused'),
      label: 'reason',
    }),
    /** Called once at the start of a service. */
    buildInfo: (labels: { readonly version: string; readonly service: string }): void => info.set({ ...labels }, 1),
  };
}

export type { Counter, Gauge, Labelled, Observer };
