import { createRules, parseRules, type Rules } from '@tidemark/access';
import { type Author, brandAs, type Change, type Document, type Epoch, type Lane, type Seq } from '@tidemark/protocol';
import type { StoredState } from '@tidemark/storage';
import { decideChange } from '../decide/decide-change.ts';
import type { AppliedDecision, DecideContext, Decision } from '../decide/decision.ts';
import { request, user } from './changes.ts';

export const openRules = createRules(undefined, { production: false });

export function rulesOf(text: string): Rules {
  return createRules(parseRules(text, 'rules.yaml'), { production: true });
}

export const fieldRules = rulesOf(
  'collections: { tasks: { merge: field, read: true, insert: true, update: true, delete: true } }',
);

export const clock = 1_000_000;

export function context(spec: Partial<DecideContext> = {}): DecideContext {
  return {
    now: clock,
    epoch: brandAs<Epoch>(1),
    optimisticLocking: false,
    maxClockSkewMs: 60_000,
    rules: openRules,
    ...spec,
  };
}

/** One document and what changes make of it, one after the other. */
export class Desk {
  state: StoredState | undefined;
  seq = 0;
  private readonly spec: Partial<DecideContext>;

  constructor(spec: Partial<DecideContext> = {}, state?: StoredState) {
    this.spec = spec;
    this.state = state;
  }

  decide(change: Change, author: Author = user('alice')): Decision {
    const decision = decideChange(
      {
        request: request([change], { author }),
        change,
        lane: brandAs<Lane>(0),
        seq: brandAs<Seq>(this.seq + 1),
        stored: this.state,
      },
      context(this.spec),
    );
    if (decision.kind !== 'applied') return decision;
    this.state = decision.state;
    this.seq += 1;
    return decision;
  }

  /** Throws when the change is not applied. */
  apply(change: Change, author?: Author): AppliedDecision {
    const decision = this.decide(change, author);
    if (decision.kind !== 'applied') throw new Error(`not applied but ${JSON.stringify(decision)}`);
    return decision;
  }

  /** The document, or null when there is none. */
  get document(): Document | null {
    return this.state?.kind === 'document' ? this.state.document : null;
  }

  /** The fields of the user. */
  get fields(): Record<string, unknown> | null {
    if (this.document === null) return null;
    const { _id, sync_updated_at, _updated_by, sync_version, ...fields } = this.document;
    return fields;
  }
}
