import { describe, expect, it } from '@jest/globals';
import { repeat } from './repeat.ts';
import { until } from './testing/rig.ts';

describe('repeat', () => {
  it('runs again and again, never two at once', async () => {
    let running = 0;
    let runs = 0;
    const repetition = repeat(1, async () => {
      expect(++running).toBe(1);
      await Promise.resolve();
      running -= 1;
      runs += 1;
    });
    void repetition.now();
    void repetition.now();
    await until(() => runs >= 5);
    await repetition.stop();
  });

  it('runs at once when asked, however long the interval', async () => {
    let runs = 0;
    const repetition = repeat(60_000, async () => {
      runs += 1;
    });
    await repetition.now();
    expect(runs).toBe(1);
    await repetition.stop();
    await repetition.now();
    expect(runs).toBe(1);
  });

  it('stop waits for the run under way, twice as well', async () => {
    let release: (() => void) | undefined;
    let ended = false;
    const repetition = repeat(60_000, async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      ended = true;
    });
    void repetition.now();
    await until(() => release !== undefined);
    const stopping = Promise.all([repetition.stop(), repetition.stop()]);
    expect(ended).toBe(false);
    release?.();
    await stopping;
    expect(ended).toBe(true);
  });
});
