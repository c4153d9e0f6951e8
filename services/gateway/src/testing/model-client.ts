import {
  type ChangesMessage,
  type DeliveredMessage,
  type Document,
  type DocumentId,
  decodeCheckpoint,
  type Position,
} from '@tidemark/protocol';
import { hasReached } from '../read/position.ts';
import type { Connection } from '../socket/connection.ts';
import type { FakeSocket } from './fake-socket.ts';
import type { FilterSpec, GatewayWorld } from './gateway-world.ts';

/** A subscription as its client knows it. */
export interface HeldSubscription extends FilterSpec {
  readonly id: string;
  /** Its last page has come. */
  readonly complete: boolean;
  /** What its pages have brought; only until it is complete, since then it holds all that match. */
  readonly listed: ReadonlySet<string>;
}

/** All that a client keeps: what it needs to go on after it was away. */
export interface ClientState {
  readonly documents: Map<string, Document>;
  readonly subscriptions: Map<string, HeldSubscription>;
  token: string | undefined;
}

const nothing: ClientState = { documents: new Map(), subscriptions: new Map(), token: undefined };

type Answer = { success: boolean; [field: string]: unknown };

/**
 * A client as the wire contract describes it, and a judge: whenever it gets a token it compares its documents with those
 * that the store had at the token's position. What it finds wrong stands in `complaints`.
 */
export class ModelClient {
  readonly complaints: string[] = [];
  /** Its state whenever it got a token; of one era: with the same set, and no reset between. */
  readonly saved: { readonly state: ClientState; readonly era: number }[] = [];
  readonly userId = 'ann';
  state: ClientState;
  private readonly strict: boolean;
  private readonly world: GatewayWorld;
  private link: { readonly socket: FakeSocket; readonly connection: Connection } | undefined;
  private asked = new Map<string, (answer: Answer) => void>();
  private asking = 0;
  /** Requests under way that change the set. */
  private settling = 0;
  /** Requests so far that changed the set. */
  private setChanges = 0;
  private era = 0;
  readonly log: string[] = [];

  /** Not `strict`: it may hold later documents than its token says; then only the end counts. */
  constructor(world: GatewayWorld, state: ClientState = nothing, { strict = true } = {}) {
    this.world = world;
    this.state = copyOf(state);
    this.strict = strict;
  }

  get isConnected(): boolean {
    return this.link !== undefined;
  }

  get isIdle(): boolean {
    return this.link === undefined || (this.asked.size === 0 && this.link.socket.conn.writeBuffer.length === 0);
  }

  get isComplete(): boolean {
    return [...this.state.subscriptions.values()].every(({ complete }) => complete);
  }

  /** Connects and asks to go on where it stopped, with all that it holds. */
  join(): void {
    if (this.link !== undefined) return;
    this.link = this.world.connect();
    const { token } = this.state;
    if (token === undefined) this.forget();
    const resume = token === undefined ? {} : { checkpoint: token };
    const subscriptions = [...this.state.subscriptions.values()].map(({ id, collection, filter, args, complete }) => ({
      id,
      collection,
      filter,
      args,
      ...(token !== undefined && !complete && { bootstrap: true }),
    }));
    const set = subscriptions.length > 0 ? { subscriptions, ...resume } : {};
    this.changeSet('sync:join', { userId: this.userId, protocol: 1, ...set }, () => undefined);
  }

  /** The connection breaks: what was on its way is lost. */
  cut(): void {
    if (this.link === undefined) return;
    this.world.close(this.link.connection);
    this.link = undefined;
    this.asked.clear();
    this.settling = 0;
  }

  subscribe(id: string, spec: FilterSpec): void {
    this.changeSet('sync:subscribe', { id, ...spec }, () => {
      this.state.subscriptions.set(id, { id, ...spec, complete: false, listed: new Set() });
      this.dropUnseen();
    });
  }

  unsubscribe(id: string): void {
    this.changeSet('sync:unsubscribe', { subscriptionId: id }, () => {
      this.state.subscriptions.delete(id);
      this.dropUnseen();
    });
  }

  /** Replaces the set. */
  update(wanted: readonly (FilterSpec & { readonly id: string })[]): void {
    this.changeSet('sync:update_subscriptions', { subscriptions: wanted }, () => {
      const left = [...this.state.subscriptions.values()];
      this.state.subscriptions.clear();
      for (const spec of wanted) {
        const place = left.findIndex((held) => isEqual(held, spec));
        const [known] = place < 0 ? [] : left.splice(place, 1);
        const { complete = false, listed = new Set<string>() } = known ?? {};
        this.state.subscriptions.set(spec.id, { ...spec, complete, listed });
      }
      this.dropUnseen();
    });
  }

  mark(): void {
    const heads = this.world.history.position();
    const { setChanges } = this;
    this.ask('sync:mark', {}, ({ success, checkpoint }) => {
      if (!success) return;
      const position = decodeCheckpoint(String(checkpoint))?.position;
      if (position === undefined || !hasReached(position, heads)) this.complain('a mark was answered too early');
      // What was asked for later may be on its way.
      if (setChanges === this.setChanges && !this.isComplete) this.complain('a mark was answered before the last page');
      if (this.state.subscriptions.size > 0) this.tookToken(String(checkpoint));
    });
  }

  /** Reads up to so many packets. */
  read(count: number): void {
    for (let index = 0; index < count; index++) {
      const packet = this.link?.socket.take();
      if (packet === undefined) return;
      this.receive(packet.event, packet.args);
    }
  }

  /** What its subscriptions see at a position. */
  expected(position: Position): Map<string, Document> {
    return this.world.view(this.userId, [...this.state.subscriptions.values()], position);
  }

  /** How it differs from what it should hold now; undefined when it does not. */
  differenceAt(position: Position): string | undefined {
    return differenceOf(this.state.documents, this.expected(position));
  }

  private changeSet(name: string, payload: unknown, onSuccess: () => void): void {
    this.settling++;
    this.setChanges++;
    this.ask(name, payload, (answer) => {
      this.settling--;
      this.era++;
      if (answer.success) onSuccess();
      else if (answer.code !== 'unavailable') this.complain(`${name} was refused: ${JSON.stringify(answer)}`);
      else if (name === 'sync:join') this.cut();
    });
  }

  private ask(name: string, payload: unknown, onAnswer: (answer: Answer) => void): void {
    if (this.link === undefined) return;
    const ack = `${name}#${++this.asking}`;
    this.asked.set(`ack:${ack}`, onAnswer);
    this.note(`> ${ack} ${JSON.stringify(payload)}`);
    this.world.send(this.link.connection, { name, payload, ack });
  }

  private receive(event: string, args: readonly unknown[]): void {
    this.note(`< ${event} ${JSON.stringify(args)}`);
    const answered = this.asked.get(event);
    if (answered !== undefined) {
      this.asked.delete(event);
      answered(args[0] as Answer);
    } else if (event === 'sync:bootstrap') this.onPage(args[0] as Parameters<ModelClient['onPage']>[0]);
    else if (event === 'sync:changes') this.onChanges(args as unknown as ChangesMessage);
    else if (event === 'sync:checkpoint') this.tookToken((args[0] as { checkpoint: string }).checkpoint);
    else if (event === 'sync:reset') this.forget();
    else if (event !== 'joined') this.complain(`unexpected ${event} ${JSON.stringify(args)}`);
  }

  private onPage(page: { subscription: string; data: Document[]; hasMore: boolean; checkpoint?: string }): void {
    const held = this.state.subscriptions.get(page.subscription);
    if (held === undefined) {
      this.complain(`a page came for ${page.subscription}, which is not held`);
      return;
    }
    if (held.complete) this.complain(`a page came after the last one of ${page.subscription}`);
    const keys = page.data.map((document) => `${held.collection}/${document._id as string}`);
    page.data.forEach((document, index) => {
      this.state.documents.set(keys[index] ?? '', document);
    });
    this.state.subscriptions.set(held.id, {
      ...held,
      complete: !page.hasMore,
      listed: new Set([...held.listed, ...keys]),
    });
    if (page.hasMore !== (page.checkpoint === undefined)) this.complain('only the last page has a token');
    if (page.checkpoint !== undefined) this.tookToken(page.checkpoint);
  }

  private onChanges([changes, { checkpoint }]: ChangesMessage): void {
    for (const change of changes) this.apply(change);
    this.tookToken(checkpoint);
  }

  private apply(change: DeliveredMessage): void {
    const { documents } = this.state;
    const key = `${change.collection}/${change.documentId as string}`;
    if (change.operation === 'delete') return void documents.delete(key);
    if (change.operation === 'insert') return void documents.set(key, change.data as Document);
    const known = documents.get(key);
    if (known === undefined && this.strict) this.complain(`an update of ${key} came, which is not held`);
    const fields: Record<string, unknown> = { _id: change.documentId as DocumentId, ...known, ...change.data };
    for (const name of change.unset ?? []) delete fields[name];
    const { timestamp, userId, version } = change;
    documents.set(key, {
      ...fields,
      sync_updated_at: timestamp,
      _updated_by: userId,
      sync_version: version,
    } as Document);
  }

  /** What a listing brings from its first page on is all there is. */
  private forget(): void {
    this.era++;
    this.state.documents.clear();
    this.state.token = undefined;
    for (const [id, held] of this.state.subscriptions)
      this.state.subscriptions.set(id, { ...held, complete: false, listed: new Set() });
  }

  private tookToken(token: string): void {
    const checkpoint = decodeCheckpoint(token);
    if (checkpoint === undefined) {
      this.complain(`${token} is no token`);
      return;
    }
    this.state.token = token;
    if (this.settling === 0) this.saved.push({ state: copyOf(this.state), era: this.era });
    if (!this.strict || this.settling > 0 || !this.isComplete || checkpoint.wholeThrough !== undefined) return;
    const difference = this.differenceAt(checkpoint.position);
    if (difference !== undefined) this.complain(`at ${JSON.stringify(checkpoint.position)}: ${difference}`);
  }

  /** The client drops what no other subscription holds. */
  private dropUnseen(): void {
    const holders = [...this.state.subscriptions.values()].map((held) => {
      const sees = this.world.viewOf(this.userId, held);
      const prefix = `${held.collection}/`;
      return (key: string, document: Document) =>
        held.complete ? key.startsWith(prefix) && sees(document) : held.listed.has(key);
    });
    for (const [key, document] of this.state.documents) {
      if (!holders.some((holds) => holds(key, document))) this.state.documents.delete(key);
    }
  }

  private complain(text: string): void {
    this.complaints.push(text);
    this.note(`! ${text}`);
  }

  private note(line: string): void {
    this.log.push(line.slice(0, 400));
    if (this.log.length > 60) this.log.shift();
  }
}

function isEqual(a: FilterSpec, b: FilterSpec): boolean {
  const textOf = ({ collection, filter, args }: FilterSpec) => JSON.stringify([collection, filter ?? '', args ?? []]);
  return textOf(a) === textOf(b);
}

export function copyOf(state: ClientState): ClientState {
  const subscriptions = [...state.subscriptions].map(([id, held]) => [id, { ...held }] as const);
  return { documents: new Map(state.documents), subscriptions: new Map(subscriptions), token: state.token };
}

export function differenceOf(
  held: ReadonlyMap<string, Document>,
  expected: ReadonlyMap<string, Document>,
): string | undefined {
  for (const [key, document] of expected) {
    if (!held.has(key)) return `${key} is missing`;
    if (textOf(held.get(key)) !== textOf(document))
      return `${key} is ${textOf(held.get(key))} and not ${textOf(document)}`;
  }
  for (const key of held.keys()) if (!expected.has(key)) return `${key} is too much`;
  return undefined;
}

function textOf(document: Document | undefined): string {
  return JSON.stringify(Object.entries(document ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}
