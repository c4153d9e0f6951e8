/** Writes the table of docs/errors.md from the catalogue of errors. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withErrorTable } from './errors-page.ts';

const page = new URL('../docs/errors.md', import.meta.url);
writeFileSync(page, withErrorTable(readFileSync(page, 'utf8')));
