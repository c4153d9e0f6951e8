export { openRules } from './open-rules.ts';
export { type OpenStoreOptions, openStore } from './open-store.ts';
export { openTransport, type Transport } from './open-transport.ts';
export { ownVersion } from './own-version.ts';
export { isBearer, type ProbeDeps, type ProbeServer, probeRoutes, startProbeServer } from './probe-server.ts';
export { type RunningService, runService, type ServiceContext } from './run-service.ts';
