import type { Entry, Position, UserId } from '@tidemark/protocol';
import type { ClientLink } from './client-link.ts';
import type { Member } from './group.ts';
import { type Effect, effectOf, type Membership } from './view-change.ts';

/** What the fan-out knows of the stream of a socket. */
export interface Receiver extends Member {
  readonly link: ClientLink;
  readonly userId: UserId;
  /** Its own writes come back to it. False for old clients, unless BROADCAST_TO_SENDER. */
  readonly echo: boolean;
  /** Stands in its tokens, see Checkpoint. */
  readonly rights: string | undefined;
  /** It takes part in the live feed: it has been sent everything up to the fan-out's position. */
  readonly attached: boolean;
  /** The position of the last token that it was sent. */
  told: Position | undefined;
  /** It could not be sent what follows `position`; it catches up by itself. */
  fallBehind(position: Position): void;
  /** History after its position is gone. */
  loseHistory(): void;
}

/** A live message and whether this receiver may have it as everyone else. */
export function liveEffect(receiver: Receiver, entry: Entry, membership: Membership): Effect | undefined {
  if (entry.emitTo !== undefined && !entry.emitTo.includes(receiver.userId)) return undefined;
  return receiverEffect(receiver, entry, membership);
}

/**
 * Source of the rule: the wire contract, "The stream of a socket". An old client does not get its own writes back,
 * except a document that its own update brings into its view or takes out of it.
 */
export function receiverEffect(receiver: Receiver, entry: Entry, membership: Membership): Effect | undefined {
  const effect = effectOf(entry, membership);
  if (receiver.echo || entry.origin !== receiver.id) return effect;
  const enters = entry.operation === 'update' && effect === 'whole';
  return enters || effect === 'left' ? effect : undefined;
}
