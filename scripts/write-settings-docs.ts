/** Writes what is made from the settings table: the table in docs/operations.md, and .env.example. */
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsEnvExample, withSettingsTable } from '../libs/config/src/index.ts';

const operations = new URL('../docs/operations.md', import.meta.url);
writeFileSync(operations, withSettingsTable(readFileSync(operations, 'utf8')));
writeFileSync(new URL('../.env.example', import.meta.url), settingsEnvExample());
