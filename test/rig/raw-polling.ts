import { type RequestOptions, request } from 'node:http';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Engine.IO over HTTP by hand: for what no client library would send. Packets are texts such as `42["ping"]`.
 * Nothing is checked here.
 */
export class RawPolling implements AsyncDisposable {
  private readonly address: string;

  private constructor(address: string) {
    this.address = address;
  }

  /** A connected Socket.IO socket in the default namespace. */
  static async open(url: string): Promise<RawPolling> {
    const base = `${url}/socket.io/?EIO=4&transport=polling`;
    const hello = await send(base, { method: 'GET' });
    const { sid } = JSON.parse(hello.text.slice(1)) as { sid: string };
    const raw = new RawPolling(`${base}&sid=${sid}`);
    await raw.send('40');
    await raw.receive();
    return raw;
  }

  /** Status of the request that carried the packets. */
  async send(packets: string): Promise<number> {
    const answer = await send(this.address, { method: 'POST', headers: { 'content-type': 'text/plain' } }, packets);
    return answer.status;
  }

  /** The packets that wait, or come next. */
  async receive(): Promise<string[]> {
    const { text } = await send(this.address, { method: 'GET' });
    return text.split('\u001e');
  }

  /** Fetches the good-bye of a server that closes, for which Engine.IO waits half a minute; ends a connection that lives. */
  async [Symbol.asyncDispose](): Promise<void> {
    await send(this.address, { method: 'GET', signal: AbortSignal.timeout(200) }).catch(() => undefined);
    await this.send('1');
  }
}

function send(url: string, options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
