const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Text that nobody else has made: 36 values a character. `random` is in [0, 1). */
export function randomId(random: () => number, length: number): string {
  let id = '';
  for (let index = 0; index < length; index++) id += alphabet[Math.floor(random() * alphabet.length)];
  return id;
}
