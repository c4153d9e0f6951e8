import { describe, expect, it } from '@jest/globals';
import { foldCase } from './fold-case.ts';

describe('foldCase', () => {
  it.each([
    ['ABC', 'abc'],
    ['É', 'é'],
    ['Σ', 'ς'],
    ['K', '\u212A'],
    ['s', 'ſ'],
    ['ß', 'ẞ'],
    ['µ', 'μ'],
    ['𐐀', '𐐨'],
    ['Ж', 'ж'],
  ])('takes %s and %s for the same', (a, b) => {
    expect(foldCase(a)).toBe(foldCase(b));
  });

  it.each([
    ['ß', 'ss'],
    ['i', 'ı'],
    ['I', 'ı'],
    ['İ', 'i'],
    ['e', 'é'],
    ['ﬁ', 'fi'],
  ])('keeps %s and %s apart', (a, b) => {
    expect(foldCase(a)).not.toBe(foldCase(b));
  });

  it('is what case-insensitive regular expressions do, for every character that has a case', () => {
    const wrong: string[] = [];
    for (let point = 0x80; point <= 0x1ffff; point += 1) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      for (const other of [character.toLowerCase(), character.toUpperCase()]) {
        if (other === character || [...other].length !== 1) continue;
        const same = new RegExp(`^${character}$`, 'iu').test(other);
        if ((foldCase(character) === foldCase(other)) !== same)
          wrong.push(`${character} ${other} ${point.toString(16)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('maps each code point to one and changes nothing the second time', () => {
    for (let point = 0; point <= 0x1ffff; point += 1) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const folded = foldCase(String.fromCodePoint(point));
      if ([...folded].length !== 1 || foldCase(folded) !== folded)
        throw new Error(`U+${point.toString(16)} → ${folded}`);
    }
  });
});
