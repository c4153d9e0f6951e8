export { type CommitterDeps, type CommitterSettings, LaneCommitter, type LaneTenure } from './lane-committer.ts';
