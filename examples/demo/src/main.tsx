import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LatencyBook } from './actions/latency-book.ts';
import { LatencyContext } from './actions/use-writer.ts';
import { App } from './app.tsx';
import { createDemoUser } from './demo-user.ts';
import { addSampleTasks } from './sample-tasks.ts';
import './styles/demo.css';

const parameters = new URLSearchParams(location.search);
const first = createDemoUser('ada', parameters.get('ada') ?? undefined);
const second = createDemoUser('ben', parameters.get('ben') ?? undefined);
const book = new LatencyBook();
for (const { client } of [first, second]) book.watch(client);
addSampleTasks(first.client).catch((error: unknown) => console.warn('no sample tasks', error));

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <LatencyContext value={book}>
      <App users={[first, second]} />
    </LatencyContext>
  </StrictMode>,
);
