/**
 * A panel that shows a client's inside, for development. It needs a DOM and no framework.
 *
 * @module devtools
 */
export { type DevtoolsOptions, mountDevtools } from './panel.ts';
