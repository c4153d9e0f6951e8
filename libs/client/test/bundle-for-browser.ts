import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

/** As an app's bundler would make it for a browser: an import of Node fails. The size is that of the bundle, gzipped. */
export async function bundleForBrowser(options: BuildOptions): Promise<{ size: number; inputs: string[] }> {
  const result = await build({
    ...options,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
  });
  const [file] = result.outputFiles;
  return { size: gzipSync(file?.contents ?? '').length, inputs: Object.keys(result.metafile.inputs) };
}
