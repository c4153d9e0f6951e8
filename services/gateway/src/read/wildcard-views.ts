import type { CollectionName, Entry } from '@tidemark/protocol';
import type { BoundQuery } from '@tidemark/rql';
import type { Group, Member } from './group.ts';
import type { GroupIndex } from './group-index.ts';

/** The view of an old client that has not subscribed: all that its read rules allow, in every collection. */
export class WildcardView {
  private readonly groups = new Map<CollectionName, Group>();
  private readonly index: GroupIndex;
  private readonly member: Member;
  private readonly readQuery: (collection: CollectionName) => BoundQuery;

  constructor(index: GroupIndex, member: Member, readQuery: (collection: CollectionName) => BoundQuery) {
    this.index = index;
    this.member = member;
    this.readQuery = readQuery;
  }

  /** The group of the collection; the member joins it when the collection is new. */
  groupOf(collection: CollectionName): Group {
    let group = this.groups.get(collection);
    if (group === undefined) {
      group = this.index.enter(collection, this.readQuery(collection), this.member);
      this.groups.set(collection, group);
    }
    return group;
  }

  close(): void {
    for (const group of this.groups.values()) this.index.leave(group, this.member);
    this.groups.clear();
  }
}

/** Lets wildcard views join the group of a collection before its first entry is matched. */
export class WildcardViews {
  private readonly views = new Set<WildcardView>();
  private readonly collections = new Set<CollectionName>();

  add(view: WildcardView): void {
    this.views.add(view);
    for (const collection of this.collections) view.groupOf(collection);
  }

  remove(view: WildcardView): void {
    this.views.delete(view);
    view.close();
  }

  beforeEntry(entry: Entry): void {
    if (this.collections.has(entry.collection)) return;
    this.collections.add(entry.collection);
    for (const view of this.views) view.groupOf(entry.collection);
  }
}
