// Read by server.ts, which every test of the contract starts its server with.
process.env.TIDEMARK_TEST_MODE = 'fleet';
