const blank = /\s/;

/**
 * Where character `index` of a YAML text's value stands in its source (quotes or block header included).
 * Quoting adds characters in front and folding changes blanks only, so the others are counted off one by one.
 * Undefined when they do not agree, as after an escape.
 */
export function sourceOffset(source: string, value: string, index: number): number | undefined {
  let at = contentStart(source);
  for (let n = 0; n <= index; n++) {
    const wanted = value[n];
    if (wanted !== undefined && blank.test(wanted)) continue;
    while (at < source.length && blank.test(source[at] as string)) at++;
    if (n === index) break;
    if (source[at] !== wanted) return undefined;
    at++;
  }
  const wanted = value[index];
  return wanted === undefined || blank.test(wanted) || source[at] === wanted ? at : undefined;
}

function contentStart(source: string): number {
  if (source.startsWith('"') || source.startsWith("'")) return 1;
  return /^[|>]/.test(source) ? source.indexOf('\n') + 1 : 0;
}
