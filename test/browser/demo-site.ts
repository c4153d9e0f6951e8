import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { ServerOptions } from '../rig/running-server.ts';
import { startServer, type TestServer } from '../rig/server.ts';

/** A Chromium of the system; CHROMIUM names another one. */
const chromiumPath = process.env.CHROMIUM || '/usr/bin/chromium';

function assertChromium(): void {
  if (existsSync(chromiumPath)) return;
  throw new Error(`no Chromium at ${chromiumPath}: install it (apt-get install chromium), or name one in CHROMIUM`);
}

const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Machines that build are slow and busy: nothing here is about speed. */
export const patience = 60_000;

/** The demo. */
const demo = join(process.cwd(), 'examples/demo');
/** A page with a client that tests drive from outside. */
export const tabPage = join(process.cwd(), 'test/browser/tab-page');

/** A page, built from the sources as they are, and a browser. */
export class DemoSite implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #webRoot: string;

  private constructor(browser: Browser, webRoot: string) {
    this.#browser = browser;
    this.#webRoot = webRoot;
  }

  static async open(source = demo): Promise<DemoSite> {
    assertChromium();
    const webRoot = await mkdtemp(join(tmpdir(), 'tidemark-demo-'));
    await build(source, webRoot);
    const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: chromiumFlags });
    return new DemoSite(browser, webRoot);
  }

  async serve(options: Pick<ServerOptions, 'rules'> = {}): Promise<DemoServer> {
    const server = await startServer({ ...options, mode: 'standalone', env: { WEB_ROOT: this.#webRoot } });
    return new DemoServer(server, this.#browser);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await rm(this.#webRoot, { recursive: true, force: true });
  }
}

/** A server that serves the demo, and the browser profiles that look at it. */
export class DemoServer implements AsyncDisposable {
  readonly server: TestServer;
  readonly #browser: Browser;
  readonly #profiles: BrowserContext[] = [];
  /** What went wrong in pages. */
  readonly faults: string[] = [];

  constructor(server: TestServer, browser: Browser) {
    this.server = server;
    this.#browser = browser;
  }

  /** A browser of its own, with an empty store. */
  async profile(): Promise<BrowserContext> {
    const profile = await this.#browser.newContext();
    profile.setDefaultTimeout(patience);
    profile.on('weberror', (fault) => this.faults.push(String(fault.error())));
    this.#profiles.push(profile);
    return profile;
  }

  async page(profile: BrowserContext, path = '/'): Promise<Page> {
    const page = await profile.newPage();
    await page.goto(new URL(path, this.server.url).href);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Told here, too: after a failed test Node 20 loses what disposing throws.
    if (this.faults.length > 0) console.error(this.faults);
    for (const profile of this.#profiles) await profile.close();
    await this.server[Symbol.asyncDispose]();
    if (this.faults.length > 0) throw new Error(`pages failed: ${this.faults.join('\n')}`);
  }
}

/** With the demo's Vite and its settings. */
async function build(source: string, outDir: string): Promise<void> {
  const vite = join(dirname(createRequire(join(demo, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const config = join(demo, 'vite.config.ts');
  const flags = ['--config', config, '--logLevel', 'warn', '--outDir', outDir, '--emptyOutDir'];
  await promisify(execFile)(process.execPath, [vite, 'build', source, ...flags], { cwd: demo });
}
