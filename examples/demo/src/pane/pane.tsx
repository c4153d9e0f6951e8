import type { SyncStatus } from '@tidemark/client';
import { useSyncStatus } from '@tidemark/client/react';
import { type DemoUser, switchConnection } from '../demo-user.ts';
import { Board } from './board.tsx';
import { Chat } from './chat.tsx';
import { Notices } from './notices.tsx';
import { TideStrip, type TideStripProps } from './tide-strip.tsx';

export interface PaneProps extends TideStripProps {
  readonly user: DemoUser;
  readonly isActive: boolean;
  readonly onSwitch: () => void;
}

/** All that one user sees. */
export function Pane({ user, isActive, onSwitch, onBurst, isBusy }: PaneProps) {
  return (
    <section
      className="pane"
      id={`pane-${user.id}`}
      data-user={user.id}
      data-active={isActive || undefined}
      aria-label={user.name}
    >
      <PaneHeader user={user} onSwitch={onSwitch} />
      <Notices />
      <Board />
      <TideStrip onBurst={onBurst} isBusy={isBusy} />
      <Chat userId={user.id} />
    </section>
  );
}

const words: Readonly<Record<SyncStatus['connection'], string>> = {
  paused: 'Offline',
  offline: 'No connection, trying again',
  connecting: 'Connecting',
  catchingUp: 'Catching up',
  live: 'Live',
  blocked: 'Refused',
  closed: 'Closed',
};

function PaneHeader({ user, onSwitch }: Pick<PaneProps, 'user' | 'onSwitch'>) {
  const { connection, pending, problem } = useSyncStatus();
  const isOn = connection !== 'paused';
  return (
    <header className="pane-head">
      <span className="avatar" data-author={user.id} aria-hidden="true">
        {user.name.charAt(0)}
      </span>
      <h2>{user.name}</h2>
      <span className="state" data-state={connection} title={problem?.message}>
        {connection === 'blocked' && problem ? problem.message : words[connection]}
      </span>
      {pending > 0 && (
        <span className="badge" data-testid="pending">
          {pending} waiting
        </span>
      )}
      <button
        type="button"
        role="switch"
        aria-checked={isOn}
        aria-label={`${user.name} is online`}
        className="switch"
        onClick={() => {
          switchConnection(user, !isOn);
          onSwitch();
        }}
      >
        <span className="track" aria-hidden="true" />
        <span className="switch-label">Online</span>
      </button>
    </header>
  );
}
