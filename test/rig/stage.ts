import { afterAll, beforeAll, expect } from '@jest/globals';
import type { AckMessage, DocumentId } from '@tidemark/protocol';
import type { TestClient } from './client.ts';
import { type ServerOptions, startServer, type TestServer } from './server.ts';

/** One server for all tests of a file, with users that have joined. Its parts are there when the tests run. */
export class Stage<Name extends string> {
  private running: TestServer | undefined;
  private readonly joined = new Map<Name, TestClient>();
  private made = 0;

  /** Call it where `beforeAll` may be called. */
  constructor(names: readonly Name[], options: ServerOptions) {
    beforeAll(async () => {
      this.running = await startServer(options);
      for (const name of names) this.joined.set(name, await this.running.user(name));
    });
    afterAll(() => this.running?.[Symbol.asyncDispose]());
  }

  get server(): TestServer {
    return present(this.running, 'the server runs while tests do');
  }

  as(name: Name): TestClient {
    return present(this.joined.get(name), `${name} joins before the tests run`);
  }

  /** A name that no other test of the file has. */
  newName(prefix: string): string {
    return `${prefix}${++this.made}`;
  }
}

/** For tests of writing: alice, bob, and what is stored, with optimistic locking. */
export class WritingStage extends Stage<'alice' | 'bob'> {
  constructor() {
    super(['alice', 'bob'], { file: { sync: { enableOptimisticLocking: true } } });
  }

  get alice(): TestClient {
    return this.as('alice');
  }

  get bob(): TestClient {
    return this.as('bob');
  }

  readonly newId = (): string => this.newName('d');

  /** The document as anyone may read it; undefined when it does not exist. */
  readonly stored = async (documentId: unknown, collection = 'tasks'): Promise<Record<string, unknown> | undefined> => {
    const { changes } = await this.bob.call('sync:get_changes', { collection, limit: 1_000 });
    const found = changes.filter((change) => JSON.stringify(change.documentId) === JSON.stringify(documentId));
    return found.at(-1)?.data;
  };
}

/** For tests of reading: small pages, frequent checkpoints, and somebody who writes. */
export class ReadingStage extends Stage<'writer'> {
  constructor() {
    super(['writer'], { env: { BOOTSTRAP_PAGE: '10', CHECKPOINT_INTERVAL_MS: '200' } });
  }

  get writer(): TestClient {
    return this.as('writer');
  }

  readonly newCollection = (): string => this.newName('stream');

  /** Documents d0000, d0001 … */
  readonly fill = async (
    collection: string,
    count: number,
    data: (n: number) => object = (n) => ({ n }),
  ): Promise<void> => {
    for (let from = 0; from < count; from += 100) {
      const size = Math.min(100, count - from);
      const changes = Array.from({ length: size }, (_, index) => ({
        operation: 'insert',
        collection,
        documentId: `d${String(from + index).padStart(4, '0')}`,
        data: data(from + index),
      }));
      const { successCount } = await this.writer.call('sync:changeBatch', { changes });
      expect(successCount).toBe(size);
    }
  };

  readonly update = (
    collection: string,
    documentId: DocumentId,
    data: object,
    more: object = {},
  ): Promise<AckMessage> => this.writer.write({ operation: 'update', collection, documentId, data, ...more });

  readonly remove = (collection: string, documentId: DocumentId): Promise<AckMessage> =>
    this.writer.write({ operation: 'delete', collection, documentId });
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(what);
  return value;
}
