export { type DecideContext, type Decision, decideChange, type WriteRules } from './decide/index.ts';
export { createWriter, type Writer, type WriterDeps, type WriterSettings } from './writer.ts';
