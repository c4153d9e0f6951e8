import { expect, it, jest } from '@jest/globals';
import { createLogger, silentTelemetry } from './index.ts';

it('silent telemetry takes everything, counts, and writes nothing', async () => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const { logger, metrics } = silentTelemetry();
    logger.child({ a: 1 }).fatal('unseen');
    metrics.deliveries.inc();
    expect(write).not.toHaveBeenCalled();
    expect(await metrics.text()).toContain('tidemark_deliveries_total 1');
    createLogger({ level: 'fatal', name: 'loud' }).fatal('seen');
    expect(write).toHaveBeenCalledTimes(1);
  } finally {
    write.mockRestore();
  }
});
