import { io, type Socket } from 'socket.io-client';

export async function connect(url: string): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

/** Connected one after the other in small waves, so that the listen queue does not overflow. */
export async function connectMany(
  urls: readonly string[],
  count: number,
  prepare: (socket: Socket, index: number) => Promise<void>,
): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const wave = 50;
  for (let first = 0; first < count; first += wave) {
    const indices = Array.from({ length: Math.min(wave, count - first) }, (_, offset) => first + offset);
    const made = await Promise.all(
      indices.map(async (index) => {
        const socket = await connect(urls[index % urls.length] ?? '');
        await prepare(socket, index);
        return socket;
      }),
    );
    sockets.push(...made);
  }
  return sockets;
}

export async function join(socket: Socket, index: number, protocol?: number): Promise<void> {
  const ack = await socket.emitWithAck('sync:join', { userId: `user${index}`, ...(protocol && { protocol }) });
  if (ack.success !== true) throw new Error(`join refused: ${JSON.stringify(ack)}`);
}

export function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.disconnect();
}

/** About 300 bytes as JSON. */
export function changeOf(id: string, documentId: string, fields: object = {}) {
  const data = {
    title: `document ${documentId}`,
    owner: 'user1',
    done: false,
    text: 'x'.repeat(150),
    sentAt: Date.now(),
    ...fields,
  };
  return { id, operation: 'insert', collection: 'bench', documentId, data };
}
