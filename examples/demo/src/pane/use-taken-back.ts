import { useTidemark } from '@tidemark/client/react';
import { useEffect, useState } from 'react';

const shownMs = 4_000;

/** The documents of a collection of which a write was taken back a moment ago. */
export function useTakenBack(collection: string): ReadonlySet<string> {
  const client = useTidemark();
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const end = client.on('compensated', (write) => {
      if (write.collection !== collection) return;
      const id = JSON.stringify(write.documentId);
      setIds((before) => new Set(before).add(id));
      const timer = setTimeout(() => {
        timers.delete(timer);
        setIds((before) => new Set([...before].filter((other) => other !== id)));
      }, shownMs);
      timers.add(timer);
    });
    return () => {
      end();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [client, collection]);
  return ids;
}
