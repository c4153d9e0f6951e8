import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Settings } from '@tidemark/config';

/** The demo as `npm run build` leaves it, seen from this file, compiled or not. */
const demo = fileURLToPath(new URL('../../../examples/demo/dist', import.meta.url));

/** A server in development shows the demo, if it was built. Elsewhere pages are served only where WEB_ROOT says so. */
export function developmentPages(settings: Settings, root = demo): Settings {
  if (settings.webRoot !== undefined || !settings.development || !existsSync(root)) return settings;
  return { ...settings, webRoot: root };
}
