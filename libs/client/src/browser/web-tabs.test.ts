import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { webTabs } from './web-tabs.ts';

// Everything else is tested where it works: in a browser, by test/browser/tabs.test.ts.
const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');

beforeEach(() => {
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
});

afterEach(() => {
  if (before) Object.defineProperty(globalThis, 'navigator', before);
  else Reflect.deleteProperty(globalThis, 'navigator');
});

it('says why tabs cannot be shared where a page has no locks', () => {
  expect(() => webTabs('ann')).toThrow('Web Locks');
});
