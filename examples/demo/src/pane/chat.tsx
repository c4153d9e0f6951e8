import { useQuery } from '@tidemark/client/react';
import { useLayoutEffect, useRef } from 'react';
import { useWriter } from '../actions/use-writer.ts';
import type { Message } from '../documents.ts';
import { LineForm } from './line-form.tsx';
import { usePendingIds } from './use-pending-ids.ts';

const shownMessages = 80;

export function Chat({ userId }: { readonly userId: string }) {
  const { documents } = useQuery<Message>('messages', '', [], { sort: [['sentAt', 'desc']], limit: shownMessages });
  const pending = usePendingIds('messages');
  const writer = useWriter('messages');
  const end = useRef<HTMLUListElement>(null);
  const newest = documents[0]?._id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message scrolls the list
  useLayoutEffect(() => {
    if (end.current) end.current.scrollTop = end.current.scrollHeight;
  }, [newest]);
  return (
    <section className="chat" aria-label="Chat">
      <ul className="messages" ref={end}>
        {documents.length === 0 && <li className="empty">No messages yet. Say hello.</li>}
        {documents.toReversed().map((message) => (
          <li
            key={String(message._id)}
            className={message.author === userId ? 'message mine' : 'message'}
            data-author={message.author}
            data-pending={pending.has(JSON.stringify(message._id)) || undefined}
          >
            <span className="author">{message.author}</span>
            <span className="text">{message.text}</span>
          </li>
        ))}
      </ul>
      <LineForm
        label="Message"
        action="Send"
        onLine={(text) => void writer.insert({ text, author: userId, sentAt: Date.now() })}
      />
    </section>
  );
}
