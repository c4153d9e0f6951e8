import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from '@tidemark/config';
import { developmentPages } from './development-pages.ts';

describe('developmentPages', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tidemark-pages-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const settings = (env: Record<string, string>) => loadSettings({ env });

  it('is the demo in development', () => {
    expect(developmentPages(settings({ NODE_ENV: 'development' }), root).webRoot).toBe(root);
  });

  it('is nothing when the demo was not built', () => {
    expect(developmentPages(settings({ NODE_ENV: 'development' }), join(root, 'missing')).webRoot).toBeUndefined();
  });

  it('is nothing in production, where the operator decides', () => {
    const production = { NODE_ENV: 'production', AUTH_JWT_SECRET: 'x'.repeat(32) };
    expect(developmentPages(settings(production), root).webRoot).toBeUndefined();
    expect(developmentPages(settings({ ...production, WEB_ROOT: '/pages' }), root).webRoot).toBe('/pages');
  });

  it('is what the operator says in development, too', () => {
    expect(developmentPages(settings({ WEB_ROOT: '/pages' }), root).webRoot).toBe('/pages');
  });
});
