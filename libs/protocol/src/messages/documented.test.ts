import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ackMessages, downMessages } from './down.ts';
import { upMessages } from './up.ts';

const page = readFileSync(join(__dirname, '../../../../docs/protocol.md'), 'utf8');

describe('docs/protocol.md', () => {
  it.each([...Object.keys(upMessages), ...Object.keys(downMessages)])('tells of %s', (event) => {
    expect(page).toMatch(new RegExp(`(^|[\`\\s])${event}([\`\\s]|$)`, 'm'));
  });

  it.each(['sync:change', 'sync:join', 'sync:get_changes', 'sync:changeBatch'] as const)(
    'names every field of the answer to %s',
    (event) => {
      for (const field of Object.keys(ackMessages[event].shape)) expect(page).toMatch(new RegExp(`\\b${field}\\b`));
    },
  );

  it('names every field of a change that is delivered', () => {
    const [changes] = downMessages['sync:changes'].def.items;
    for (const field of Object.keys(changes.element.shape)) expect(page).toMatch(new RegExp(`^  ${field}\\??: `, 'm'));
  });
});
