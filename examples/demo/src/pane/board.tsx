import { useQuery } from '@tidemark/client/react';
import { useMemo } from 'react';
import { useWriter } from '../actions/use-writer.ts';
import { type Column, columns, type Task } from '../documents.ts';
import { Card } from './card.tsx';
import { LineForm } from './line-form.tsx';
import { usePendingIds } from './use-pending-ids.ts';
import { useTakenBack } from './use-taken-back.ts';

const headings: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' };

/** A column shows so many cards; the rest is counted. */
const shownCards = 60;

export function Board() {
  const { documents, sync } = useQuery<Task>('tasks', '', [], { sort: [['createdAt', 'desc']] });
  const tasks = useMemo(() => tasksByColumn(documents), [documents]);
  const pending = usePendingIds('tasks');
  const takenBack = useTakenBack('tasks');
  const writer = useWriter('tasks');
  const isFirstLoad =
    documents.length === 0 && (sync === undefined || sync.kind === 'pending' || sync.kind === 'bootstrapping');
  return (
    <section className="board" aria-label="Board" aria-busy={isFirstLoad} data-sync={sync?.kind}>
      {columns.map((column) => (
        <BoardColumn key={column} heading={headings[column]} tasks={tasks[column]}>
          {(task) => (
            <Card
              key={String(task._id)}
              task={task}
              isPending={pending.has(JSON.stringify(task._id))}
              wasTakenBack={takenBack.has(JSON.stringify(task._id))}
              writer={writer}
            />
          )}
        </BoardColumn>
      ))}
      <LineForm
        label="New card"
        action="Add"
        className="new-card"
        onLine={(title) => void writer.insert({ title, column: 'todo', createdAt: Date.now() })}
      />
    </section>
  );
}

function tasksByColumn(documents: readonly Task[]): Readonly<Record<Column, readonly Task[]>> {
  const tasks: Record<Column, Task[]> = { todo: [], doing: [], done: [] };
  // Other programs write to the server, too: what has an unknown column is shown in the first.
  for (const task of documents) (tasks[task.column] ?? tasks.todo).push(task);
  return tasks;
}

interface BoardColumnProps {
  readonly heading: string;
  readonly tasks: readonly Task[];
  readonly children: (task: Task) => React.ReactNode;
}

function BoardColumn({ heading, tasks, children }: BoardColumnProps) {
  return (
    <section className="column" aria-label={heading}>
      <h3>
        {heading} <span className="count">{tasks.length.toLocaleString('en')}</span>
      </h3>
      <ul>{tasks.slice(0, shownCards).map(children)}</ul>
      {tasks.length === 0 && <p className="empty">Nothing here</p>}
      {tasks.length > shownCards && (
        <p className="empty">and {(tasks.length - shownCards).toLocaleString('en')} more</p>
      )}
    </section>
  );
}
