import type { CompensatedWrite } from '@tidemark/client';
import { useTidemark } from '@tidemark/client/react';
import { useEffect, useState } from 'react';

interface Notice {
  readonly key: string;
  readonly title: string;
  readonly text: string;
  readonly reason: string;
}

const most = 2;

/** What the server did not take: what it was, why, and what holds instead. */
export function Notices() {
  const [notices, setNotices] = useNotices();
  const dismiss = (key: string) => setNotices((before) => before.filter((notice) => notice.key !== key));
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map(({ key, title, text, reason }) => (
        <div key={key} className="notice" data-testid="notice">
          <div>
            <strong>{title}</strong>
            <p>{text}</p>
            <p className="reason">{reason}</p>
          </div>
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => dismiss(key)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

function useNotices() {
  const client = useTidemark();
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  useEffect(() => {
    const add = (notice: Notice) =>
      setNotices((before) => [notice, ...before.filter(({ key }) => key !== notice.key)].slice(0, most));
    const ends = [
      client.on('compensated', (write) => add(noticeOf(write))),
      client.on('problem', ({ code, message }) =>
        add({ key: code, title: 'Something is wrong', text: message, reason: code }),
      ),
      client.on('reset', ({ reason }) =>
        add({
          key: 'reset',
          title: 'Fetched anew',
          text: 'The server’s history starts over; your edits are kept.',
          reason,
        }),
      ),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [client]);
  return [notices, setNotices] as const;
}

function noticeOf({ changeId, outcome, code, error, operation, collection, data, current }: CompensatedWrite): Notice {
  const title = outcome === 'superseded' ? 'A newer change won' : 'Not accepted';
  const wanted = operation === 'delete' ? 'Your deletion' : `Your ${nounOf(collection)} “${labelOf(data)}”`;
  const now = current ? `it is now “${labelOf(current)}”.` : 'it is gone.';
  return {
    key: changeId,
    title,
    text: `${wanted} was taken back; ${now}`,
    reason: `${code}: ${withoutCode(error, code)}`,
  };
}

function nounOf(collection: string): string {
  return collection === 'tasks' ? 'card' : collection === 'messages' ? 'message' : 'square';
}

function labelOf(fields: Readonly<Record<string, unknown>>): string {
  return String(fields.title ?? fields.text ?? fields.column ?? fields.wave ?? fields._id ?? '…').slice(0, 60);
}

function withoutCode(error: string, code: string): string {
  return error.startsWith(`${code}: `) ? error.slice(code.length + 2) : error;
}
