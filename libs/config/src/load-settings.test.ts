import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { helpRequested, loadSettings, loggableSettings, SettingsError, type SettingsSources } from './index.ts';
import { settingRows } from './settings-table.ts';

const secret = 'a'.repeat(32);
const production = { NODE_ENV: 'production', AUTH_JWT_SECRET: secret };

function load(env: SettingsSources['env'], file?: unknown) {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  return loadSettings({ env, readFile: () => text });
}

function problems(env: SettingsSources['env'], file?: unknown): readonly string[] {
  try {
    load(env, file);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('defaults', () => {
  it('start a development server with nothing configured', () => {
    expect(load({})).toMatchSnapshot();
  });

  it('are stricter in production', () => {
    const open = load({});
    const closed = load(production);
    const names = settingRows.map(([name]) => name).filter((name) => name !== 'nodeEnv' && name !== 'authJwtSecret');
    const differing = names.filter((name) => JSON.stringify(open[name]) !== JSON.stringify(closed[name]));
    expect(Object.fromEntries(differing.map((name) => [name, closed[name]]))).toEqual({
      allowedOrigins: [],
      maxConnectionsPerUser: 10,
      maxConnectionsPerIp: 50,
      rateLimitDisabled: false,
    });
    expect([closed.production, closed.development, open.production, open.development]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('in test are those of development, but a client may not state its own user there', () => {
    const test = load({ NODE_ENV: 'test' });
    expect(test).toEqual({ ...load({}), nodeEnv: 'test', development: false });
  });

  it('give a fleet more lanes, and let LANES decide', () => {
    const fleet = { MONGODB_URI: 'mongodb://db', REDIS_URL: 'redis://cache' };
    expect(load({ MONGODB_URI: 'mongodb://db' }).lanes).toBe(1);
    expect(load(fleet).lanes).toBe(8);
    expect(load({ ...fleet, LANES: '3' }).lanes).toBe(3);
    expect(load({ LANES: '4' }).lanes).toBe(4);
  });

  it('cannot be changed by who reads them', () => {
    const settings = load({ ALLOWED_ORIGINS: 'https://a.example' });
    expect(() => Object.assign(settings, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(settings.allowedOrigins, { 1: 'https://b.example' })).toThrow(TypeError);
  });
});

describe('the environment', () => {
  it('wins over the file, the file over the default', () => {
    const file = { server: { port: 4_000 }, sync: { changeRetentionDays: 7, maxBatchSize: 20 } };
    const settings = load({ CHANGE_RETENTION_DAYS: '9', PORT: '' }, file);
    expect([settings.port, settings.changeRetentionDays, settings.maxBatchSize]).toEqual([4_000, 9, 20]);
  });

  it.each(['true', '1', 'yes', 'YES', ' True '])('takes %j for true', (value) => {
    expect(load({ ...production, RATE_LIMIT_DISABLED: value }).rateLimitDisabled).toBe(true);
  });

  it.each(['false', '0', 'no'])('takes %j for false', (value) => {
    expect(load({ RATE_LIMIT_DISABLED: value }).rateLimitDisabled).toBe(false);
  });

  it('takes lists of origins as people write them', () => {
    expect(load({ ALLOWED_ORIGINS: 'https://App.example.com/, http://localhost:5173' }).allowedOrigins).toEqual([
      'https://app.example.com',
      'http://localhost:5173',
    ]);
    expect(load({ ...production, ALLOWED_ORIGINS: '*' }).allowedOrigins).toBe('*');
    expect(load({ ALLOWED_ORIGINS: 'capacitor://localhost,null' }).allowedOrigins).toEqual([
      'capacitor://localhost',
      'null',
    ]);
  });

  it.each([
    ['PORT', '65536', 'PORT must be a whole number from 0 to 65535, not "65536"'],
    ['PORT', '3000.5', 'PORT must be a whole number from 0 to 65535, not "3000.5"'],
    ['PORT', '0x10', 'PORT must be a whole number from 0 to 65535, not "0x10"'],
    ['RATE_LIMIT_DISABLED', 'on', 'RATE_LIMIT_DISABLED must be true, 1, yes, false, 0 or no, not "on"'],
    ['LOG_LEVEL', 'verbose', 'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "verbose"'],
    ['REDIS_KEY_PREFIX', 'a b', 'REDIS_KEY_PREFIX must be letters, digits, "-", "_", "." or ":", not "a b"'],
    ['NODE_ENV', 'prod', 'NODE_ENV must be one of development, production, test, not "prod"'],
    [
      'MONGODB_URI',
      'postgres://u:hidden@db',
      'MONGODB_URI must be a URL that starts with mongodb:// or mongodb+srv://',
    ],
    [
      'AUTH_JWKS_URL',
      'keys.example.com',
      'AUTH_JWKS_URL must be a URL that starts with https:// or http://, not "keys.example.com"',
    ],
    ['AUTH_JWKS_URL', 'https://[', 'AUTH_JWKS_URL must be a URL that starts with https:// or http://, not "https://["'],
  ])('refuses %s=%s', (name, value, message) => {
    expect(problems({ [name]: value })).toEqual([message]);
  });

  it.each([
    'redis://',
    'redis://cache:99999',
    'redis://:hunter2@cache/shop',
    'redis://:100%@cache',
    'redis://:hunter2@cache,other:6379',
    'http://cache',
  ])('refuses REDIS_URL=%s', (value) => {
    expect(problems({ MONGODB_URI: 'mongodb://db', REDIS_URL: value })).toEqual([
      'REDIS_URL must be of the form redis://user:password@host:6379/0, rediss:// for TLS, or several such separated by commas',
    ]);
  });

  it.each([
    'redis://cache',
    'rediss://sync:p%40ss@cache.example:6380/2',
    'redis://[::1]:7000, redis://cache:7001',
    'redis://cache?cluster=true',
  ])('takes REDIS_URL=%s', (value) => {
    expect(load({ MONGODB_URI: 'mongodb://db', REDIS_URL: value }).redisUrl).toBe(value);
  });

  it.each(['https://a.example/path', 'a.example', '*,https://a.example', 'https://*.example.com'])(
    'refuses the origin %s',
    (value) => {
      expect(problems({ ALLOWED_ORIGINS: value })).toEqual([
        expect.stringMatching(/^ALLOWED_ORIGINS must be \* or origins/),
      ]);
    },
  );

  it('accepts every whole number within its range and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 20_000 }), (value) => {
        expect(problems({ MAX_BATCH_SIZE: String(value) }).length).toBe(value >= 1 && value <= 10_000 ? 0 : 1);
      }),
    );
  });

  it('is refused with no word of a secret, whatever it is', () => {
    const secrets = settingRows.filter(([, row]) => row.secret).map(([, row]) => row.env);
    expect(secrets).toHaveLength(6);
    const env = Object.fromEntries(secrets.map((name) => [name, 'hunter2']));
    const found = problems({ ...env, NODE_ENV: 'production' }).join('\n');
    expect(found).toContain('MONGODB_URI must be');
    expect(found).not.toContain('hunter2');
  });
});

describe('the file', () => {
  it('is the one of NODE_ENV in CONFIG_DIR', () => {
    const asked: string[] = [];
    const readFile = (path: string) => {
      asked.push(path);
      return undefined;
    };
    loadSettings({ env: {}, readFile });
    loadSettings({ env: { ...production, CONFIG_DIR: '/etc/tidemark' }, readFile });
    expect(asked).toEqual(['config/development.json', '/etc/tidemark/production.json']);
  });

  it('sets all that the original knew', () => {
    const settings = load(production, {
      server: { port: 8_080, corsOrigins: ['https://app.example.com'] },
      sync: { maxBatchSize: 50, changeRetentionDays: 10, enableOptimisticLocking: true },
      mongodb: { poolSize: 5, socketTimeoutMS: 1_000 },
    });
    expect(settings).toMatchObject({
      port: 8_080,
      allowedOrigins: ['https://app.example.com'],
      maxBatchSize: 50,
      changeRetentionDays: 10,
      optimisticLocking: true,
      mongodbPoolSize: 5,
      mongodbSocketTimeoutMs: 1_000,
    });
    expect(load({}, { server: { corsOrigins: '*' } }).allowedOrigins).toBe('*');
  });

  it.each([
    [{ server: { prot: 1 } }, /^server\.prot in config\/development\.json is not a setting; known are server\.port, /],
    [{ redis: {} }, /^redis in config\/development\.json is not a setting/],
    [
      { server: { port: '3000' } },
      /^server\.port in config\/development\.json must be a whole number from 0 to 65535, not "\\"3000\\""$/,
    ],
    [{ sync: { enableOptimisticLocking: 1 } }, /^sync\.enableOptimisticLocking in .* must be true/],
    [{ server: { corsOrigins: [1] } }, /^server\.corsOrigins in .* must be \* or origins/],
    [{ server: [] }, /^server in .* must be an object$/],
    ['{ "server": ', /^config\/development\.json cannot be read: .*JSON/],
    ['[]', /^config\/development\.json cannot be read: a JSON object was expected$/],
    ['', /^config\/development\.json cannot be read: /],
  ])('%j stops the start', (file, message) => {
    expect(problems({}, file)).toEqual([expect.stringMatching(message)]);
  });

  it('is read from disk, with a byte order mark too, and may be missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-config-'));
    try {
      const env = { CONFIG_DIR: folder };
      expect(loadSettings({ env }).port).toBe(3_000);
      writeFileSync(join(folder, 'development.json'), '\uFEFF{"server":{"port":4001}}');
      expect(loadSettings({ env }).port).toBe(4_001);
      expect(() => loadSettings({ env: { CONFIG_DIR: join(folder, 'development.json') } })).toThrow(
        /cannot be read: .*ENOTDIR/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('settings that belong together', () => {
  it('production needs a key', () => {
    const message =
      'NODE_ENV=production needs a key to check tokens: set AUTH_JWT_SECRET (at least 32 bytes) or AUTH_JWKS_URL';
    expect(problems({ NODE_ENV: 'production' })).toEqual([message]);
    expect(problems(production)).toEqual([]);
    expect(problems({ NODE_ENV: 'production', AUTH_JWKS_URL: 'https://id.example/keys' })).toEqual([]);
  });

  it('the key is counted in bytes and must be long only in production', () => {
    const short = { AUTH_JWT_SECRET: 'b'.repeat(31) };
    expect(problems(short)).toEqual([]);
    expect(problems({ ...short, NODE_ENV: 'production' })).toEqual([
      'AUTH_JWT_SECRET must have at least 32 bytes in production, it has 31; openssl rand -base64 32 makes one',
    ]);
    expect(problems({ NODE_ENV: 'production', AUTH_JWT_SECRET: 'ü'.repeat(16) })).toEqual([]);
  });

  it.each([
    [{ REDIS_URL: 'redis://cache' }, /^REDIS_URL needs MONGODB_URI/],
    [{ WEB_PUBSUB_HUB_NAME: 'Hub' }, /^WEB_PUBSUB_HUB_NAME needs WEB_PUBSUB_CONNECTION_STRING/],
    [{ AUTH_ISSUER: 'me' }, /^AUTH_ISSUER needs/],
    [{ AUTH_AUDIENCE: 'you' }, /^AUTH_AUDIENCE needs/],
  ])('%j misses its pair', (env, message) => {
    expect(problems(env)).toEqual([expect.stringMatching(message)]);
  });

  it('a connection string brings its hub', () => {
    const settings = load({
      WEB_PUBSUB_CONNECTION_STRING: 'Endpoint=https://x.webpubsub.azure.com;AccessKey=k;Version=1.0;',
    });
    expect(settings.webPubsubHubName).toBe('Hub');
  });

  it('all that is wrong is told at once, in one message', () => {
    expect(() => load({ PORT: 'x', REDIS_URL: 'redis://cache' }, { sync: { nope: 1 } })).toThrow(
      /^Several settings are wrong:\n {2}- PORT must be .*\n {2}- sync\.nope in .*\n {2}- REDIS_URL needs MONGODB_URI/,
    );
  });
});

describe('arguments', () => {
  it('there are none but --help', () => {
    expect(helpRequested(['--help'])).toBe(true);
    expect(helpRequested(['-h'])).toBe(true);
    expect(helpRequested([])).toBe(false);
    expect(() => loadSettings({ env: {}, argv: ['--port=1'], readFile: () => undefined })).toThrow(
      '"--port=1" is not understood: settings come from the environment, --help lists them',
    );
  });
});

describe('what may be logged', () => {
  it('has no secret and nothing that is not set', () => {
    const shown = loggableSettings(load({ ...production, MONGODB_URI: 'mongodb://u:hidden@db' }));
    expect(shown).toMatchObject({ authJwtSecret: '[set]', mongodbUri: '[set]', port: 3_000 });
    expect(Object.keys(shown)).not.toContain('redisUrl');
    expect(JSON.stringify(shown)).not.toMatch(/hidden|aaaa/);
  });
});
