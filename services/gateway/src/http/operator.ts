import { brandAs, isObject, limits, SyncError, type UserId } from '@tidemark/protocol';
import type { Bus } from '@tidemark/transport';
import type { Server } from 'socket.io';
import { userRoom } from '../socket/connection.ts';

const maxMessageLength = 10_000;

/**
 * Orders of an operator. They reach every gateway of the fleet; while they could not, they are refused with SyncError
 * `unavailable` instead of being carried out here alone.
 */
export class Operator {
  private readonly io: Server;
  private readonly bus: Pick<Bus, 'check'>;

  constructor(io: Server, bus: Pick<Bus, 'check'>) {
    this.io = io;
    this.bus = bus;
  }

  /** `{ userId }`: ends every connection of the user. Throws SyncError `invalid_message`. */
  async disconnect(body: unknown): Promise<{ success: true }> {
    const userId = isObject(body) ? body.userId : undefined;
    if (typeof userId !== 'string' || userId === '' || userId.length > limits.userId) {
      throw new SyncError('invalid_message', 'userId is required');
    }
    await this.bus.check();
    this.io.in(userRoom(brandAs<UserId>(userId))).disconnectSockets(true);
    return { success: true };
  }

  /** `{ message }`: sends every client the event `sync:notice { message }`. Throws SyncError `invalid_message`. */
  async broadcast(body: unknown): Promise<{ success: true }> {
    const message = isObject(body) ? body.message : undefined;
    if (typeof message !== 'string' || message === '' || message.length > maxMessageLength) {
      throw new SyncError('invalid_message', `message must be a text of at most ${maxMessageLength} characters`);
    }
    await this.bus.check();
    this.io.emit('sync:notice', { message });
    return { success: true };
  }
}
