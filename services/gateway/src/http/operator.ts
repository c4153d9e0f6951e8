import { brandAs, isObject, limits, SyncError, type UserId } from '@tidemark/protocol';
import type { Server } from 'socket.io';
import { userRoom } from '../socket/connection.ts';

const maxMessageLength = 10_000;

/** Orders of an operator. They reach every gateway of the fleet. */
export class Operator {
  private readonly io: Server;

  constructor(io: Server) {
    this.io = io;
  }

  /** `{ userId }`: ends every connection of the user. Throws SyncError `invalid_message`. */
  disconnect(body: unknown): { success: true } {
    const userId = isObject(body) ? body.userId : undefined;
    if (typeof userId !== 'string' || userId === '' || userId.length > limits.userId) {
      throw new SyncError('invalid_message', 'userId is required');
    }
    this.io.in(userRoom(brandAs<UserId>(userId))).disconnectSockets(true);
    return { success: true };
  }

  /** `{ message }`: sends every client the event `sync:notice { message }`. Throws SyncError `invalid_message`. */
  broadcast(body: unknown): { success: true } {
    const message = isObject(body) ? body.message : undefined;
    if (typeof message !== 'string' || message === '' || message.length > maxMessageLength) {
      throw new SyncError('invalid_message', `message must be a text of at most ${maxMessageLength} characters`);
    }
    this.io.emit('sync:notice', { message });
    return { success: true };
  }
}
