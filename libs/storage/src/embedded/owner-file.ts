import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { StoreError } from '../store-error.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

/** The process that has a directory open. */
export interface Owner extends ProcessIdentity {
  /** Tells two openings by one process apart. */
  readonly token: string;
}

const fileName = 'owner.json';
const beatMs = 1_000;
/** An owner whose pid means nothing here (another container, another machine) lives while its file is touched. */
const silenceMs = 5_000;

/**
 * Exclusive use of a directory. An owner is known by pid and start time, so that one that was killed does not block;
 * where its pid cannot be looked up, by the beat that it gives to its file.
 */
export class OwnerFile {
  readonly #directory: string;
  readonly #path: string;
  readonly #owner: Owner;
  #beat: NodeJS.Timeout | undefined;
  #isTaken = false;
  #lose: () => void = () => undefined;
  /** Resolves when the directory has another owner or is gone, which a beat has noticed. */
  readonly lost = new Promise<void>((resolve) => {
    this.#lose = resolve;
  });

  constructor(directory: string, owner: Owner) {
    this.#directory = directory;
    this.#path = join(directory, fileName);
    this.#owner = owner;
  }

  /** Throws StoreError `unavailable` when a living owner has the directory; may wait for an owner of another container to beat. */
  async assertFree(): Promise<void> {
    const owner = this.#read();
    if (owner === undefined || this.#isGone(owner)) return;
    const beat = this.#lastBeat();
    if (owner.scope === this.#owner.scope) throw this.#refusal(owner);
    while (this.#lastBeat() === beat && Date.now() - beat < silenceMs) await setTimeout(beatMs / 4);
    if (!this.#isGone(owner)) throw this.#refusal(owner);
  }

  /** The same, of this very moment. */
  assertFreeNow(): void {
    const owner = this.#read();
    if (owner !== undefined && !this.#isGone(owner)) throw this.#refusal(owner);
  }

  /** Takes the directory; no other process may run this at the same time. Throws StoreError `unavailable` as above. */
  take(): void {
    this.assertFreeNow();
    const draft = `${this.#path}.${this.#owner.token}`;
    writeFileSync(draft, `${JSON.stringify(this.#owner)}\n`);
    renameSync(draft, this.#path);
    this.#isTaken = true;
  }

  /** From now on shows that the owner lives. */
  startBeating(): void {
    this.#beat = setInterval(() => {
      if (this.#tryBeat()) return;
      clearInterval(this.#beat);
      this.#lose();
    }, beatMs).unref();
  }

  /** Gives the directory back, if it is still this owner's. Safe to call twice. */
  release(): void {
    clearInterval(this.#beat);
    if (this.#isTaken && this.#tryBeat()) rmSync(this.#path, { force: true });
    this.#isTaken = false;
  }

  /** False when the file is another's or gone. Any other failure (too many open files) says nothing about the owner. */
  #tryBeat(): boolean {
    try {
      if (this.#read()?.token !== this.#owner.token) return false;
      utimesSync(this.#path, new Date(), new Date());
      return true;
    } catch {
      return true;
    }
  }

  #isGone(owner: Owner): boolean {
    if (owner.scope === this.#owner.scope) return !isRunning(owner);
    return Date.now() - this.#lastBeat() >= silenceMs;
  }

  #lastBeat(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /** A file that cannot be read as an owner's (cut off by a crash of the machine) is nobody's. */
  #read(): Owner | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Owner;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new StoreError('unavailable', `${this.#path} cannot be read: ${String(error)}`, error);
    }
  }

  #refusal(owner: Owner): StoreError {
    return new StoreError(
      'unavailable',
      `the data directory ${this.#directory} is in use by process ${owner.pid}; stop that process or choose another directory`,
    );
  }
}
