import { describe, expect, it } from '@jest/globals';
import { createLogger, type Logger, logLevels } from './index.ts';

interface Line {
  readonly [field: string]: unknown;
}

function capture(level: (typeof logLevels)[number] = 'info') {
  const text: string[] = [];
  const destination = { write: (line: string) => void text.push(line) };
  const logger = createLogger({ level, name: 'gateway', destination });
  return { logger, text, lines: () => text.map((line): Line => JSON.parse(line)) };
}

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

describe('a line', () => {
  it('is one JSON object with name, level as a word, time and message', () => {
    const { logger, text, lines } = capture();
    logger.info({ lane: 3 }, 'lane taken');
    expect(lines()).toEqual([expect.objectContaining({ name: 'gateway', level: 'info', lane: 3, msg: 'lane taken' })]);
    expect(lines()[0]?.time).toEqual(expect.any(Number));
    expect(text[0]).toMatch(/^[^\n]*\n$/);
  });

  it('carries the fields of a child', () => {
    const { logger, lines } = capture();
    logger.child({ socket: 'a' }).child({ user: 'alice' }).warn('slow');
    expect(lines()).toEqual([expect.objectContaining({ socket: 'a', user: 'alice', msg: 'slow', level: 'warn' })]);
  });

  it('has the message, the stack and the cause of an error', () => {
    const { logger, lines } = capture();
    logger.error({ err: new Error('no store', { cause: new Error('refused') }) }, 'failed');
    expect(JSON.stringify(lines()[0]?.err)).toMatch(/no store.*refused/);
  });

  it('has the code and the kind of an error, and each of several', () => {
    const { logger, lines } = capture();
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', kind: 'unavailable' });
    logger.warn({ err: new AggregateError([refused], 'all failed') }, 'failed');
    expect(lines()[0]?.err).toMatchObject({
      type: 'AggregateError',
      aggregateErrors: [{ message: 'refused', code: 'ECONNREFUSED', kind: 'unavailable' }],
    });
  });

  it('has what was thrown as it is, where that is no error', () => {
    const { logger, lines } = capture();
    logger.fatal({ err: { reason: 1 } }, 'thrown');
    logger.fatal({ err: 'why' }, 'thrown');
    expect(lines().map(({ err }) => err)).toEqual([{ reason: 1 }, 'why']);
  });
});

describe('levels', () => {
  it.each(logLevels)('at %s only that and above are written', (level) => {
    const { logger, lines } = capture(level);
    const written = logLevels.filter((name) => name !== 'silent');
    for (const name of written) logger[name](name);
    expect(lines().map((line) => line.msg)).toEqual(
      logLevels.slice(logLevels.indexOf(level)).filter((l) => l !== 'silent'),
    );
  });
});

describe('secrets', () => {
  const names = ['authorization', 'token', 'password', 'secret', 'accessKey', 'authJwtSecret', 'cookie'];

  it.each(names)('a field %s is not written, up to three levels deep', (name) => {
    const { logger, text } = capture();
    logger.info({ [name]: 'hunter2', kept: 1 }, 'top');
    logger.info({ handshake: { [name]: 'hunter2' } }, 'second');
    logger.info({ request: { headers: { [name]: 'hunter2' } } }, 'third');
    expect(text.join('')).not.toContain('hunter2');
    expect(text.join('').split('[redacted]')).toHaveLength(4);
  });

  it('in fields of a child are not written', () => {
    const { logger, text } = capture();
    logger.child({ token: 'hunter2', auth: { token: 'hunter2' } }).info('joined');
    expect(text.join('')).not.toContain('hunter2');
  });

  const leaks: ReadonlyArray<readonly [string, (logger: Logger) => void]> = [
    [
      'an error of a driver',
      (logger) => logger.error({ err: new Error('connect mongodb://root:hunter2@db:27017/x') }, 'failed'),
    ],
    ['a list of hosts', (logger) => logger.error({ uri: 'mongodb+srv://root:hunter2@a,b/x?y=1' }, 'failed')],
    ['a URL with a password alone', (logger) => logger.warn('redis://:hunter2@cache:6379')],
    ['a token within a text', (logger) => logger.info(`Bearer ${jwt} refused`)],
    ['a token on a line of its own', (logger) => logger.error({ err: new Error(`refused:\n${jwt}\n`) }, 'failed')],
    ['a token in a query', (logger) => logger.info({ url: `/socket.io/?token=${jwt}&EIO=4` }, 'handshake')],
  ];

  it.each(leaks)('%s loses them, and the line stays JSON', (_, write) => {
    const { logger, text, lines } = capture();
    write(logger);
    expect(text.join('')).toContain('[redacted]');
    expect(text.join('')).not.toMatch(/hunter2|eyJhbGci/);
    expect(lines()).toHaveLength(1);
  });

  it('and documents that a driver hangs on its errors are not written', () => {
    const { logger, text } = capture();
    const login = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter2'] } });
    const write = Object.assign(new Error('E11000'), { writeErrors: [{ err: { op: { note: 'hunter2' } } }] });
    logger.warn({ err: login }, 'away');
    logger.warn({ err: new AggregateError([login], 'all failed') }, 'away');
    logger.warn({ err: new Error('not committed', { cause: write }) }, 'failed');
    logger.child({ err: write }).warn('failed');
    expect(text).toHaveLength(4);
    expect(text.join('')).toContain('WRONGPASS');
    expect(text.join('')).not.toContain('hunter2');
  });

  it('are looked for in time that grows with the line, whatever is in it', () => {
    const { logger, text } = capture();
    const start = performance.now();
    logger.info({ text: '-eyJ'.repeat(75_000) }, 'long');
    expect(text).toHaveLength(1);
    // Milliseconds; by the square of its length it would be most of a minute.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('are not seen where there are none', () => {
    const { logger, lines } = capture();
    logger.info({ url: 'https://app.example.com/a?mail=a@b.example', user: 'a@b.example' }, 'fine');
    expect(lines()).toEqual([
      expect.objectContaining({ url: 'https://app.example.com/a?mail=a@b.example', user: 'a@b.example' }),
    ]);
  });
});
