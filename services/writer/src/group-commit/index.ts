export { type CommitterDeps, type CommitterSettings, GroupCommitter, type LaneTenure } from './group-committer.ts';
