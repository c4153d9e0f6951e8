import { expect } from '@jest/globals';
import { HandshakeRefused, type TestClient } from './client.ts';

/** What the server said to a handshake that it must refuse. */
export async function refusalOf(connecting: Promise<TestClient>): Promise<HandshakeRefused['data']> {
  const error = await connecting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HandshakeRefused);
  return (error as HandshakeRefused).data;
}
