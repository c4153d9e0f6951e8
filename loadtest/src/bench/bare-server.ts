import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

/**
 * The baseline: Socket.IO alone doing the same traffic without storing anything. It acknowledges changes, relays them to the
 * room of the change, and sends prepared pages of documents.
 */
const http = createServer();
const io = new Server(http, { perMessageDeflate: false });
const pageSize = 500;

function document(index: number) {
  return {
    _id: `d${index}`,
    title: `document ${index}`,
    owner: `user${index % 100}`,
    done: false,
    text: 'x'.repeat(200),
    n: index,
  };
}

io.on('connection', (socket) => {
  socket.on('enter', (room: string, done: () => void) => {
    void socket.join(room);
    done();
  });
  socket.on('change', (change: { id: string; room?: string }, done: (ack: object) => void) => {
    done({ changeId: change.id, success: true, timestamp: Date.now(), outcome: 'applied' });
    if (change.room !== undefined) io.to(change.room).emit('changes', [change]);
  });
  socket.on('batch', (changes: { id: string }[], done: (ack: object) => void) => {
    done({ success: true, results: changes.map(({ id }) => ({ changeId: id, success: true, outcome: 'applied' })) });
  });
  socket.on('load', (count: number) => {
    for (let first = 0; first < count; first += pageSize) {
      const data = Array.from({ length: Math.min(pageSize, count - first) }, (_, index) => document(first + index));
      socket.emit('page', { data, hasMore: first + pageSize < count });
    }
  });
});

http.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${(http.address() as AddressInfo).port}\n`));
