export { currentFor, decideChange, maxDocumentBytes } from './decide-change.ts';
export type { Attempt, DecideContext, Decision } from './decision.ts';
export { bytesLeft } from './document-size.ts';
export type { Images, WriteFault, WriteRules } from './write-rules.ts';
