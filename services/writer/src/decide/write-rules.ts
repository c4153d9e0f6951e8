import type { Rules } from '@tidemark/access';

export type { Images, WriteFault } from '@tidemark/access';

/** The slice of the rules that a decision needs. */
export type WriteRules = Pick<Rules, 'canRead' | 'writeFault' | 'settings'>;
