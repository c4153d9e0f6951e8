import { type Setting, settingRows } from './settings-table.ts';

const docStart = '<!-- settings:start -->';
const docEnd = '<!-- settings:end -->';

/** What `--help` prints. */
export function settingsHelp(): string {
  const intro = [
    'Tidemark takes its settings from the environment; some may also stand in <CONFIG_DIR>/<NODE_ENV>.json.',
    'The environment wins over the file, the file over the default. An empty variable counts as not set.',
    'Variables can be kept in a file: node --env-file=.env services/standalone/dist/main.js',
  ];
  const rows = settingRows.flatMap(([, row]) => ['', `  ${row.env}`, `      ${row.about}.`, `      ${facts(row)}`]);
  return [...intro, ...rows, ''].join('\n');
}

function facts(row: Setting): string {
  const parts = [`${row.kind.expected}; default: ${defaultText(row) || 'none'}`];
  if (row.file !== undefined) parts.push(`file: ${row.file}`);
  if (row.secret) parts.push('secret');
  return parts.join('; ');
}

/** The same as a table for `docs/operations.md`, without the markers. */
export function settingsTableMarkdown(): string {
  const rows = settingRows.map(([, row]) => {
    const cells = [
      code(row.env),
      cell(row.about),
      cell(row.kind.expected),
      code(defaultText(row)),
      code(row.file ?? ''),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| variable | what it does | value | default | key in the file |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/**
 * `document` with the table between its markers replaced by today's.
 * @throws Error when the markers are missing.
 */
export function withSettingsTable(document: string): string {
  const [start, end] = [document.indexOf(docStart), document.indexOf(docEnd)];
  if (start < 0 || end < start) throw new Error(`the document has no ${docStart} … ${docEnd}`);
  return `${document.slice(0, start + docStart.length)}\n${settingsTableMarkdown()}\n${document.slice(end)}`;
}

/** The text of `.env.example`: every variable, commented out, with its default. */
export function settingsEnvExample(): string {
  const intro = [
    '# Copy to .env, take away the "#" where you want another value, and start with',
    '#   node --env-file=.env services/standalone/dist/main.js',
    '# Defaults are those of NODE_ENV=development; docs/operations.md has them all.',
  ];
  const rows = settingRows.flatMap(([, row]) => ['', `# ${row.about}`, `#${row.env}=${developmentDefault(row)}`]);
  return [...intro, ...rows, ''].join('\n');
}

const alone = { production: false, fleet: false };

function developmentDefault(row: Setting): string {
  return shown(row.fallback(alone));
}

/** The default, and what it depends on where it does. */
function defaultText(row: Setting): string {
  const [base, production, fleet] = [alone, { ...alone, production: true }, { ...alone, fleet: true }].map((given) =>
    shown(row.fallback(given)),
  );
  if (production !== base) return `${base || 'none'} (${production || 'none'} in production)`;
  return fleet === base ? `${base}` : `${base} (${fleet} with REDIS_URL)`;
}

function shown(value: unknown): string {
  return value === undefined ? '' : String(value);
}

function code(value: string): string {
  return value === '' ? '' : `\`${value}\``;
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}
