import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { once, runUntilSignal, type Service } from './index.ts';

interface Rig {
  readonly process: EventEmitter;
  readonly steps: string[];
  readonly code: Promise<number>;
}

function run(parts: Partial<Service> = {}, drainTimeoutMs = 60_000): Rig {
  const process = new EventEmitter();
  const steps: string[] = [];
  const log = (level: string) => (_fields: object, message: string) => steps.push(`${level}: ${message}`);
  const service: Service = {
    async drain() {
      steps.push('drain');
      await parts.drain?.();
    },
    async stop() {
      steps.push('stop');
      await parts.stop?.();
    },
  };
  const logger = { info: log('info'), warn: log('warn'), fatal: log('fatal') };
  return { process, steps, code: runUntilSignal(service, { process, logger, drainTimeoutMs }) };
}

const never = () => new Promise<void>(() => {});
const failing = () => Promise.reject(new Error('broken'));

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'])('%s drains, then stops', async (signal) => {
    const rig = run();
    rig.process.emit(signal);
    expect(await rig.code).toBe(0);
    expect(rig.steps).toEqual(['info: stopping', 'drain', 'stop', 'info: stopped']);
  });

  it('stops only after everything has drained', async () => {
    let open = () => {};
    const drained = new Promise<void>((resolve) => {
      open = resolve;
    });
    const rig = run({ drain: () => drained });
    rig.process.emit('SIGTERM');
    await new Promise(setImmediate);
    expect(rig.steps).toEqual(['info: stopping', 'drain']);
    open();
    expect(await rig.code).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('a second one, %s, ends at once', async (signal, code) => {
    const rig = run({ drain: never });
    rig.process.emit('SIGTERM');
    rig.process.emit(signal);
    expect(await rig.code).toBe(code);
    expect(rig.steps).not.toContain('stop');
  });

  it('does not wait for a drain without end', async () => {
    const rig = run({ drain: never }, 20);
    rig.process.emit('SIGTERM');
    expect(await rig.code).toBe(0);
    expect(rig.steps).toEqual(['info: stopping', 'drain', 'warn: not everything was drained', 'stop', 'info: stopped']);
  });

  it.each([
    ['fails', failing],
    ['hangs', never],
  ])('tells with its exit code that stop %s', async (_, stop) => {
    const rig = run({ stop }, 20);
    rig.process.emit('SIGTERM');
    expect(await rig.code).toBe(1);
    expect(rig.steps.at(-1)).toBe('fatal: could not stop cleanly');
  });

  it('stops also when the drain failed', async () => {
    const rig = run({ drain: failing });
    rig.process.emit('SIGTERM');
    expect(await rig.code).toBe(0);
    expect(rig.steps).toContain('stop');
  });
});

describe('an error that nobody caught', () => {
  it.each(['uncaughtException', 'unhandledRejection'])('%s ends with 1', async (event) => {
    const rig = run();
    rig.process.emit(event, new Error('broken'));
    expect(await rig.code).toBe(1);
    expect(rig.steps).toEqual(['fatal: an error that nobody caught: leaving']);
  });

  it('ends a stop that is under way', async () => {
    const rig = run({ drain: never });
    rig.process.emit('SIGTERM');
    rig.process.emit('uncaughtException', new Error('broken'));
    expect(await rig.code).toBe(1);
  });
});

describe('the listeners', () => {
  it('are there from the call on and gone at the end', async () => {
    const rig = run();
    const events = ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'];
    expect(rig.process.eventNames().sort()).toEqual(events);
    rig.process.emit('SIGTERM');
    await rig.code;
    expect(rig.process.eventNames()).toEqual([]);
  });
});

describe('once', () => {
  it('runs an action once, and gives later callers the same end', async () => {
    let runs = 0;
    const stop = once(async () => {
      runs += 1;
      return runs;
    });
    expect(await Promise.all([stop(), stop()])).toEqual([1, 1]);
    expect(await stop()).toBe(1);
    const broken = once(failing);
    await expect(broken()).rejects.toThrow('broken');
    await expect(broken()).rejects.toThrow('broken');
  });
});
