import { useQuery } from '@tidemark/client/react';
import { type FormEvent, useLayoutEffect, useRef, useState } from 'react';
import { useWriter } from '../actions/use-writer.ts';
import type { Message } from '../documents.ts';
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
      <NewMessage send={(text) => void writer.insert({ text, author: userId, sentAt: Date.now() })} />
    </section>
  );
}

function NewMessage({ send }: { readonly send: (text: string) => void }) {
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    send(text.trim());
    setText('');
  };
  return (
    <form className="row-form" onSubmit={submit}>
      <input
        aria-label="Message"
        placeholder="Message…"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit">Send</button>
    </form>
  );
}
