/** Tests a text against a compiled pattern. */
export type TextTest = (text: string) => boolean;

/** Bit i says something about the first i characters of a pattern, stars left out. */
type Bits = Uint32Array;

/**
 * Compiles a LIKE pattern: `*` any run, `?` one code point. No regular expression and no backtracking: bit i of a state says that the
 * text so far matches the first i characters of the pattern, and one step moves all bits at once (Shift-And), those before a star
 * staying as well. So the cost is text length × (pattern length / 32) at worst.
 */
export function compileLike(pattern: string): TextTest {
  const characters = [...pattern].filter((character) => character !== '*');
  const bits = (): Bits => new Uint32Array((characters.length >>> 5) + 1);
  const [stays, anywhere, moves] = [bits(), bits(), new Map<string, Bits>()];
  let position = 0;
  for (const character of pattern) {
    if (character === '*') set(stays, position);
    else {
      position += 1;
      const places = character === '?' ? anywhere : (moves.get(character) ?? bits());
      if (character !== '?') moves.set(character, places);
      set(places, position);
    }
  }
  const endsInStar = pattern.endsWith('*');
  return (text) => {
    const state = bits();
    set(state, 0);
    for (const character of text) {
      if (endsInStar && has(state, position)) return true;
      if (!advance(state, { moves: moves.get(character), anywhere, stays })) return false;
    }
    return has(state, position);
  };
}

function set(bits: Bits, position: number): void {
  bits[position >>> 5] = (bits[position >>> 5] ?? 0) | (1 << (position % 32));
}

function has(bits: Bits, position: number): boolean {
  return ((bits[position >>> 5] ?? 0) & (1 << (position % 32))) !== 0;
}

/** False when nothing is left that more text could make a match. */
function advance(state: Bits, by: { moves: Bits | undefined; anywhere: Bits; stays: Bits }): boolean {
  let [carry, left] = [0, 0];
  for (const [word, bits] of state.entries()) {
    const allowed = (by.moves?.[word] ?? 0) | (by.anywhere[word] ?? 0);
    const next = (((bits << 1) | carry) & allowed) | (bits & (by.stays[word] ?? 0));
    state[word] = next;
    carry = bits >>> 31;
    left |= next;
  }
  return left !== 0;
}
