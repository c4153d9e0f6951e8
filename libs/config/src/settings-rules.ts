import type { SettingName, Settings } from './settings-table.ts';

const minSecretBytes = 32;

/**
 * What must hold between settings, all of it in this one place.
 * @param given tells whether the operator set it, in the environment or the file.
 */
export function crossFieldProblems(settings: Settings, given: (name: SettingName) => boolean): string[] {
  return [...keyProblems(settings), ...storeProblems(settings), ...pairProblems(settings, given)];
}

function keyProblems(settings: Settings): string[] {
  const { authJwtSecret, authJwksUrl, production } = settings;
  if (!production) return [];
  if (authJwtSecret === undefined && authJwksUrl === undefined) {
    return [
      `NODE_ENV=production needs a key to check tokens: set AUTH_JWT_SECRET (at least ${minSecretBytes} bytes) or AUTH_JWKS_URL`,
    ];
  }
  if (authJwtSecret === undefined || Buffer.byteLength(authJwtSecret) >= minSecretBytes) return [];
  const hint = 'openssl rand -base64 32 makes one';
  return [
    `AUTH_JWT_SECRET must have at least ${minSecretBytes} bytes in production, it has ${Buffer.byteLength(authJwtSecret)}; ${hint}`,
  ];
}

function storeProblems(settings: Settings): string[] {
  if (settings.redisUrl === undefined || settings.mongodbUri !== undefined) return [];
  return [
    'REDIS_URL needs MONGODB_URI: processes of a fleet share one database, the embedded store belongs to one process',
  ];
}

function pairProblems(settings: Settings, given: (name: SettingName) => boolean): string[] {
  const problems: string[] = [];
  if (given('webPubsubHubName') && settings.webPubsubConnectionString === undefined) {
    problems.push('WEB_PUBSUB_HUB_NAME needs WEB_PUBSUB_CONNECTION_STRING: set both, or neither');
  }
  if (settings.authJwtSecret === undefined && settings.authJwksUrl === undefined) {
    if (given('authIssuer')) problems.push('AUTH_ISSUER needs AUTH_JWT_SECRET or AUTH_JWKS_URL to check tokens with');
    if (given('authAudience'))
      problems.push('AUTH_AUDIENCE needs AUTH_JWT_SECRET or AUTH_JWKS_URL to check tokens with');
  }
  return problems;
}
