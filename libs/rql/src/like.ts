/** Tests a text against a compiled pattern. */
export type TextTest = (text: string) => boolean;

const ANY_CHARACTER = '?';

/**
 * Compiles a LIKE pattern: `*` any run, `?` one code point. No regular expression and no backtracking: pieces between
 * stars are found leftmost one after another, which is enough because a star takes anything, and a piece with `?` is
 * searched by bit-parallel Shift-And, so the cost is text length × (pattern length / 32) at worst.
 */
export function compileLike(pattern: string): TextTest {
  return pattern.includes(ANY_CHARACTER) ? wildcardTest(pattern) : plainTest(pattern);
}

function plainTest(pattern: string): TextTest {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return (text) => text === pattern;
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (text) => {
    const end = text.length - last.length;
    if (first.length > end || !text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const piece of middle) {
      const at = text.indexOf(piece, from);
      if (at < 0) return false;
      from = at + piece.length;
    }
    return from <= end;
  };
}

function wildcardTest(pattern: string): TextTest {
  const pieces = pattern.split('*').map((piece) => [...piece]);
  const first = pieces[0] ?? [];
  const last = pieces.at(-1) ?? [];
  if (pieces.length === 1) return (text) => matchesWhole([...text], first);
  const searches = pieces
    .slice(1, -1)
    .filter((piece) => piece.length > 0)
    .map(compileSearch);
  return (text) => {
    const characters = [...text];
    const end = characters.length - last.length;
    if (first.length > end || !matchesAt(characters, first, 0) || !matchesAt(characters, last, end)) return false;
    let from = first.length;
    for (const search of searches) {
      from = search(characters, from);
      if (from < 0) return false;
    }
    return from <= end;
  };
}

function matchesWhole(characters: readonly string[], piece: readonly string[]): boolean {
  return characters.length === piece.length && matchesAt(characters, piece, 0);
}

function matchesAt(characters: readonly string[], piece: readonly string[], from: number): boolean {
  return piece.every((wanted, index) => wanted === ANY_CHARACTER || wanted === characters[from + index]);
}

/** Finds where the leftmost occurrence at or after `from` ends; -1 without one. */
type Search = (characters: readonly string[], from: number) => number;

function compileSearch(piece: readonly string[]): Search {
  const words = Math.ceil(piece.length / 32);
  const masks = characterMasks(piece, words);
  const others = masks.get(ANY_CHARACTER) ?? new Uint32Array(words);
  const lastBit = 1 << ((piece.length - 1) % 32);
  return (characters, from) => {
    const state = new Uint32Array(words);
    for (let index = from; index < characters.length; index += 1) {
      advance(state, masks.get(characters[index] ?? '') ?? others);
      if (((state[words - 1] ?? 0) & lastBit) !== 0) return index + 1;
    }
    return -1;
  };
}

/** For each character of the piece the positions where it may stand; under `?` those where anything may. */
function characterMasks(piece: readonly string[], words: number): Map<string, Uint32Array> {
  const masks = new Map<string, Uint32Array>();
  for (const character of piece) masks.set(character, new Uint32Array(words));
  piece.forEach((wanted, position) => {
    const bit = 1 << (position % 32);
    const word = position >>> 5;
    for (const [character, mask] of masks) {
      if (wanted === ANY_CHARACTER || wanted === character) mask[word] = (mask[word] ?? 0) | bit;
    }
  });
  return masks;
}

/** Bit i of the state: the last i + 1 characters match the first i + 1 of the piece. */
function advance(state: Uint32Array, mask: Uint32Array): void {
  let carry = 1;
  for (let word = 0; word < state.length; word += 1) {
    const bits = state[word] ?? 0;
    state[word] = ((bits << 1) | carry) & (mask[word] ?? 0);
    carry = bits >>> 31;
  }
}
