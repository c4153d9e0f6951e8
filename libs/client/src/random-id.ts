/** Text that nobody else has made: 36 values a character. `random` is in [0, 1). */
export function randomId(random: () => number, length: number): string {
  let id = '';
  for (let index = 0; index < length; index++) id += Math.floor(random() * 36).toString(36);
  return id;
}
