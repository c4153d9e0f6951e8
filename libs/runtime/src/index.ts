export { type Fleet, lanesChanged, openFleet, runWorker, type Worker } from './fleet.ts';
export { openRules } from './open-rules.ts';
export { type OpenStoreOptions, openStore } from './open-store.ts';
export { openInProcessTransport, type Transport } from './open-transport.ts';
export { ownVersion } from './own-version.ts';
export { isBearer, type ProbeDeps, probeRoutes } from './probe-server.ts';
export { type RunningService, runService, type ServiceContext } from './run-service.ts';
export { servedPages } from './served-pages.ts';
