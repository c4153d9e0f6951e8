#!/usr/bin/env bash
# Exit code: 0 ready, 1 running but not ready, 3 not running.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/run-state.sh

pid="$(running_pid)"
if [ -z "$pid" ]; then
  echo 'Tidemark is not running. Start it with: make up'
  exit 3
fi
url="$(cat "$url_file")"
echo "$url (process $pid): $(curl --silent --noproxy '*' --max-time 2 "$url/ready" || echo 'no answer')"
answers "$url/ready"
