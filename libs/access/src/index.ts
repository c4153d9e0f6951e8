export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type Identity,
} from './authenticator.ts';
export {
  type ConnectionCounter,
  createConnectionCounter,
  type LocalConnectionCounter,
  type Release,
} from './connection-counter.ts';
export {
  type Admission,
  createRateLimiter,
  type LocalRateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
} from './rate-limiter.ts';
