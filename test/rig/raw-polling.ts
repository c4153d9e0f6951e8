import { send } from './http.ts';

/**
 * Engine.IO over HTTP by hand: for what no client library would send. Packets are texts such as `42["ping"]`.
 * Nothing is checked here.
 */
export class RawPolling implements AsyncDisposable {
  private readonly url: string;
  private readonly path: string;
  private listening: Promise<{ readonly text: string }> | undefined;

  private constructor(url: string, path: string) {
    this.url = url;
    this.path = path;
  }

  /** A connected Socket.IO socket in the default namespace. */
  static async open(url: string): Promise<RawPolling> {
    const base = '/socket.io/?EIO=4&transport=polling';
    const hello = await send(url, base);
    const { sid } = JSON.parse(hello.text.slice(1)) as { sid: string };
    const raw = new RawPolling(url, `${base}&sid=${sid}`);
    await raw.send('40');
    await raw.receive();
    void raw.listen();
    return raw;
  }

  /** Status of the request that carried the packets. */
  async send(packets: string): Promise<number> {
    const answer = await send(this.url, this.path, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: packets,
    });
    return answer.status;
  }

  /** The packets that wait, or come next. */
  async receive(): Promise<string[]> {
    const { text } = await this.listen();
    this.listening = undefined;
    return text.split('\u001e');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.send('1');
    await this.listening;
  }

  /** One request always waits for packets, as with every client: without one, Engine.IO puts the end of a connection off. */
  private listen(): Promise<{ readonly text: string }> {
    const gone = () => ({ text: '' });
    this.listening ??= send(this.url, this.path, { signal: AbortSignal.timeout(5_000) }).catch(gone);
    return this.listening;
  }
}
