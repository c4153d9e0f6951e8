#!/usr/bin/env bash
# Exit code: 0 ready, 1 running but not ready, 3 not running.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/run-state.sh
. scripts/mode-compose.sh
load_environment

url="$(recorded "$url_file")"
mode="$(recorded "$mode_file")"
# A line for each part of the fleet; fails when one is not well.
status_processes() {
  local name pid well=0
  for name in $backs gateway-1 gateway-2; do
    pid="$(process_id "$name")"
    if [ -z "$pid" ]; then
      echo "  $name has ended; its log: $(log_of "$name")"
      well=1
    else
      echo "  $name (process $pid): $(ask "$(recorded "$run_dir/$name.url")/ready")"
      answers "$(recorded "$run_dir/$name.url")/ready" || well=1
    fi
  done
  return "$well"
}

# shellcheck disable=SC2086
if [ -z "$(running_names $fronts $backs)" ] && ! compose_runs; then
  echo 'Tidemark is not running. Start it with: make up'
  exit 3
fi
echo "$url (mode $mode): $(ask "$url/ready")"
case "$mode" in
  processes) status_processes ;;
  compose) docker compose ps --all ;;
esac
answers "$url/ready" || exit 1
