#!/usr/bin/env bash
# Stops what up.sh started: asks it to finish what it has taken, waits, and only then insists.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/run-state.sh

down_standalone() {
  local pid deadline=$((SECONDS + ${DOWN_TIMEOUT:-25}))
  pid="$(running_pid)"
  if [ -z "$pid" ]; then
    echo 'Tidemark is not running.'
    rm -f "$pid_file" "$url_file"
    return
  fi
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo 'It did not stop in time and was killed; nothing that was acknowledged is lost.' >&2
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.1
  done
  rm -f "$pid_file" "$url_file"
  echo 'Tidemark has stopped.'
}

case "$mode" in
  standalone) down_standalone ;;
  *) echo "MODE=$mode is not known; there is: standalone" >&2; exit 1 ;;
esac
