/** What a gateway needs to know. Times in ms, sizes in bytes. */
export interface GatewaySettings {
  readonly development: boolean;
  readonly version: string;
  readonly maxBatchSize: number;
  readonly maxMessageBytes: number;
  readonly rateLimitMax: number;
  readonly rateLimitWindowMs: number;
  readonly maxConnectionsPerUser: number;
  readonly maxConnectionsPerIp: number;
  readonly allowedOrigins: '*' | readonly string[];
  readonly broadcastToSender: boolean;
  /** Proxies in front that add to X-Forwarded-For; 0: the address is the peer's. */
  readonly trustProxy: number;
  /** Folder of web pages; undefined: none are served. */
  readonly webRoot?: string | undefined;
  readonly operatorToken: string | undefined;
  readonly metricsToken: string | undefined;
  readonly jobTimeoutMs: number;
  readonly maxJobChanges: number;
  readonly maxWaitingChanges: number;
  readonly recentBytes: number;
  readonly slowClientBytes: number;
  readonly bootstrapPage: number;
  readonly checkpointIntervalMs: number;
  readonly joinTimeoutMs: number;
}
