import * as prom from 'prom-client';

/** Counts up. */
export interface Counter {
  inc(by?: number): void;
}

/** A value that goes up and down. */
export interface Gauge {
  set(value: number): void;
  inc(by?: number): void;
  dec(by?: number): void;
}

/** Collects values into a histogram. */
export interface Observer {
  observe(value: number): void;
}

/** One instrument for each value of a label, looked up once and then kept. */
export type Labelled<T> = (value: string | number) => T;

export interface InstrumentOptions {
  readonly registry: prom.Registry;
  readonly name: string;
  readonly help: string;
}

/** Distinct values of an open label; those past it share `other`, so that no input can grow the registry. */
const maxLabelValues = 256;

export function counter(options: InstrumentOptions): Counter {
  return new prom.Counter({ name: options.name, help: options.help, registers: [options.registry] });
}

export function gauge(options: InstrumentOptions): Gauge {
  return new prom.Gauge({ name: options.name, help: options.help, registers: [options.registry] });
}

export function histogram(options: InstrumentOptions & { readonly buckets: number[] }): Observer {
  const { name, help, buckets, registry } = options;
  return new prom.Histogram({ name, help, buckets, registers: [registry] });
}

interface LabelOptions<V extends string> extends InstrumentOptions {
  readonly label: string;
  readonly values: readonly V[];
}

/** A counter per value of a closed label; all of them exist from the start, as 0. */
export function countersBy<V extends string>(options: LabelOptions<V>): Readonly<Record<V, Counter>> {
  const { name, help, label, registry } = options;
  const all = new prom.Counter({ name, help, labelNames: [label], registers: [registry] });
  return eachValue(options.values, (value) => touched(all.labels(value)));
}

/** A histogram per value of a closed label; all of them exist from the start, empty. */
export function histogramsBy<V extends string>(
  options: LabelOptions<V> & { readonly buckets: number[] },
): Readonly<Record<V, Observer>> {
  const { name, help, label, buckets, registry } = options;
  const all = new prom.Histogram({ name, help, buckets, labelNames: [label], registers: [registry] });
  return eachValue(options.values, (value) => {
    all.zero({ [label]: value });
    return all.labels(value);
  });
}

/** A counter per value of an open label. */
export function labelledCounter(options: InstrumentOptions & { readonly label: string }): Labelled<Counter> {
  const { name, help, label, registry } = options;
  const all = new prom.Counter({ name, help, labelNames: [label], registers: [registry] });
  return bounded((value) => all.labels(value));
}

/** A gauge per value of an open label. */
export function labelledGauge(options: InstrumentOptions & { readonly label: string }): Labelled<Gauge> {
  const { name, help, label, registry } = options;
  const all = new prom.Gauge({ name, help, labelNames: [label], registers: [registry] });
  return bounded((value) => all.labels(value));
}

function bounded<T>(create: (value: string) => T): Labelled<T> {
  const known = new Map<string, T>();
  const keep = (value: string): T => {
    const found = known.get(value);
    if (found !== undefined) return found;
    const made = create(value);
    known.set(value, made);
    return made;
  };
  return (value) => {
    const text = String(value);
    return keep(known.has(text) || known.size < maxLabelValues ? text : 'other');
  };
}

function eachValue<V extends string, T>(values: readonly V[], create: (value: V) => T): Readonly<Record<V, T>> {
  return Object.freeze(Object.fromEntries(values.map((value) => [value, create(value)]))) as Readonly<Record<V, T>>;
}

/** A counter that was never touched is missing from the exposition, and alerts on its rate would stay silent. */
function touched(made: Counter): Counter {
  made.inc(0);
  return made;
}
