import type { ErrorEmitter } from 'ioredis/built/connectors/AbstractConnector.js';
import { StandaloneConnector } from 'ioredis/built/connectors/index.js';
import type { StandaloneConnectionOptions } from 'ioredis/built/connectors/StandaloneConnector.js';

/**
 * The driver listens to one error of a socket. TLS may have a second one to tell, for instance when both ends refuse a
 * handshake, and an error that nobody listens to ends the process.
 */
export class SteadyConnector extends StandaloneConnector {
  /** The driver hands its own options over, in a type that says nothing. */
  constructor(options: unknown) {
    super(options as StandaloneConnectionOptions);
  }

  override async connect(report: ErrorEmitter) {
    const stream = await super.connect(report);
    stream.on('error', () => undefined);
    return stream;
  }
}
