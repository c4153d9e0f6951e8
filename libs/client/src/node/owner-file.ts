import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalStoreError } from '../local/port.ts';
import type { Held, LeasePlace } from './store-lease.ts';
import type { StoreOwner } from './store-owner.ts';

/** The owner of a folder, in a file in it; the file's time is the beat. */
export class OwnerFile implements LeasePlace {
  readonly #path: string;
  readonly #exclusively: <T>(run: () => T) => T;

  /** `exclusively` runs a function while no other process runs one. */
  constructor(folder: string, exclusively: <T>(run: () => T) => T) {
    this.#path = join(folder, 'owner.json');
    this.#exclusively = exclusively;
  }

  async read(): Promise<Held | undefined> {
    const owner = this.#owner();
    return owner && { owner, beat: statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  }

  async take(owner: StoreOwner, from: Held | undefined): Promise<boolean> {
    const isAsRead = () => this.#owner()?.token === from?.owner.token;
    if (!isAsRead()) return false;
    return this.#exclusively(() => {
      if (!isAsRead()) return false;
      const draft = `${this.#path}.${owner.token}`;
      writeFileSync(draft, `${JSON.stringify(owner)}\n`);
      renameSync(draft, this.#path);
      return true;
    });
  }

  async beat(owner: StoreOwner): Promise<void> {
    if (this.isOf(owner)) utimesSync(this.#path, new Date(), new Date());
  }

  async release(owner: StoreOwner): Promise<void> {
    if (this.isOf(owner)) rmSync(this.#path, { force: true });
  }

  isOf({ token }: StoreOwner): boolean {
    return this.#owner()?.token === token;
  }

  /** A file that was cut off by a crash of the machine is nobody's. */
  #owner(): StoreOwner | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as StoreOwner;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new LocalStoreError('failed', `${this.#path} cannot be read: ${String(error)}`, error);
    }
  }
}
