export { type DevtoolsOptions, mountDevtools } from './panel.ts';
