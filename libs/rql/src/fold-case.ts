const ASCII = /^[\0-\x7f]*$/;
/** Upper-cases to I, but Unicode's simple folding leaves it alone, as do the regular expressions of MongoDB. */
const DOTLESS_I = 'ı';

/**
 * Unicode's simple case folding, one code point to one code point: what `/i` means in JavaScript with `u` and in
 * MongoDB's regular expressions, so that `[c]` means the same in memory and in the store.
 */
export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = '';
  for (const character of text) folded += foldCharacter(character);
  return folded;
}

function foldCharacter(character: string): string {
  if (character === DOTLESS_I) return character;
  const upper = single(character.toUpperCase(), character);
  return single(upper.toLowerCase(), upper === character ? character : single(character.toLowerCase(), character));
}

/** The mapped character unless the mapping made several of it. */
function single(mapped: string, otherwise: string): string {
  const first = mapped.codePointAt(0) ?? 0;
  return mapped.length === (first > 0xffff ? 2 : 1) ? mapped : otherwise;
}
