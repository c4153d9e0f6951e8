import { useEffect, useRef } from 'react';
import type { DemoUser } from './demo-user.ts';

/** The client's own panel, one per user; its code is loaded when it is opened. */
export function DevtoolsDrawer({ users }: { readonly users: readonly DemoUser[] }) {
  const drawer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Browsers may answer with a promise, which is nothing to clean up with.
    drawer.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <div className="drawer" ref={drawer}>
      {users.map((user) => (
        <DevtoolsPanel key={user.id} user={user} />
      ))}
    </div>
  );
}

function DevtoolsPanel({ user }: { readonly user: DemoUser }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let unmount = () => {};
    let isGone = false;
    void import('@tidemark/client/devtools').then(({ mountDevtools }) => {
      if (!isGone && element.current) unmount = mountDevtools(user.client, element.current, { title: user.name });
    });
    return () => {
      isGone = true;
      unmount();
    };
  }, [user]);
  return <div ref={element} />;
}
