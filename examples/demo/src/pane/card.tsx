import { type KeyboardEvent, useState } from 'react';
import type { Writer } from '../actions/use-writer.ts';
import { columns, type Task } from '../documents.ts';

export interface CardProps {
  readonly task: Task;
  readonly isPending: boolean;
  /** An edit of it was undone a moment ago. */
  readonly wasTakenBack: boolean;
  readonly writer: Writer;
}

/** A card: its title is edited in place, arrows move it. Everything is a button, so that it works with the keyboard. */
export function Card({ task, isPending, wasTakenBack, writer }: CardProps) {
  const [isEditing, setEditing] = useState(false);
  const place = columns.indexOf(task.column);
  const move = (by: number) => {
    const column = columns[place + by];
    if (column) void writer.update(task._id, { column });
  };
  const rename = (title: string) => {
    setEditing(false);
    if (title !== '' && title !== task.title) void writer.update(task._id, { title });
  };
  return (
    <li
      className="card"
      data-pending={isPending || undefined}
      data-taken-back={wasTakenBack || undefined}
      data-testid="card"
    >
      {isEditing ? (
        <TitleInput title={task.title} onDone={rename} onCancel={() => setEditing(false)} />
      ) : (
        <button type="button" className="title" onClick={() => setEditing(true)}>
          <span className="sr">Edit </span>
          {task.title}
        </button>
      )}
      <div className="card-foot">
        <span className="byline">{isPending ? 'waiting to sync' : bylineOf(task)}</span>
        <span className="card-actions">
          <CardButton label={`Move “${task.title}” left`} text="←" disabled={place <= 0} act={() => move(-1)} />
          <CardButton
            label={`Move “${task.title}” right`}
            text="→"
            disabled={place >= columns.length - 1}
            act={() => move(1)}
          />
          <CardButton label={`Delete “${task.title}”`} text="✕" act={() => void writer.remove(task._id)} />
        </span>
      </div>
    </li>
  );
}

function bylineOf({ _updated_by }: Task): string {
  return typeof _updated_by === 'string' ? _updated_by : '';
}

interface CardButtonProps {
  readonly label: string;
  readonly text: string;
  readonly disabled?: boolean;
  readonly act: () => void;
}

function CardButton({ label, text, disabled = false, act }: CardButtonProps) {
  return (
    <button type="button" className="quiet" aria-label={label} title={label} disabled={disabled} onClick={act}>
      {text}
    </button>
  );
}

interface TitleInputProps {
  readonly title: string;
  readonly onDone: (title: string) => void;
  readonly onCancel: () => void;
}

function TitleInput({ title, onDone, onCancel }: TitleInputProps) {
  const [text, setText] = useState(title);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') onDone(text.trim());
    if (event.key === 'Escape') onCancel();
  };
  return (
    <input
      className="title-input"
      aria-label="Title of the card"
      value={text}
      // biome-ignore lint/a11y/noAutofocus: the user has just pressed the button that this field replaces
      autoFocus
      onChange={(event) => setText(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => onDone(text.trim())}
    />
  );
}
