import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics, type Metrics } from './index.ts';

/** The value of one series, `undefined` when it is not there. */
async function series(metrics: Metrics, name: string): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

async function families(metrics: Metrics): Promise<string[]> {
  return [...(await metrics.text()).matchAll(/^# TYPE (\S+ \S+)$/gm)].map((match) => `${match[1]}`).sort();
}

describe('the instruments', () => {
  it('have the names that dashboards and alerts use', async () => {
    expect(await families(createMetrics())).toEqual([
      'tidemark_bootstrap_documents_total counter',
      'tidemark_build_info gauge',
      'tidemark_catch_ups_total counter',
      'tidemark_changes_total counter',
      'tidemark_connections gauge',
      'tidemark_deliveries_total counter',
      'tidemark_feed_gaps_total counter',
      'tidemark_groups gauge',
      'tidemark_job_changes histogram',
      'tidemark_jobs_total counter',
      'tidemark_lane_head gauge',
      'tidemark_poisoned_changes_total counter',
      'tidemark_rate_limited_total counter',
      'tidemark_refused_connections_total counter',
      'tidemark_rejections_total counter',
      'tidemark_resets_total counter',
      'tidemark_sessions gauge',
      'tidemark_slow_clients gauge',
      'tidemark_stage_duration_seconds histogram',
      'tidemark_subscriptions gauge',
      'tidemark_trimmed_entries_total counter',
    ]);
  });

  it('are 0 before anything happened, so that a first event is seen as a rise', async () => {
    const metrics = createMetrics();
    expect(await series(metrics, 'tidemark_changes_total{outcome="superseded"}')).toBe(0);
    expect(await series(metrics, 'tidemark_catch_ups_total{reason="gap"}')).toBe(0);
    expect(await series(metrics, 'tidemark_jobs_total{result="timeout"}')).toBe(0);
    expect(await series(metrics, 'tidemark_feed_gaps_total')).toBe(0);
    expect(await series(metrics, 'tidemark_stage_duration_seconds_count{stage="publish"}')).toBe(0);
  });

  it('count what they are told', async () => {
    const metrics = createMetrics();
    metrics.changes.applied.inc(3);
    metrics.changes.applied.inc();
    metrics.rejections('conflict').inc();
    metrics.connections.inc();
    metrics.connections.inc();
    metrics.connections.dec();
    metrics.laneHead(7).set(41);
    metrics.refusedConnections('address').inc();
    metrics.jobChanges.observe(50);
    metrics.buildInfo({ version: '1.2.3', service: 'gateway' });
    expect(await series(metrics, 'tidemark_changes_total{outcome="applied"}')).toBe(4);
    expect(await series(metrics, 'tidemark_rejections_total{code="conflict"}')).toBe(1);
    expect(await series(metrics, 'tidemark_connections')).toBe(1);
    expect(await series(metrics, 'tidemark_lane_head{lane="7"}')).toBe(41);
    expect(await series(metrics, 'tidemark_refused_connections_total{reason="address"}')).toBe(1);
    expect(await series(metrics, 'tidemark_job_changes_sum')).toBe(50);
    expect(await series(metrics, 'tidemark_build_info{version="1.2.3",service="gateway"}')).toBe(1);
  });

  it('put seconds into buckets fine enough for the goals', async () => {
    const metrics = createMetrics();
    for (const seconds of [0.0004, 0.0006, 0.02]) metrics.stageSeconds.fanout.observe(seconds);
    const bucket = (limit: string) =>
      series(metrics, `tidemark_stage_duration_seconds_bucket{le="${limit}",stage="fanout"}`);
    expect([await bucket('0.0005'), await bucket('0.001'), await bucket('0.025')]).toEqual([1, 2, 3]);
    expect(await series(metrics, 'tidemark_stage_duration_seconds_count{stage="commit"}')).toBe(0);
  });
});

describe('the registry', () => {
  it('is not shared by two servers of one process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.deliveries.inc(5);
    expect([await series(one, 'tidemark_deliveries_total'), await series(other, 'tidemark_deliveries_total')]).toEqual([
      5, 0,
    ]);
  });

  it('may be given, and can hold the metrics of Node', async () => {
    const registry = new Registry();
    const metrics = createMetrics({ registry, defaults: true });
    metrics.deliveries.inc();
    expect(await registry.metrics()).toContain('tidemark_deliveries_total 1');
    expect(await metrics.text()).toContain('process_cpu_seconds_total');
    expect(metrics.contentType).toContain('text/plain');
    expect(await createMetrics().text()).not.toContain('process_cpu');
  });

  it('does not grow with what clients send: past 256 values of a label they share one', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < 1_000; i++) metrics.rejections(`code-${i}`).inc();
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('tidemark_rejections_total{'));
    expect(lines).toHaveLength(257);
    expect(await series(metrics, 'tidemark_rejections_total{code="other"}')).toBe(744);
    metrics.rejections('code-0').inc();
    expect(await series(metrics, 'tidemark_rejections_total{code="code-0"}')).toBe(2);
  });
});
