import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { webPages } from './web-pages.ts';

describe('webPages', () => {
  let root: string;
  let server: Server;
  let url: string;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'tidemark-web-'));
    mkdirSync(join(root, 'assets'));
    writeFileSync(join(root, 'index.html'), '<title>page</title>');
    writeFileSync(join(root, 'assets', 'index-Cd-d48Dy.css'), 'body{}');
    writeFileSync(join(root, '.secret'), 'no');
    const app = express();
    app.get('/health', (_, response) => void response.json({ status: 'healthy' }));
    app.use(webPages(root));
    app.use((_, response) => void response.status(404).json({ code: 'invalid_message' }));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(root, { recursive: true });
  });

  it('serves the page at /, asked for again each time', async () => {
    const answer = await fetch(url);
    expect(await answer.text()).toContain('page');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-type')).toContain('text/html');
  });

  it('lets browsers keep what has a hash in its name', async () => {
    const answer = await fetch(`${url}/assets/index-Cd-d48Dy.css`);
    expect(answer.headers.get('cache-control')).toContain('immutable');
    await answer.text();
  });

  it('leaves what it does not have to the API', async () => {
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'healthy' });
    for (const path of ['/api/nothing', '/assets', '/assets/missing.js', '/some/page']) {
      const answer = await fetch(`${url}${path}`);
      expect([path, answer.status, await answer.json()]).toEqual([path, 404, { code: 'invalid_message' }]);
    }
    const posted = await fetch(url, { method: 'POST' });
    expect(posted.status).toBe(404);
    await posted.text();
  });

  it('gives nothing away from beside the folder, nor hidden files', async () => {
    for (const path of ['/.secret', '/..%2f..%2fetc%2fpasswd', '/%2e%2e/%2e%2e/etc/passwd']) {
      const answer = await fetch(`${url}${path}`);
      expect([path, answer.status >= 400]).toEqual([path, true]);
      await answer.text();
    }
  });
});
