import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

const server = process.env.URL ?? 'http://localhost:3000';

export default defineConfig({
  plugins: [react()],
  // The client is taken from its sources, so that the demo needs nothing that was compiled before.
  resolve: { conditions: ['tidemark-source', ...defaultClientConditions] },
  server: { proxy: { '/socket.io': { target: server, ws: true } } },
});
