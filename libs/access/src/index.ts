export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type Identity,
} from './authenticator.ts';
export type { CollectionRules, RulesFile } from './collection-rules.ts';
export {
  type ConnectionCounter,
  createConnectionCounter,
  type LocalConnectionCounter,
  type Release,
} from './connection-counter.ts';
export { loadRulesFile, parseRules } from './parse-rules.ts';
export {
  type Admission,
  createRateLimiter,
  type LocalRateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
} from './rate-limiter.ts';
export { createRules, type Images, type Rules, type RulesOptions, type WriteFault } from './rules.ts';
export { RulesError } from './rules-error.ts';
