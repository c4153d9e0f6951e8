import {
  type Author,
  brandAs,
  type Change,
  type ChangeId,
  type CollectionName,
  type DocumentId,
  documentKey,
  type GatewayId,
  type JobId,
  type Json,
  type JsonObject,
  type Lane,
  type Operation,
  type UserId,
  type WriteRequest,
} from '@tidemark/protocol';
import type { WriteJob } from '@tidemark/transport';

export const tasks = brandAs<CollectionName>('tasks');
export const gateway = brandAs<GatewayId>('g1');

export interface ChangeSpec {
  readonly id?: string;
  readonly operation?: Operation;
  readonly collection?: string;
  readonly documentId?: DocumentId;
  readonly data?: JsonObject;
  readonly unset?: readonly string[];
  readonly timestamp?: number;
  readonly version?: number;
}

let ids = 0;

export function change(spec: ChangeSpec = {}): Change {
  const documentId = spec.documentId ?? 'd1';
  ids += 1;
  return {
    id: brandAs<ChangeId>(spec.id ?? `c${ids}`),
    operation: spec.operation ?? 'update',
    collection: brandAs<CollectionName>(spec.collection ?? 'tasks'),
    documentId,
    key: documentKey(documentId),
    data: spec.data ?? {},
    unset: spec.unset ?? [],
    timestamp: spec.timestamp,
    version: spec.version,
  };
}

export const insert = (data: JsonObject, spec: ChangeSpec = {}) => change({ ...spec, operation: 'insert', data });
export const update = (data: JsonObject, spec: ChangeSpec = {}) => change({ ...spec, operation: 'update', data });
export const remove = (spec: ChangeSpec = {}) => change({ ...spec, operation: 'delete' });

export function user(name: string, claims: Record<string, Json> = {}): Author {
  return { userId: brandAs<UserId>(name), claims: { sub: name, ...claims } };
}

export function request(changes: readonly Change[], spec: Partial<WriteRequest> = {}): WriteRequest {
  return { author: user('alice'), origin: undefined, atomic: false, emitTo: undefined, changes, ...spec };
}

export function job(requests: readonly WriteRequest[], spec: Partial<WriteJob> = {}): WriteJob {
  ids += 1;
  return { id: brandAs<JobId>(`j${ids}`), gateway, epoch: brandAs(1), lane: brandAs<Lane>(0), requests, ...spec };
}
