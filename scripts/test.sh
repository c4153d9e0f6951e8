#!/usr/bin/env bash
# Everything that must hold, from a fresh clone: install what is missing, build, lint, all tests.
# The last line of a run that got as far as the tests is "Tests: N passed, N failed".
# Arguments go to jest: scripts/test.sh libs/config
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/install.sh

ensure_node_modules
ensure_command curl curl
ensure_command ps procps
ensure_command redis-server redis-server
ensure_command chromium chromium
ensure_mongodb

npm run --silent build
npm run --silent lint
# A list of reporters takes what follows it for one more, unless that is an option.
# The limit is for a test that leaves something open: jest would wait for it without end.
exec timeout --foreground "${TEST_TIMEOUT:-60m}" \
  npx jest --reporters=default --reporters=./scripts/count-reporter.mjs --maxWorkers="${TEST_WORKERS:-2}" "$@"
