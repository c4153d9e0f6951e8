import { readFileSync } from 'node:fs';
import { SettingsError } from './settings-error.ts';
import { type FileContent, type ReadFile, readSettingsFile } from './settings-file.ts';
import { crossFieldProblems } from './settings-rules.ts';
import {
  type DefaultFacts,
  type Setting,
  type SettingName,
  type Settings,
  settingRows,
  settingsTable,
} from './settings-table.ts';

export interface SettingsSources {
  /** As `process.env`. An empty value counts as not set: compose files produce it for what the operator left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As `process.argv.slice(2)`. Only `--help` is known, see `helpRequested`; anything else stops the start. */
  readonly argv?: readonly string[];
  readonly readFile?: ReadFile;
}

/**
 * Environment over file over default.
 * @throws SettingsError with every problem that was found.
 */
export function loadSettings(sources: SettingsSources): Settings {
  const problems = unknownArguments(sources.argv ?? []);
  const place = readPlace(sources.env);
  const file = readSettingsFile(place, fileKeys(), sources.readFile ?? readFromDisk);
  const facts = { production: place.nodeEnv === 'production', fleet: isPresent(sources.env.REDIS_URL) };

  const given = new Set<SettingName>();
  const values: Record<string, unknown> = {};
  for (const [name, row] of settingRows) {
    const reading = readSetting(row, { env: sources.env, file, facts });
    values[name] = reading.value;
    if (reading.given) given.add(name);
    if (reading.problem !== undefined) problems.push(reading.problem);
  }
  const { production } = facts;
  const settings = { ...values, production, development: place.nodeEnv === 'development' } as Settings;
  problems.push(...file.problems, ...crossFieldProblems(settings, (name) => given.has(name)));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(settings);
}

/** Whether the operator asks for `settingsHelp()` instead of a start. */
export function helpRequested(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** The settings as they may be logged: secrets only say that they are there. */
export function loggableSettings(settings: Settings): Record<string, unknown> {
  const shown = settingRows
    .filter(([name]) => settings[name] !== undefined)
    .map(([name, row]) => [name, row.secret ? '[set]' : settings[name]]);
  return Object.fromEntries(shown);
}

interface Reading {
  readonly value: unknown;
  /** The operator set it, rightly or wrongly. */
  readonly given: boolean;
  readonly problem?: string;
}

interface Layers {
  readonly env: SettingsSources['env'];
  readonly file: FileContent;
  readonly facts: DefaultFacts;
}

function readSetting(row: Setting, layers: Layers): Reading {
  const text = layers.env[row.env];
  if (isPresent(text)) return checked(row, row.kind.fromText(text.trim()), { source: row.env, shown: text });
  if (row.file !== undefined && layers.file.values.has(row.file)) {
    const raw = layers.file.values.get(row.file);
    const source = `${row.file} in ${layers.file.path}`;
    return checked(row, row.kind.fromJson(raw), { source, shown: JSON.stringify(raw) });
  }
  return { value: row.fallback(layers.facts), given: false };
}

function checked(row: Setting, value: unknown, origin: { readonly source: string; readonly shown: string }): Reading {
  if (value !== undefined) return { value, given: true };
  const got = row.secret ? '' : `, not ${JSON.stringify(origin.shown.slice(0, 100))}`;
  return { value, given: true, problem: `${origin.source} must be ${row.kind.expected}${got}` };
}

/** Where the file is and which defaults hold must be known before anything else can be read. */
function readPlace(env: SettingsSources['env']): { readonly configDir: string; readonly nodeEnv: string } {
  const layers = { env, file: noFile, facts: { production: false, fleet: false } };
  const nodeEnv = readSetting(settingsTable.nodeEnv, layers);
  if (nodeEnv.problem !== undefined) throw new SettingsError([nodeEnv.problem]);
  return { nodeEnv: String(nodeEnv.value), configDir: String(readSetting(settingsTable.configDir, layers).value) };
}

const noFile: FileContent = { path: '', values: new Map(), problems: [] };

function fileKeys(): string[] {
  return settingRows.flatMap(([, row]) => row.file ?? []);
}

function unknownArguments(argv: readonly string[]): string[] {
  if (helpRequested(argv)) return [];
  return argv.map(
    (argument) =>
      `${JSON.stringify(argument)} is not understood: settings come from the environment, --help lists them`,
  );
}

function isPresent(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '';
}

function readFromDisk(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
