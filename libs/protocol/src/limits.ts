/** Bounds of what a client may send. Sizes in characters unless the name says otherwise. */
export const limits = {
  userId: 256,
  changeId: 256,
  collectionName: 120,
  /** UTF-8 bytes of a document id: a key of the embedded store holds it together with the collection's name. */
  documentIdBytes: 512,
  fieldName: 256,
  /** MongoDB nests 100 deep; a document is kept well below it. */
  documentDepth: 64,
  subscriptionId: 256,
  filter: 16_384,
  filterArguments: 256,
  token: 16_384,
  /** Holds two positions of 1,024 lanes. */
  checkpoint: 32_768,
  /** Subscriptions that one socket may hold. */
  subscriptionsPerSocket: 500,
  unsetFields: 1_000,
  changesPage: 1_000,
  emitTo: 1_000,
} as const;
