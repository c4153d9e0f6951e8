import { type IncomingMessage, request } from 'node:http';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Gives up then. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Of an answer in JSON; else empty. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly headers: Headers;
}

/** One request on a connection of its own, so that nothing stays open. The path goes out as it is. */
export function send(url: string, path: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const { hostname, port } = new URL(url);
  const { method = 'GET', headers = {}, body = '', signal } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path, method, headers: { ...headers }, agent: false, ...(signal && { signal }) },
      (response) => readAnswer(response).then(resolve, reject),
    );
    // A server may answer and close before it has read a large body.
    sent.on('error', reject);
    sent.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value));
  const isJson = headers.get('content-type')?.includes('json') ?? false;
  return { status: response.statusCode ?? 0, text, headers, body: isJson ? JSON.parse(text) : {} };
}
