export {
  type LifeCycleLogger,
  once,
  type ProcessEvents,
  type RunOptions,
  runUntilSignal,
  type Service,
} from './life-cycle.ts';
export { helpRequested, loadSettings, loggableSettings, type SettingsSources } from './load-settings.ts';
export type { AllowedOrigins } from './setting-kind.ts';
export { SettingsError } from './settings-error.ts';
export type { ReadFile } from './settings-file.ts';
export {
  settingsEnvExample,
  settingsHelp,
  settingsTableMarkdown as settingsTable,
  withSettingsTable,
} from './settings-help.ts';
export type { SettingName, Settings } from './settings-table.ts';
