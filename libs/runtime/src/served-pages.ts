import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Settings, SettingsError } from '@tidemark/config';

/** The demo as `npm run build` leaves it, seen from this file, compiled or not. */
const demo = fileURLToPath(new URL('../../../examples/demo/dist', import.meta.url));

/**
 * The folder of web pages: WEB_ROOT, or the demo in development, if it was built. Throws SettingsError when there is no folder
 * WEB_ROOT.
 */
export function servedPages(settings: Settings, root = demo): Settings {
  const { webRoot, development } = settings;
  if (webRoot !== undefined && !existsSync(webRoot))
    throw new SettingsError([`WEB_ROOT: there is no folder ${JSON.stringify(webRoot)}`]);
  return webRoot === undefined && development && existsSync(root) ? { ...settings, webRoot: root } : settings;
}
