import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from '@tidemark/config';
import { servedPages } from './served-pages.ts';

describe('servedPages', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tidemark-pages-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const settings = (env: Record<string, string>) => loadSettings({ env });

  it('is the demo in development', () => {
    expect(servedPages(settings({ NODE_ENV: 'development' }), root).webRoot).toBe(root);
  });

  it('is nothing when the demo was not built', () => {
    expect(servedPages(settings({ NODE_ENV: 'development' }), join(root, 'missing')).webRoot).toBeUndefined();
  });

  it('is nothing in production, where the operator decides', () => {
    const production = { NODE_ENV: 'production', AUTH_JWT_SECRET: 'x'.repeat(32) };
    expect(servedPages(settings(production), root).webRoot).toBeUndefined();
    expect(servedPages(settings({ ...production, WEB_ROOT: tmpdir() }), root).webRoot).toBe(tmpdir());
  });

  it('is what the operator says in development, too', () => {
    expect(servedPages(settings({ WEB_ROOT: tmpdir() }), root).webRoot).toBe(tmpdir());
  });

  it('must be there when the operator names it', () => {
    const missing = join(root, 'missing');
    expect(() => servedPages(settings({ WEB_ROOT: missing }), root)).toThrow(
      `WEB_ROOT: there is no folder "${missing}"`,
    );
  });
});
