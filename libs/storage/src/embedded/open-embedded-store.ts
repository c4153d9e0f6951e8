import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CollectionName } from '@tidemark/protocol';
import type { Logger } from '@tidemark/telemetry';
import type { CollectionSettings, Store } from '../port.ts';
import { StoreError } from '../store-error.ts';
import { assertDataFile, flushDirectory } from './data-file.ts';
import { EmbeddedStore } from './embedded-store.ts';
import { Environment } from './environment.ts';
import { buildIndexes } from './index-builder.ts';
import { IndexCatalog } from './index-catalog.ts';
import { OwnerFile } from './owner-file.ts';
import { currentProcess } from './process-identity.ts';
import { prepareHistory } from './store-meta.ts';

export interface EmbeddedStoreOptions {
  /** Made when missing; used by one process at a time. */
  readonly directory: string;
  /** Number of lanes; another number than before begins a new epoch. */
  readonly lanes: number;
  /** Asked for each collection at the opening and when a new one appears; what it declares then holds until the next opening. */
  readonly collections?: ((name: CollectionName) => CollectionSettings | undefined) | undefined;
  readonly logger?: Pick<Logger, 'info' | 'error'> | undefined;
  /** Makes unique texts, for the id of a new history; UUIDs unless given. */
  readonly newId?: (() => string) | undefined;
}

/**
 * Opens the store of a directory, or makes it. Throws StoreError `unavailable` when a living process uses the directory
 * (the message names both) or it cannot be used, and `invalid` when it was written by a newer version.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const { lanes, newId = randomUUID, logger } = options;
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 1024) throw new StoreError('invalid', 'lanes must be 1 to 1024');
  const directory = prepareDirectory(options.directory);
  const owner = new OwnerFile(directory, { ...currentProcess(), token: randomUUID() });
  await owner.assertFree();
  // Another opening by this process may have come first meanwhile; it must not be disturbed by a second handle on its files.
  owner.assertFreeNow();
  const environment = openEnvironment(directory);
  try {
    environment.exclusively(() => owner.take());
    owner.startBeating();
    const history = await prepareHistory(environment, { lanes, newId });
    const catalog = new IndexCatalog(environment.tables, options.collections ?? (() => undefined));
    await buildIndexes(environment, catalog, logger);
    return new EmbeddedStore({ environment, owner, history, catalog, logger });
  } catch (error) {
    await environment.close();
    owner.release();
    throw error;
  }
}

/** The real path of the directory, so that two names of it are one. */
function prepareDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true });
    return realpathSync(directory);
  } catch (error) {
    throw new StoreError('unavailable', `the data directory ${directory} cannot be made: ${String(error)}`, error);
  }
}

function openEnvironment(directory: string): Environment {
  try {
    assertDataFile(directory);
    const environment = new Environment(directory);
    flushDirectory(directory);
    flushDirectory(dirname(directory));
    return environment;
  } catch (error) {
    throw new StoreError('unavailable', `the data directory ${directory} cannot be opened: ${String(error)}`, error);
  }
}
