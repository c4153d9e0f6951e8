import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ackMessages, downMessages } from './down.ts';
import { upMessages } from './up.ts';

/**
 * The wire may not change by accident. When a hash differs: is every client in the field still served? Then update the hash,
 * docs/protocol.md and the examples in up.test.ts or down.test.ts in the same commit. If not, the change needs a new protocol
 * version (`sync:join { protocol }`), beside the old one.
 */
const hashes = {
  upMessages: 'afb3297b663cf621',
  downMessages: 'cf644674fd8781f3',
  ackMessages: '601b6e1c335ef046',
};

function hashOf(messages: Readonly<Record<string, z.ZodType>>): string {
  const names = Object.keys(messages).sort();
  const schemas = names.map((name) => [name, z.toJSONSchema(messages[name]!, { io: 'input' })]);
  return createHash('sha256').update(JSON.stringify(schemas, withSortedKeys)).digest('hex').slice(0, 16);
}

function withSortedKeys(name: string, value: unknown): unknown {
  if (name === 'required' && Array.isArray(value)) return [...value].sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('the schemas of the wire', () => {
  it('are those that clients were built against', () => {
    expect({
      upMessages: hashOf(upMessages),
      downMessages: hashOf(downMessages),
      ackMessages: hashOf(ackMessages),
    }).toEqual(hashes);
  });

  it('hash differently when a field is added, narrowed or made optional', () => {
    const hash = (schema: z.ZodType) => hashOf({ message: schema });
    const variants = [
      z.object({ a: z.string() }),
      z.object({ a: z.string(), b: z.string() }),
      z.object({ a: z.string().max(5) }),
      z.object({ a: z.string().optional() }),
      z.strictObject({ a: z.string() }),
    ];
    expect(new Set(variants.map(hash)).size).toBe(variants.length);
    expect(hash(z.object({ a: z.string(), b: z.number() }))).toBe(hash(z.object({ b: z.number(), a: z.string() })));
  });
});
