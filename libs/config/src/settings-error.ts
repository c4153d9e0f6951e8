/**
 * The settings do not allow a start. The message is one text for the operator: every problem names the environment
 * variable or key and what was expected, and never quotes a secret.
 */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? `${problems[0]}` : ['Several settings are wrong:', ...problems].join('\n  - '));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}
