export { beat, type HeartbeatDeps } from './heartbeat.ts';
export { LaneKeeper, type LaneKeeperDeps, type LaneService, type ServeOptions } from './lane-keeper.ts';
