/** UTF-8 bytes of a query's text. */
export const MAX_TEXT_BYTES = 16 * 1024;
/** Parentheses and NOTs inside one another; also the names of one path. */
export const MAX_DEPTH = 64;
/** Highest `$n`. */
export const MAX_ARGUMENT_INDEX = 255;
/** Members of one list, written out or given as an argument. */
export const MAX_LIST = 1000;
/** Values of all the lists of one bound query together: what binding may multiply a short text into. */
export const MAX_BOUND_VALUES = 10_000;
/** Lists and documents inside one another in an argument. */
export const MAX_ARGUMENT_DEPTH = 32;
/** Characters of a LIKE pattern: its cost is at most this / 32 steps for each character of the text. */
export const MAX_LIKE_PATTERN = 1024;
