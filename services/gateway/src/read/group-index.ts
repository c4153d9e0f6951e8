import type { CollectionName, Document, Entry, Json } from '@tidemark/protocol';
import { type BoundQuery, lookupKeys } from '@tidemark/rql';
import { Group, groupKey, type Member } from './group.ts';

/** The groups of one collection: by the value that a document must hold, or by scan. */
interface CollectionGroups {
  readonly scanned: Set<Group>;
  readonly byPath: Map<string, Map<string, Set<Group>>>;
}

/**
 * All groups of this gateway. Finding those that may see an entry costs one hash look-up per indexed path and image,
 * however many groups there are, plus the groups without any equality.
 */
export class GroupIndex {
  private readonly groups = new Map<string, Group>();
  private readonly collections = new Map<CollectionName, CollectionGroups>();

  get size(): number {
    return this.groups.size;
  }

  /** The group of this filter, with the member in it. */
  enter(collection: CollectionName, query: BoundQuery, member: Member): Group {
    const key = groupKey(collection, query);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = new Group(key, collection, query);
      this.groups.set(key, group);
      this.file(group);
    }
    group.members.set(member, (group.members.get(member) ?? 0) + 1);
    return group;
  }

  /** Undoes one `enter`; a group without members goes. */
  leave(group: Group, member: Member): void {
    const count = group.members.get(member) ?? 0;
    if (count > 1) group.members.set(member, count - 1);
    else group.members.delete(member);
    if (group.members.size > 0 || !this.groups.delete(group.key)) return;
    this.unfile(group);
  }

  /** Every group that may hold the entry's document before or after it; none that may is missing. */
  candidates(entry: Entry): ReadonlySet<Group> {
    const groups = this.collections.get(entry.collection);
    if (groups === undefined) return noGroups;
    if (groups.byPath.size === 0) return groups.scanned;
    const found = new Set(groups.scanned);
    for (const [path, byKey] of groups.byPath) {
      collect(byKey, path, entry.before, found);
      collect(byKey, path, entry.after, found);
    }
    return found;
  }

  private file(group: Group): void {
    const groups = this.collectionGroups(group.collection);
    if (group.access === undefined) {
      groups.scanned.add(group);
      return;
    }
    const byKey = getOrMake(groups.byPath, group.access.path, () => new Map<string, Set<Group>>());
    for (const key of group.access.keys) getOrMake(byKey, key, () => new Set<Group>()).add(group);
  }

  private unfile(group: Group): void {
    const groups = this.collections.get(group.collection);
    if (groups === undefined) return;
    groups.scanned.delete(group);
    if (group.access !== undefined) unfileByKey(groups, group, group.access);
    if (groups.scanned.size === 0 && groups.byPath.size === 0) this.collections.delete(group.collection);
  }

  private collectionGroups(collection: CollectionName): CollectionGroups {
    return getOrMake(this.collections, collection, () => ({ scanned: new Set(), byPath: new Map() }));
  }
}

const noGroups: ReadonlySet<Group> = new Set();

function collect(byKey: Map<string, Set<Group>>, path: string, document: Document | null, found: Set<Group>): void {
  if (document === null) return;
  for (const key of lookupKeys(document as Readonly<Record<string, Json>>, path)) {
    const groups = byKey.get(key);
    if (groups !== undefined) for (const group of groups) found.add(group);
  }
}

function unfileByKey(groups: CollectionGroups, group: Group, access: NonNullable<Group['access']>): void {
  const byKey = groups.byPath.get(access.path);
  if (byKey === undefined) return;
  for (const key of access.keys) {
    const set = byKey.get(key);
    set?.delete(group);
    if (set?.size === 0) byKey.delete(key);
  }
  if (byKey.size === 0) groups.byPath.delete(access.path);
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
