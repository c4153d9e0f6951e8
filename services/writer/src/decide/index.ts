export { currentFor, decideChange, maxDocumentBytes } from './decide-change.ts';
export type { Attempt, DecideContext, Decision } from './decision.ts';
export type { Images, WriteFault, WriteRules } from './write-rules.ts';
