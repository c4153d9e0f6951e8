export { developmentPages } from './development-pages.ts';
export { openRules } from './open-rules.ts';
export { type OpenStoreOptions, openStore } from './open-store.ts';
export {
  type FleetTransport,
  openFleetTransport,
  openInProcessTransport,
  type Transport,
} from './open-transport.ts';
export { ownVersion } from './own-version.ts';
export { isBearer, type ProbeDeps, type ProbeServer, probeRoutes, startProbeServer } from './probe-server.ts';
export { requireFleet } from './require-fleet.ts';
export { type RunningService, runService, type ServiceContext } from './run-service.ts';
