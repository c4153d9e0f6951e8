import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Scenario, ScenarioRunner } from './scenario-runner.ts';

const folder = join(__dirname, '../scenarios');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Scenario;

describe('scenarios', () => {
  it.each(files)('%s', async (file) => {
    await new ScenarioRunner().run(read(file));
  });

  it('are many', () => {
    expect(files.length).toBeGreaterThanOrEqual(21);
  });
});

describe('the runner', () => {
  const run = (...steps: Scenario['steps']) => new ScenarioRunner().run({ name: 'x', why: 'x', steps });

  it.each([
    ['a call that was not made', [{ call: 'sync:join' }]],
    ['another call', [{ open: true }, { call: 'sync:mark' }]],
    ['another payload', [{ open: true }, { call: 'sync:join', payload: { protocol: 2 } }]],
    ['a call too many', [{ open: true }, { noCall: true }]],
    ['a document that is not there', [{ view: 'tasks', documents: [{ _id: 'a' }] }]],
    [
      'a document too many',
      [
        { insert: 'tasks', document: { _id: 'a' } },
        { view: 'tasks', documents: [] },
      ],
    ],
    ['another status', [{ status: { pending: 1 } }]],
    ['an event that did not happen', [{ event: 'reset', value: {} }]],
    [
      'a sight that must never be',
      [
        { never: 'tasks', without: { _id: 'a' } },
        { insert: 'tasks', document: { _id: 'b' } },
      ],
    ],
    ['a step that does not exist', [{ dance: true }]],
  ])('notices %s', async (_what, steps) => {
    await expect(run(...steps)).rejects.toThrow(/^step \d+ /);
  });
});
