/**
 * Bounds of what a client may send, known to others as `limits`. Sizes in characters unless the name says otherwise.
 * Constants and no object, so that the client's bundle holds those only that it uses.
 */

export const userId = 256;
export const changeId = 256;
export const collectionName = 120;
/** UTF-8 bytes of a document id: a key of the embedded store holds it together with the collection's name. */
export const documentIdBytes = 512;
export const fieldName = 256;
/** MongoDB nests 100 deep; a document is kept well below it. */
export const documentDepth = 64;
export const subscriptionId = 256;
export const filter = 16_384;
export const filterArguments = 256;
export const token = 16_384;
/** Holds two positions of 1,024 lanes. */
export const checkpoint = 32_768;
/** Subscriptions that one socket may hold. */
export const subscriptionsPerSocket = 500;
export const unsetFields = 1_000;
export const changesPage = 1_000;
export const emitTo = 1_000;
