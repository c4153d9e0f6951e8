import { TidemarkProvider } from '@tidemark/client/react';
import { useContext, useState } from 'react';
import { burst } from './actions/burst.ts';
import { stageConflict } from './actions/conflict.ts';
import { LatencyContext } from './actions/use-writer.ts';
import type { DemoUser } from './demo-user.ts';
import { DevtoolsDrawer } from './devtools-drawer.tsx';
import { cellCount } from './documents.ts';
import { LatencyMeter } from './latency-meter.tsx';
import { Pane } from './pane/pane.tsx';

export interface AppProps {
  readonly users: readonly [DemoUser, DemoUser];
}

export function App({ users }: AppProps) {
  const [shown, setShown] = useState(users[0].id);
  const [hasDevtools, setDevtools] = useState(false);
  const { say, isBusy, bursting, conflict } = useActions(users);
  const book = useContext(LatencyContext);
  return (
    <div className="app">
      <header className="top">
        <h1>
          <Logo /> Tidemark
        </h1>
        <LatencyMeter />
        <span className="top-actions">
          <button type="button" onClick={conflict} disabled={isBusy}>
            Stage a conflict
          </button>
          <button type="button" aria-pressed={hasDevtools} onClick={() => setDevtools(!hasDevtools)}>
            Devtools
          </button>
        </span>
      </header>
      <p className="narration" role="status" data-testid="narration">
        {say ?? 'Two people, one board. Switch one of them offline, go on working, and come back.'}
      </p>
      <Tabs users={users} shown={shown} show={setShown} />
      <main className="panes">
        {users.map((user, index) => (
          <TidemarkProvider key={user.id} client={user.client}>
            <Pane
              user={user}
              isActive={user.id === shown}
              isBusy={isBusy}
              onSwitch={() => book.forget()}
              onBurst={() => bursting(user, users[index === 0 ? 1 : 0])}
            />
          </TidemarkProvider>
        ))}
      </main>
      {hasDevtools && <DevtoolsDrawer users={users} />}
    </div>
  );
}

function useActions([first, second]: AppProps['users']) {
  const book = useContext(LatencyContext);
  const [say, setSay] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const run = (action: () => Promise<void>) => {
    setBusy(true);
    void action()
      .catch((error: unknown) => setSay(String(error)))
      .finally(() => setBusy(false));
  };
  const bursting = (from: DemoUser, to: DemoUser) =>
    run(async () => {
      const ms = await burst(from, to, book);
      const seen =
        ms === undefined ? 'they wait for the connection' : `${to.name} had them all after ${ms.toFixed(0)} ms`;
      setSay(`${cellCount} writes by ${from.name}: ${seen}.`);
    });
  const conflict = () => run(() => stageConflict(first, second, setSay));
  return { say, isBusy, bursting, conflict };
}

interface TabsProps {
  readonly users: readonly DemoUser[];
  readonly shown: string;
  readonly show: (id: string) => void;
}

/** On a small screen one user is shown at a time. */
function Tabs({ users, shown, show }: TabsProps) {
  return (
    <nav className="tabs" aria-label="User">
      {users.map(({ id, name }) => (
        <button key={id} type="button" aria-pressed={id === shown} data-author={id} onClick={() => show(id)}>
          {name}
        </button>
      ))}
    </nav>
  );
}

function Logo() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path
        d="M5 13c4 0 4 4 8 4s4-4 8-4 3 2 6 3M5 20c4 0 4 4 8 4s4-4 8-4 3 2 6 3"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
    </svg>
  );
}
