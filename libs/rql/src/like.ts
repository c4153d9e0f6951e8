/** Tests a text against a compiled pattern. */
export type TextTest = (text: string) => boolean;

/** Bit i says something about the first i characters of a pattern. */
type Bits = Uint32Array;

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
 * Bit i of a state says that the text so far matches the first i characters of the pattern, stars left out, and one step moves all
 * bits at once (Shift-And), those before a star staying as well. So the cost is text length × (pattern length / 32) at worst.
 */
function compileWildcards(pattern: string): TextTest {
  const bits = (): Bits => new Uint32Array((pattern.length >>> 5) + 1);
  const stays = bits();
  /** By character: the places that it leads to. */
  const moves = new Map<string, Bits>();
  let end = 0;
  for (const character of pattern) {
    if (character !== '*') end += 1;
    const places = character === '*' ? stays : (moves.get(character) ?? bits());
    places[end >>> 5] = wordAt(places, end) | (1 << end);
    if (character !== '*') moves.set(character, places);
  }
  const anywhere = moves.get('?') ?? bits();
  const always = { anywhere, stays };
  const endsInStar = pattern.endsWith('*');
  const isAtEnd = (state: Bits): boolean => (wordAt(state, end) & (1 << end)) !== 0;
  return (text) => {
    const state = bits();
    state[0] = 1;
    for (const character of text) {
      if (endsInStar && isAtEnd(state)) return true;
      if (!advance(state, moves.get(character) ?? anywhere, always)) return false;
    }
    return isAtEnd(state);
  };
}

function wordAt(bits: Bits, position: number): number {
  return bits[position >>> 5] ?? 0;
}

/** False when nothing is left that more text could make a match. */
function advance(state: Bits, moves: Bits, { anywhere, stays }: { anywhere: Bits; stays: Bits }): boolean {
  let carry = 0;
  let left = 0;
  for (let word = 0; word < state.length; word += 1) {
    const bits = state[word] ?? 0;
    const allowed = (moves[word] ?? 0) | (anywhere[word] ?? 0);
    const next = (((bits << 1) | carry) & allowed) | (bits & (stays[word] ?? 0));
    state[word] = next;
    carry = bits >>> 31;
    left |= next;
  }
  return left !== 0;
}
