import type { Rules } from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import type { CollectionName } from '@tidemark/protocol';
import type { Store } from '@tidemark/storage';
import type { Telemetry } from '@tidemark/telemetry';

export interface OpenStoreOptions {
  readonly settings: Settings;
  readonly rules: Rules;
  readonly telemetry: Telemetry;
}

/** The store that the settings ask for; the adapter of the other one is not loaded. */
export async function openStore({ settings, rules, telemetry }: OpenStoreOptions): Promise<Store> {
  const collections = (name: CollectionName) => rules.settings(name);
  const { openEmbeddedStore } = await import('@tidemark/storage/embedded');
  return openEmbeddedStore({
    directory: settings.dataDir,
    lanes: settings.lanes,
    collections,
    logger: telemetry.logger,
  });
}
