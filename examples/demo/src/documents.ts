import type { Client } from '@tidemark/client';

/** What the client knows of every document. */
type Stored = NonNullable<Awaited<ReturnType<ReturnType<Client['collection']>['get']>>>;

export const columns = ['todo', 'doing', 'done'] as const;
export type Column = (typeof columns)[number];

export type Task = Stored & { readonly title: string; readonly column: Column; readonly createdAt: number };
export type Message = Stored & { readonly text: string; readonly author: string; readonly sentAt: number };
/** One square of the strip that bursts are written to. */
export type Cell = Stored & { readonly by: string; readonly wave: number };

export const cellCount = 96;

export function cellId(index: number): string {
  return `cell-${String(index).padStart(2, '0')}`;
}

export function newId(): string {
  return `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
}
