/** TypeScript is compiled by swc, workspace packages resolve to their sources. */
const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['tidemark-source', 'node', 'require', 'default'] },
  testMatch: ['<rootDir>/**/*.test.ts', '<rootDir>/**/*.test.tsx'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/.cache/'],
  modulePathIgnorePatterns: ['/dist/', '/.cache/'],
  transform: {
    '^.+\\.(t|j|mj)sx?$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic' } },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(jose)/)'],
};

/** Some of the contract once more, on another way to run the system. */
const contractOn = (mode, names) => ({
  ...base,
  displayName: mode,
  testMatch: names.map((name) => `<rootDir>/test/contract/${name}.test.ts`),
  setupFiles: [`<rootDir>/test/rig/mode-${mode}.ts`],
});

const everywhere = [
  base,
  contractOn('mongo', ['batches-and-atomic', 'changes', 'filters', 'resume']),
  contractOn('fleet', ['get-changes', 'subscriptions']),
];

/** One jest for the whole repository. */
export default {
  // Who names a mode wants that one: TIDEMARK_TEST_MODE=fleet npx jest test/contract
  projects: process.env.TIDEMARK_TEST_MODE ? [base] : everywhere,
  coverageProvider: 'v8',
  collectCoverageFrom: ['libs/*/src/**/*.ts', 'services/*/src/**/*.ts', '!**/*.test.ts', '!**/*.generated.*'],
};
