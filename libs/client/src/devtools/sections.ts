import type { ClientInspection } from '../client-options.ts';
import type { ClientProblem } from '../events.ts';
import type { OutboxEntry } from '../local/records.ts';
import type { SyncStatus } from '../status.ts';
import type { SubscriptionState } from '../sync/subscription-set.ts';
import { element } from './element.ts';
import type { RecordedChange, RecordedLoss } from './recorder.ts';

/** Rows of a table; the rest is counted. */
const mostRows = 30;

export function connectionSection(
  status: SyncStatus,
  { userId, clientId, checkpoint }: ClientInspection,
  problem: ClientProblem | undefined,
): HTMLElement {
  const facts: [name: string, value: string][] = [
    ['connection', status.connection],
    ['user', userId ?? 'not known yet'],
    ['client', clientId],
    ['tidemark', checkpoint ?? 'none yet'],
    ['last sync', status.lastSync === undefined ? 'never' : time(status.lastSync)],
    ['waiting', `${status.pending} to send, ${status.optimistic - status.pending} to come back`],
  ];
  if (status.problem) facts.push(['no connection', `${status.problem.code}: ${status.problem.message}`]);
  if (problem) facts.push(['last problem', `${problem.code}: ${problem.message}`]);
  const rows = facts.flatMap(([name, value]) => [element('dt', {}, [name]), element('dd', {}, [value])]);
  return section('Connection', undefined, element('dl', { 'data-connection': status.connection }, rows));
}

export function subscriptionsSection(subscriptions: ClientInspection['subscriptions']): HTMLElement {
  const rows = subscriptions.map(({ collection, filter, args, state }) => [
    collection,
    `${filter === '' ? 'everything' : filter}${args.length === 0 ? '' : `  ${JSON.stringify(args)}`}`,
    stateText(state),
  ]);
  return tableSection('Subscriptions', ['collection', 'filter', 'state'], rows);
}

export function outboxSection(entries: readonly OutboxEntry[]): HTMLElement {
  const rows = entries.map((entry) => [entry.operation, place(entry), entry.stage, time(entry.timestamp)]);
  return tableSection('Outbox', ['write', 'document', 'stage', 'written'], rows);
}

export function changesSection(changes: readonly RecordedChange[]): HTMLElement {
  const rows = changes.map((change) => [
    change.operation,
    place(change),
    change.userId ?? 'no client',
    `${change.latencyMs} ms`,
    time(change.at),
  ]);
  return tableSection('Recent changes', ['change', 'document', 'by', 'latency', 'arrived'], rows);
}

export function lossesSection(losses: readonly RecordedLoss[]): HTMLElement {
  const rows = losses.map(({ at, write }) => [
    write.operation,
    place(write),
    write.outcome,
    `${write.code}: ${write.error}`,
    time(at),
  ]);
  return tableSection('Taken back', ['write', 'document', 'outcome', 'reason', 'at'], rows);
}

function tableSection(title: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  if (rows.length === 0) return section(title, 0, element('p', {}, ['none']));
  const cells = (name: 'th' | 'td', texts: readonly string[]) => texts.map((text) => element(name, {}, [text]));
  const table = element('table', {}, [
    element('thead', {}, [element('tr', {}, cells('th', head))]),
    element(
      'tbody',
      {},
      rows.slice(0, mostRows).map((row) => element('tr', {}, cells('td', row))),
    ),
  ]);
  return section(title, rows.length, table);
}

function section(title: string, count: number | undefined, content: HTMLElement): HTMLElement {
  const heading = element(
    'h3',
    {},
    count === undefined ? [title] : [`${title} `, element('small', {}, [String(count)])],
  );
  return element('section', { 'aria-label': title }, [heading, content]);
}

function stateText(state: SubscriptionState): string {
  if (state.kind === 'bootstrapping') return `bootstrapping, ${state.received} documents`;
  return state.kind === 'error' ? `error: ${state.code}: ${state.message}` : state.kind;
}

function place({ collection, documentId }: Pick<OutboxEntry, 'collection' | 'documentId'>): string {
  return `${collection}/${typeof documentId === 'string' ? documentId : JSON.stringify(documentId)}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
