/**
 * A server that is ready at its second probe; SIGTERM leaves a mark that it was asked nicely. STUB makes it `broken`
 * (ends at once), `never` (does not get ready) or `stubborn` (does not stop); with STUB_ONLY only where that is in its name.
 */
export const stubServer = `
  import { createServer } from 'node:http';
  import { appendFileSync } from 'node:fs';
  const name = process.argv[1];
  const stub = name.includes(process.env.STUB_ONLY ?? '') ? process.env.STUB : undefined;
  if (stub === 'broken') { console.error('PORT must be a number'); process.exit(1); }
  let probes = 0;
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/ready' && stub !== 'never' && probes++ > 0 ? 200 : 503;
    response.end(JSON.stringify({ status: response.statusCode === 200 ? 'ready' : 'store' }));
  });
  server.listen(Number(process.env.PORT), process.env.HOST);
  console.log('started with', process.env.DATA_DIR, process.env.LANES);
  process.on('SIGTERM', () => {
    if (stub === 'stubborn') return;
    appendFileSync('drained', name.split('/').at(-3) + ' ');
    process.exit(0);
  });
`;
