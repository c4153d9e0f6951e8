import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { CollectionName, DeliveredMessage, Entry, Position, UserId } from '@tidemark/protocol';
import type { BoundQuery } from '@tidemark/rql';
import { StoreError } from '@tidemark/storage';
import { type BootstrapDeps, type BootstrapProgress, beginBootstrap, sendDocuments } from './bootstrap.ts';
import type { ClientLink } from './client-link.ts';
import type { FanOut } from './fan-out.ts';
import type { Group } from './group.ts';
import type { GroupIndex } from './group-index.ts';
import type { HistoryReader } from './history-reader.ts';
import { Marks } from './marks.ts';
import { hasReached, samePosition } from './position.ts';
import { type Receiver, receiverEffect } from './receiver.ts';
import { type Subscription, type SubscriptionRequest, viewKey } from './subscription.ts';
import { EntryMessages } from './view-change.ts';
import { isWithin, tokenOf } from './whole-through.ts';
import type { WildcardView } from './wildcard-views.ts';

export interface StreamDeps extends BootstrapDeps {
  readonly reader: HistoryReader;
  readonly fanOut: FanOut;
  readonly groups: GroupIndex;
  readonly readHeads: () => Promise<Position>;
  readonly pause: (ms: number) => Promise<void>;
}

/** From where a stream continues. */
export interface ResumePoint {
  readonly position: Position;
  /** Until here updates are sent whole, see Checkpoint. */
  readonly wholeThrough: Position | undefined;
}

const catchUpPage = 500;
const firstPauseMs = 100;
const lastPauseMs = 5_000;
/** Of one page. */
const bootstrapAttempts = 4;

/**
 * Everything that one socket is sent of history. It has one position. It is idle (holds none), attached (the fan-out sends
 * to it), or at work: first bootstraps of new subscriptions, during which the position stands still, then catching up from
 * the position; it is attached again at the moment it has reached the fan-out's.
 *
 * Guarantee: what was sent before a token covers everything up to the token's position that the subscriptions see.
 */
export class Stream implements Receiver {
  readonly id: string;
  readonly link: ClientLink;
  readonly userId: UserId;
  readonly echo: boolean;
  /** Of the session that its views were made for. */
  rights: string | undefined;
  attached = false;
  /** It has not had any subscription yet. */
  isFresh = true;
  told: Position | undefined;
  /** The token that it was resumed from, until it has gone on. */
  resumedFrom: string | undefined;
  private readonly deps: StreamDeps;
  private subscriptions: Subscription[] = [];
  private wildcard: WildcardView | undefined;
  /** What it has been sent; undefined while it holds no position, and while attached. */
  private position: Position | undefined;
  private wholeThrough: Position | undefined;
  private progress: { readonly of: Subscription; readonly state: BootstrapProgress } | undefined;
  private failures = 0;
  private working = false;
  private closed = false;
  private readonly marks = new Marks();

  constructor(deps: StreamDeps, client: Pick<Receiver, 'link' | 'userId' | 'echo' | 'rights'>) {
    this.deps = deps;
    this.id = client.link.id;
    this.link = client.link;
    this.userId = client.userId;
    this.echo = client.echo;
    this.rights = client.rights;
    deps.fanOut.add(this);
  }

  get list(): readonly Subscription[] {
    return this.subscriptions;
  }

  close(): void {
    this.closed = true;
    this.attached = false;
    this.deps.fanOut.remove(this);
    for (const subscription of this.subscriptions.splice(0)) this.end(subscription);
    this.marks.drop();
  }

  /** Continues history from here; only on a stream that holds no subscriptions. */
  resume(from: ResumePoint): void {
    this.attached = false;
    this.position = from.position;
    this.wholeThrough = from.wholeThrough;
    this.resumedFrom = this.token(from.position);
    this.deps.telemetry.metrics.catchUps.resume.inc();
  }

  /** The view of an old client before its first subscription; undefined ends it. */
  setWildcard(view: WildcardView | undefined): void {
    this.wildcard = view;
    if (view !== undefined && !this.attached) this.position ??= this.deps.fanOut.position;
  }

  /** Holds the subscription from now on. Call `start` when the client has been answered. */
  subscribe(request: SubscriptionRequest, needsBootstrap: boolean): void {
    this.isFresh = false;
    if (needsBootstrap && this.attached) this.detach(this.deps.fanOut.position);
    if (!this.attached) this.position ??= this.deps.fanOut.position;
    const group = this.deps.groups.enter(request.collection, request.query, this);
    const { id, collection, filter } = request;
    const state = { needsBootstrap, announced: false, ended: false };
    this.subscriptions.push({ id, nextId: id, collection, filter, group, ...state });
  }

  unsubscribe(subscription: Subscription): void {
    this.subscriptions = this.subscriptions.filter((other) => other !== subscription);
    this.end(subscription);
  }

  /** Equal ones go on untouched (under the new id), the others end; what is new is bootstrapped unless it says otherwise. */
  replace(requests: readonly SubscriptionRequest[]): void {
    const left = new Map<string, Subscription[]>();
    for (const subscription of this.subscriptions) {
      const alike = left.get(subscription.group.key);
      if (alike === undefined) left.set(subscription.group.key, [subscription]);
      else alike.push(subscription);
    }
    const added: SubscriptionRequest[] = [];
    for (const request of requests) {
      const known = left.get(viewKey(request))?.shift();
      if (known === undefined) added.push(request);
      else known.nextId = request.id;
    }
    for (const subscription of [...left.values()].flat()) this.unsubscribe(subscription);
    for (const request of added) this.subscribe(request, request.bootstrap !== false);
  }

  /** Goes on with what is to be done. Call it after the client was answered: pages and changes may follow at once. */
  start(): void {
    for (const subscription of this.subscriptions) {
      subscription.announced = true;
      subscription.id = subscription.nextId;
    }
    this.goOn();
  }

  /** What the user may read has changed: every view is made anew, and what is in it sent whole. */
  rebind(rights: string | undefined, queryOf: (collection: CollectionName, filter: BoundQuery) => BoundQuery): void {
    this.rights = rights;
    for (const subscription of this.subscriptions) {
      const { collection, filter, group } = subscription;
      subscription.group = this.deps.groups.enter(collection, queryOf(collection, filter), this);
      this.deps.groups.leave(group, this);
    }
    this.reset('the rights of the user have changed');
  }

  /** Everything is sent anew. */
  reset(reason: string): void {
    const collections = [...new Set(this.subscriptions.map((subscription) => subscription.collection))];
    this.deps.telemetry.metrics.resets.inc();
    this.link.send('sync:reset', { reason, collections });
    for (const subscription of this.subscriptions) subscription.needsBootstrap = true;
    this.attached = false;
    this.position = this.deps.fanOut.position;
    this.wholeThrough = undefined;
    this.progress = undefined;
  }

  fallBehind(position: Position): void {
    this.deps.telemetry.metrics.catchUps.slow.inc();
    this.detach(position);
    this.goOn();
  }

  loseHistory(): void {
    if (this.position === undefined && !this.attached) return;
    this.reset('the gateway lost its place in history');
    this.goOn();
  }

  /** Resolves with a token that covers everything committed before the call, when all of it was sent. Throws SyncError. */
  mark(): Promise<string> {
    return this.marks.ask(async () => {
      await this.deps.fanOut.reach(await this.deps.readHeads());
      return this.position === undefined ? this.deps.fanOut.token(this.rights) : this.marks.wait();
    });
  }

  private detach(position: Position): void {
    this.attached = false;
    this.position = position;
  }

  private attach(): void {
    this.attached = true;
    this.position = undefined;
    this.wholeThrough = undefined;
    this.marks.answer(this.deps.fanOut.token(this.rights));
  }

  private end(subscription: Subscription): void {
    subscription.ended = true;
    this.deps.groups.leave(subscription.group, this);
  }

  private goOn(): void {
    if (!this.working && this.hasWork()) void this.work();
  }

  /** While an answer is on its way, nothing may overtake it. */
  private hasWork(): boolean {
    return !this.closed && this.position !== undefined && this.subscriptions.every(({ announced }) => announced);
  }

  private async work(): Promise<void> {
    this.working = true;
    this.resumedFrom = undefined;
    while (this.position !== undefined && this.hasWork()) {
      try {
        await this.step(this.position);
        this.failures = 0;
      } catch (error) {
        await this.recover(error);
      }
    }
    this.working = false;
  }

  private async step(position: Position): Promise<void> {
    const fresh = this.subscriptions.find((subscription) => subscription.needsBootstrap);
    if (fresh !== undefined) await this.bootstrap(fresh, position);
    else await this.catchUp(position);
  }

  private async bootstrap(subscription: Subscription, position: Position): Promise<void> {
    if (this.progress?.of !== subscription) this.progress = { of: subscription, state: beginBootstrap(this.deps) };
    const { progress, link } = this;
    // A reset in the middle begins the listing anew.
    const isWanted = () => this.progress === progress && !subscription.ended;
    const isSent = await sendDocuments(
      this.deps,
      { link, subscription, progress: progress.state, isWanted },
      async () => {
        this.wholeThrough = await this.deps.readHeads();
        return this.token(position);
      },
    );
    if (this.progress !== progress) return;
    this.progress = undefined;
    if (isSent) subscription.needsBootstrap = false;
  }

  private async catchUp(from: Position): Promise<void> {
    const { fanOut, reader } = this.deps;
    if (this.link.isClogged()) await this.link.whenDrained();
    if (!hasReached(fanOut.position, from)) await fanOut.reach(from);
    const until = fanOut.position;
    const chunk = reader.recent(from, until, catchUpPage) ?? (await reader.read(from, until, catchUpPage));
    if (this.closed || this.position !== from) return;
    this.sendEntries(chunk.entries, chunk.position);
    this.position = chunk.position;
    if (!samePosition(chunk.position, fanOut.position)) return yieldToOthers();
    if (this.wholeThrough !== undefined && !hasReached(chunk.position, this.wholeThrough))
      await fanOut.reach(this.wholeThrough);
    else if (!this.subscriptions.some((subscription) => subscription.needsBootstrap)) this.attach();
  }

  private sendEntries(entries: readonly Entry[], position: Position): void {
    const messages: DeliveredMessage[] = [];
    for (const entry of entries) {
      const message = this.messageOf(entry);
      if (message !== undefined) messages.push(message);
    }
    if (messages.length === 0) return;
    this.link.send('sync:changes', messages, { checkpoint: this.token(position) });
    this.told = position;
    this.deps.telemetry.metrics.deliveries.inc(messages.length);
  }

  private messageOf(entry: Entry): DeliveredMessage | undefined {
    const membership = { before: false, after: false };
    for (const group of this.groupsOf(entry)) {
      membership.before ||= group.matches(entry.before);
      membership.after ||= group.matches(entry.after);
    }
    const effect = receiverEffect(this, entry, membership);
    if (effect === undefined) return undefined;
    return new EntryMessages(entry).get(effect === 'patch' && isWithin(entry, this.wholeThrough) ? 'whole' : effect);
  }

  private *groupsOf(entry: Entry): Generator<Group> {
    if (this.wildcard !== undefined) yield this.wildcard.groupOf(entry.collection);
    // What is yet to be listed is read later than the entry.
    for (const { collection, group, needsBootstrap } of this.subscriptions)
      if (collection === entry.collection && !needsBootstrap) yield group;
  }

  private token(position: Position): string {
    const { rights, wholeThrough } = this;
    return tokenOf({ historyId: this.deps.reader.historyId, rights }, position, wholeThrough);
  }

  private async recover(error: unknown): Promise<void> {
    this.failures++;
    if (StoreError.is(error, 'trimmed')) return this.reset('the checkpoint is older than the retained history');
    this.deps.telemetry.logger.warn({ err: error, socket: this.id }, 'a stream could not go on; trying again');
    const { progress } = this;
    if (progress !== undefined && ++progress.state.failures >= bootstrapAttempts) this.giveUp(progress.of);
    await this.deps.pause(Math.min(firstPauseMs * 2 ** (this.failures - 1), lastPauseMs));
  }

  private giveUp(subscription: Subscription): void {
    this.progress = undefined;
    const error = 'the documents could not be read; subscribe again later';
    const { id, collection } = subscription;
    this.link.send('sync:bootstrap_error', { subscription: id, collection, code: 'unavailable', error });
    this.unsubscribe(subscription);
  }
}
