import { describe, expect, it } from '@jest/globals';
import { Emitter } from './emitter.ts';

interface Events {
  number: number;
  text: string;
}

describe('Emitter', () => {
  it('calls the listeners of the event, until they stop', () => {
    const emitter = new Emitter<Events>(() => {});
    const heard: unknown[] = [];
    const stop = emitter.on('number', (value) => heard.push(value));
    emitter.on('text', (value) => heard.push(value));
    emitter.emit('number', 1);
    emitter.emit('text', 'a');
    stop();
    stop();
    emitter.emit('number', 2);
    expect(heard).toEqual([1, 'a']);
  });

  it('reports what a listener throws, and calls the others', () => {
    const reported: unknown[] = [];
    const emitter = new Emitter<Events>((error) => reported.push(error));
    const heard: number[] = [];
    emitter.on('number', () => {
      throw new Error('mine');
    });
    emitter.on('number', (value) => heard.push(value));
    emitter.emit('number', 7);
    expect(heard).toEqual([7]);
    expect(reported).toEqual([new Error('mine')]);
  });

  it('does not call a listener that comes during the event', () => {
    const emitter = new Emitter<Events>(() => {});
    const heard: string[] = [];
    emitter.on('number', () => {
      heard.push('first');
      emitter.on('number', () => heard.push('late'));
    });
    emitter.emit('number', 1);
    expect(heard).toEqual(['first']);
  });

  it('takes one function twice, each with its own end', () => {
    const emitter = new Emitter<Events>(() => {});
    const heard: number[] = [];
    const listener = (value: number) => heard.push(value);
    const stop = emitter.on('number', listener);
    emitter.on('number', listener);
    emitter.emit('number', 1);
    stop();
    emitter.emit('number', 2);
    expect(heard).toEqual([1, 1, 2]);
  });

  it('does not call a listener that one before it has ended', () => {
    const emitter = new Emitter<Events>(() => {});
    const heard: string[] = [];
    let stop = () => {};
    emitter.on('number', () => stop());
    stop = emitter.on('number', () => heard.push('ended'));
    emitter.emit('number', 1);
    expect(heard).toEqual([]);
  });
});
