import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import type * as page from './browser-page.ts';

/** A Chromium of the system; CHROMIUM names another one. */
const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];

/** The figures of a real Chromium, or why there are none. */
export async function bootstrapBrowser(count: number, runs: number) {
  if (!existsSync(executablePath)) return { skipped: `no Chromium at ${executablePath}` };
  const site = await serve(await bundle());
  const browser = await chromium.launch({ executablePath, headless: true, args });
  try {
    const tab = await browser.newPage();
    await tab.goto(site.url);
    await tab.waitForFunction('window.bench !== undefined');
    return await tab.evaluate(
      ([documents, times]) =>
        (globalThis as unknown as { bench: typeof page }).bench.bootstrapIndexedDb(documents, times),
      [count, runs] as const,
    );
  } finally {
    await browser.close();
    site.close();
  }
}

/** As an app's bundler would make it. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('browser-page.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName: 'bench',
    platform: 'browser',
    conditions: ['tidemark-source'],
  });
  return outputFiles[0]?.text ?? '';
}

/** The script in an empty page. */
async function serve(script: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><title>bench</title><script src="/bench.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
