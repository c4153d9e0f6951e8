import type { DeliveredMessage, Entry, HistoryId, Position } from '@tidemark/protocol';
import type { Telemetry } from '@tidemark/telemetry';
import type { Broadcast } from './client-link.ts';
import type { Feed, FeedListener } from './feed.ts';
import type { Group } from './group.ts';
import type { GroupIndex } from './group-index.ts';
import { hasReached, positionAfter, samePosition } from './position.ts';
import { liveEffect, type Receiver } from './receiver.ts';
import { EntryMessages, effectOf, type Membership } from './view-change.ts';
import { tokenOf } from './whole-through.ts';

export interface FanOutDeps {
  readonly feed: Feed;
  readonly groups: GroupIndex;
  readonly historyId: HistoryId;
  readonly broadcast: Broadcast;
  readonly telemetry: Telemetry;
  /** Called with each entry before it is matched: a collection may be new to somebody. */
  readonly beforeEntry: (entry: Entry) => void;
}

type Rights = Receiver['rights'];

/** An entry as one group sees it. */
interface Hit {
  readonly entry: Entry;
  readonly messages: EntryMessages;
  readonly membership: Membership;
}

/**
 * Sends what the feed brings to the attached receivers. All that arrives in one turn of the event loop becomes one message
 * per receiver; receivers that see the same share one encoding. A receiver that does not read falls behind and catches up.
 *
 * Guarantee: every attached receiver has been handed everything up to `position` that its view sees.
 */
export class FanOut implements FeedListener {
  position: Position;
  private readonly deps: FanOutDeps;
  private readonly receivers = new Set<Receiver>();
  private pending: Entry[] = [];
  private waiters: { readonly target: Position; readonly done: () => void }[] = [];
  private encoded: { readonly position: Position; readonly tokens: Map<Rights, string> } | undefined;

  constructor(deps: FanOutDeps, start: Position) {
    this.deps = deps;
    this.position = start;
  }

  /** From now on `receiver.attached` decides; the caller has brought it to `position`. */
  add(receiver: Receiver): void {
    this.receivers.add(receiver);
  }

  remove(receiver: Receiver): void {
    this.receivers.delete(receiver);
  }

  /** The token of `position` for those with these rights. */
  token(rights: Rights): string {
    const { position } = this;
    if (this.encoded?.position !== position) this.encoded = { position, tokens: new Map() };
    const { tokens } = this.encoded;
    const token = tokens.get(rights) ?? tokenOf({ historyId: this.deps.historyId, rights }, position, undefined);
    tokens.set(rights, token);
    return token;
  }

  onEntries(entries: readonly Entry[]): void {
    if (this.pending.length === 0) setImmediate(() => this.flush());
    for (const entry of entries) this.pending.push(entry);
  }

  onLost(): void {
    this.pending = [];
    this.position = this.deps.feed.position();
    for (const receiver of this.receivers) receiver.loseHistory();
    this.wakeWaiters();
  }

  /** Resolves when `position` has reached the target, which must be committed. */
  async reach(target: Position): Promise<void> {
    await this.deps.feed.reach(target);
    if (hasReached(this.position, target)) return;
    await new Promise<void>((done) => this.waiters.push({ target, done }));
  }

  /** Tells receivers that were sent nothing for a while how far history is. */
  announcePosition(): void {
    const idle: Receiver[] = [];
    for (const receiver of this.receivers) {
      if (!receiver.attached || receiver.link.isClogged()) continue;
      if (receiver.told !== undefined && samePosition(receiver.told, this.position)) continue;
      receiver.told = this.position;
      idle.push(receiver);
    }
    for (const [rights, ids] of idsByRights(idle))
      this.deps.broadcast(ids, 'sync:checkpoint', { checkpoint: this.token(rights) });
  }

  private flush(): void {
    if (this.pending.length === 0) return;
    const begun = performance.now();
    const entries = this.pending;
    this.pending = [];
    const before = this.position;
    const hits = this.match(entries);
    this.position = positionAfter(before, entries);
    for (const [groups, receivers] of groupReceivers(hits)) this.deliver(groups, receivers, before);
    this.wakeWaiters();
    this.deps.telemetry.metrics.stageSeconds.fanout.observe((performance.now() - begun) / 1_000);
  }

  private match(entries: readonly Entry[]): Map<Group, Hit[]> {
    const hits = new Map<Group, Hit[]>();
    for (const entry of entries) {
      this.deps.beforeEntry(entry);
      let messages: EntryMessages | undefined;
      for (const group of this.deps.groups.candidates(entry)) {
        const membership = group.membershipOf(entry);
        if (!membership.before && !membership.after) continue;
        messages ??= new EntryMessages(entry);
        const list = hits.get(group);
        if (list === undefined) hits.set(group, [{ entry, messages, membership }]);
        else list.push({ entry, messages, membership });
      }
    }
    return hits;
  }

  /** Receivers whose hits are the same: those that need none of their own get one shared message. */
  private deliver(hits: readonly Hit[], receivers: readonly Receiver[], before: Position): void {
    const isSpecial = specialReceivers(hits);
    const shared: Receiver[] = [];
    for (const receiver of receivers) {
      if (receiver.link.isClogged()) {
        receiver.fallBehind(before);
      } else if (isSpecial(receiver)) {
        this.send([receiver], messagesFor(receiver, hits));
      } else {
        shared.push(receiver);
      }
    }
    if (shared.length > 0) this.send(shared, sharedMessages(hits));
  }

  private send(receivers: readonly Receiver[], messages: readonly DeliveredMessage[]): void {
    if (messages.length === 0) return;
    for (const receiver of receivers) receiver.told = this.position;
    for (const [rights, ids] of idsByRights(receivers))
      this.deps.broadcast(ids, 'sync:changes', messages, { checkpoint: this.token(rights) });
    this.deps.telemetry.metrics.deliveries.inc(receivers.length * messages.length);
  }

  private wakeWaiters(): void {
    if (this.waiters.length === 0) return;
    const waiting = this.waiters;
    this.waiters = [];
    for (const waiter of waiting) {
      if (hasReached(this.position, waiter.target)) waiter.done();
      else this.waiters.push(waiter);
    }
  }
}

/** Tokens differ between them, so each gets an encoding of its own. */
function idsByRights(receivers: readonly Receiver[]): ReadonlyMap<Rights, readonly string[]> {
  const byRights = new Map<Rights, string[]>();
  for (const { rights, id } of receivers) {
    const ids = byRights.get(rights);
    if (ids === undefined) byRights.set(rights, [id]);
    else ids.push(id);
  }
  return byRights;
}

/** Attached receivers by what they see: those with the same matching groups together. */
function* groupReceivers(
  hits: ReadonlyMap<Group, Hit[]>,
): Generator<[hits: readonly Hit[], receivers: readonly Receiver[]]> {
  const groupsOf = new Map<Receiver, Group | Group[]>();
  for (const group of hits.keys()) {
    for (const member of group.members.keys()) {
      const receiver = member as Receiver;
      if (receiver.attached) addGroup(groupsOf, receiver, group);
    }
  }
  const alike = new Map<Group | string, { readonly groups: readonly Group[]; readonly receivers: Receiver[] }>();
  for (const [receiver, groups] of groupsOf) {
    const key = Array.isArray(groups) ? groups.map((group) => group.key).join('\u0001') : groups;
    const known = alike.get(key);
    if (known !== undefined) known.receivers.push(receiver);
    else alike.set(key, { groups: Array.isArray(groups) ? groups : [groups], receivers: [receiver] });
  }
  for (const { groups, receivers } of alike.values())
    yield [mergeHits(groups.map((group) => hits.get(group) ?? [])), receivers];
}

function addGroup(groupsOf: Map<Receiver, Group | Group[]>, receiver: Receiver, group: Group): void {
  const known = groupsOf.get(receiver);
  if (known === undefined) groupsOf.set(receiver, group);
  else if (Array.isArray(known)) known.push(group);
  else groupsOf.set(receiver, [known, group]);
}

/** The view of several groups together: in it when in any of them. In the order of history. */
function mergeHits(lists: readonly (readonly Hit[])[]): readonly Hit[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  const merged = new Map<Entry, Hit>();
  for (const hit of lists.flat()) {
    const known = merged.get(hit.entry);
    const membership = known ? either(known.membership, hit.membership) : hit.membership;
    merged.set(hit.entry, { ...hit, membership });
  }
  return [...merged.values()].sort((a, b) => a.entry.lane - b.entry.lane || a.entry.seq - b.entry.seq);
}

function either(a: Membership, b: Membership): Membership {
  return { before: a.before || b.before, after: a.after || b.after };
}

/** Who cannot take the shared message: an old client that wrote one of the entries; everyone when an entry is narrowed to some users. */
function specialReceivers(hits: readonly Hit[]): (receiver: Receiver) => boolean {
  if (hits.some((hit) => hit.entry.emitTo !== undefined)) return () => true;
  const origins = new Set<string>();
  for (const { entry } of hits) if (entry.origin !== undefined) origins.add(entry.origin);
  return (receiver) => !receiver.echo && origins.has(receiver.id);
}

function messagesFor(receiver: Receiver, hits: readonly Hit[]): DeliveredMessage[] {
  const messages: DeliveredMessage[] = [];
  for (const hit of hits) {
    const effect = liveEffect(receiver, hit.entry, hit.membership);
    if (effect !== undefined) messages.push(hit.messages.get(effect));
  }
  return messages;
}

function sharedMessages(hits: readonly Hit[]): DeliveredMessage[] {
  const messages: DeliveredMessage[] = [];
  for (const hit of hits) {
    const effect = effectOf(hit.entry, hit.membership);
    if (effect !== undefined) messages.push(hit.messages.get(effect));
  }
  return messages;
}
