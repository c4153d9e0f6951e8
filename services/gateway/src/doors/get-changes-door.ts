import { limits, parseCollectionName, upMessages } from '@tidemark/protocol';
import type { ChangesPages, PageRequest } from '../read/changes-pages.ts';
import { type Door, refusal } from './door.ts';
import { parseMessage } from './parse-message.ts';
import { parseFilter, type Subscribing } from './subscribing.ts';

const defaultLimit = 100;

/** `sync:get_changes`. */
export function getChangesDoor(pages: ChangesPages, subscribing: Subscribing): Door {
  return {
    kind: 'joined',
    async handle(connection, payload) {
      const { author, rights } = connection.requireSession();
      const message = parseMessage(upMessages['sync:get_changes'], payload ?? {});
      const filter = parseFilter(message);
      const request: PageRequest = {
        collection: message.collection ? parseCollectionName(message.collection) : undefined,
        queryOf: (collection) => subscribing.visible(author, collection, filter),
        rights,
        checkpoint: message.checkpoint ?? undefined,
        since: message.since ?? undefined,
        limit: Math.min(message.limit ?? defaultLimit, limits.changesPage),
      };
      return { answer: await connection.answerLarge(() => pages.page(request)) };
    },
    refuse: refusal,
  };
}
