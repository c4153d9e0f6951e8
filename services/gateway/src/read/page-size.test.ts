import { describe, expect, it } from '@jest/globals';
import type { Document } from '@tidemark/protocol';
import { PageSize } from './page-size.ts';

const documents = (count: number, bytes: number): Document[] =>
  Array.from({ length: count }, (_, index) => ({ _id: `d${index}`, text: 'x'.repeat(bytes) }));

function after(largest: number, ...pages: readonly (readonly [count: number, bytes: number])[]): number {
  const size = new PageSize(largest);
  for (const [count, bytes] of pages) size.observe(documents(count, bytes));
  return size.current;
}

describe('the size of a page', () => {
  it('begins small, and never above what is allowed', () => {
    expect(after(5_000)).toBe(128);
    expect(after(50)).toBe(50);
  });

  it('grows step by step with small documents', () => {
    expect(after(5_000, [128, 100])).toBe(512);
    expect(after(5_000, [128, 100], [512, 100])).toBeGreaterThan(1_500);
    expect(after(600, [128, 100], [512, 100])).toBe(600);
  });

  it('shrinks to a quarter of a megabyte with large ones, and not to nothing', () => {
    expect(after(5_000, [128, 10_000])).toBe(26);
    expect(after(5_000, [128, 500_000])).toBe(8);
  });

  it('stays when a page was empty', () => {
    expect(after(5_000, [0, 0])).toBe(128);
  });
});
