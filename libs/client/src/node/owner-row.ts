import type { AnyBulkWriteOperation, Collection } from 'mongodb';
import type { Held, LeasePlace } from './store-lease.ts';
import type { StoreOwner } from './store-owner.ts';

/** Who has the store of a scope. The token stands by itself, since it is what is compared. */
export interface OwnerRow {
  readonly _id: string;
  readonly kind: 'owner';
  readonly scope: string;
  readonly token: string;
  readonly owner: Omit<StoreOwner, 'token'>;
  readonly beat: number;
}

/** The row stays when the store is given back, so that one who slept through it all does not take it for free. */
const nobody = '';
/** What MongoDB answers when an `_id` is taken. */
const duplicateKey = 11000;

/** The owner of one user's store in a MongoDB, in a row beside the data; the beat counts upwards. */
export class OwnerRowPlace implements LeasePlace {
  readonly #rows: Collection<OwnerRow>;
  readonly #scope: string;

  constructor(rows: Collection<OwnerRow>, scope: string) {
    this.#rows = rows;
    this.#scope = scope;
  }

  async read(): Promise<Held | undefined> {
    const row = await this.#rows.findOne({ _id: this.#id });
    return row && row.token !== nobody ? { owner: { ...row.owner, token: row.token }, beat: row.beat } : undefined;
  }

  async take({ token, ...owner }: StoreOwner, from: Held | undefined): Promise<boolean> {
    const filter = { _id: this.#id, token: from?.owner.token ?? nobody };
    const change = { $set: { kind: 'owner', scope: this.#scope, token, owner, beat: 0 } } as const;
    try {
      const { matchedCount, upsertedCount } = await this.#rows.updateOne(filter, change, {
        upsert: from === undefined,
      });
      return matchedCount + upsertedCount > 0;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  async beat({ token }: StoreOwner): Promise<void> {
    await this.#rows.updateOne({ _id: this.#id, token }, { $inc: { beat: 1 } });
  }

  async release({ token }: StoreOwner): Promise<void> {
    await this.#rows.updateOne({ _id: this.#id, token }, { $set: { token: nobody } });
  }

  /**
   * Goes before the operations of a batch, which ends here when the store is another's: the row is looked for by our token, is not
   * found, and cannot be made, since its id is taken.
   */
  fence({ token, ...owner }: StoreOwner): AnyBulkWriteOperation<OwnerRow> {
    const update = { $inc: { beat: 1 }, $setOnInsert: { kind: 'owner', scope: this.#scope, owner } } as const;
    return { updateOne: { filter: { _id: this.#id, token }, update, upsert: true } };
  }

  get #id(): string {
    return JSON.stringify([this.#scope, 'owner']);
  }
}

/** The fence has held, or somebody else came first. */
export function isTaken(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === duplicateKey;
}
