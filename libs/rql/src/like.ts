/** Tests a text against a compiled pattern. */
export type TextTest = (text: string) => boolean;

/** Bit i says something about the first i characters of a pattern, stars left out. */
type Bits = Uint32Array;

/** What does not depend on the next character. */
interface Always {
  /** Reached with any character: behind a `?`. */
  readonly anywhere: Bits;
  /** Kept with any character: before a star. */
  readonly stays: Bits;
}

/**
 * Compiles a LIKE pattern: `*` any run, `?` one code point. No regular expression and no backtracking, since patterns come from
 * outside.
 */
export function compileLike(pattern: string): TextTest {
  return pattern.includes('?') ? compileWildcards(pattern) : compilePieces(pattern.split('*'));
}

/** Without `?` the first place of each piece between two stars is as good as any later one. */
function compilePieces([first = '', ...others]: readonly string[]): TextTest {
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let end = first.length;
    for (const piece of others) {
      const start = text.indexOf(piece, end);
      if (start < 0) return false;
      end = start + piece.length;
    }
    return end + last.length <= text.length;
  };
}

/**
 * Bit i of a state says that the text so far matches the first i characters of the pattern, and one step moves all bits at once
 * (Shift-And), those before a star staying as well. So the cost is text length × (pattern length / 32) at worst.
 */
function compileWildcards(pattern: string): TextTest {
  const characters = [...pattern].filter((character) => character !== '*');
  const bits = (): Bits => new Uint32Array((characters.length >>> 5) + 1);
  const always: Always = { anywhere: bits(), stays: bits() };
  const moves = new Map<string, Bits>();
  const none = bits();
  let position = 0;
  for (const character of pattern) {
    if (character === '*') set(always.stays, position);
    else {
      position += 1;
      const places = character === '?' ? always.anywhere : (moves.get(character) ?? bits());
      if (character !== '?') moves.set(character, places);
      set(places, position);
    }
  }
  const endsInStar = pattern.endsWith('*');
  return (text) => {
    const state = bits();
    state[0] = 1;
    for (const character of text) {
      if (endsInStar && has(state, position)) return true;
      if (!advance(state, moves.get(character) ?? none, always)) return false;
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
function advance(state: Bits, moves: Bits, by: Always): boolean {
  let carry = 0;
  let left = 0;
  for (let word = 0; word < state.length; word += 1) {
    const bits = state[word] ?? 0;
    const allowed = (moves[word] ?? 0) | (by.anywhere[word] ?? 0);
    const next = (((bits << 1) | carry) & allowed) | (bits & (by.stays[word] ?? 0));
    state[word] = next;
    carry = bits >>> 31;
    left |= next;
  }
  return left !== 0;
}
