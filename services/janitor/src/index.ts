export { createJanitor, type Janitor, type JanitorDeps, type JanitorSettings } from './janitor.ts';
export type { PeriodicTask, Scheduled, Scheduler } from './scheduler.ts';
export { createTimerScheduler, type TimerSchedulerOptions } from './timer-scheduler.ts';
