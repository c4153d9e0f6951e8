#!/usr/bin/env bash
# Stops what up.sh started, in whatever mode: asks it to finish what it has taken, waits, and only then insists.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/run-state.sh
. scripts/mode-compose.sh
load_environment

# shellcheck disable=SC2086
running="$(running_names $fronts $backs $stores)"
if compose_runs; then
  running=compose
  docker compose down >"$(log_of compose)" 2>&1 || {
    tail -n 5 "$(log_of compose)" >&2
    exit 1
  }
fi
stop_all_processes
rm -f "$mode_file" "$url_file" "$run_dir"/*.url
if [ -n "$running" ]; then echo 'Tidemark has stopped.'; else echo 'Tidemark is not running.'; fi
