import { runService, servedPages } from '@tidemark/runtime';
import { startStandalone } from './standalone.ts';

runService('standalone', async (context) => {
  const server = await startStandalone({ ...context, settings: servedPages(context.settings) });
  context.telemetry.logger.info({ url: server.url }, 'ready');
  return server;
});
