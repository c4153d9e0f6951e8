import { createRules, loadRulesFile, type Rules } from '@tidemark/access';
import type { Settings } from '@tidemark/config';
import type { Telemetry } from '@tidemark/telemetry';

/** The rules of RULES_FILE, or those of a server without one. Throws RulesError. */
export async function openRules(settings: Settings, telemetry: Telemetry): Promise<Rules> {
  const file = settings.rulesFile === undefined ? undefined : await loadRulesFile(settings.rulesFile);
  return createRules(file, {
    production: settings.production,
    onOpen: (collection) =>
      telemetry.logger.warn({ collection }, 'no rule: everyone may read and write this collection'),
  });
}
