#!/usr/bin/env bash
# Starts a server in the background and waits until it is ready. MODE chooses what is started, else it finds out what
# this machine can; PORT, DATA_DIR and every other setting reach it through the environment or .env.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/install.sh
. scripts/run-state.sh
. scripts/choose-mode.sh
. scripts/mode-standalone.sh
. scripts/mode-processes.sh
. scripts/mode-compose.sh

tell_that_it_runs() {
  local names
  # shellcheck disable=SC2086
  names="$(running_names $fronts $backs)"
  [ -n "$names" ] || compose_runs || return 1
  echo "Tidemark is running already: $(recorded "$url_file") (mode $(recorded "$mode_file")). Stop it with: make down"
}

tell_what_to_try() {
  local url="$1" second="$1"
  # The second client comes in by the other gateway.
  [ "$mode" != processes ] || second="$(url_of $((PORT + 1)))"
  cat <<TEXT
Tidemark is ready: $url
  make down stops it, make logs follows its log, make status tells how it is
Try it in two terminals; what one writes, the other sees:
  $(client_of "$url")alice
  $(client_of "$second")bob
TEXT
  ! answers "$url/" || echo "Or open $url in two windows of a browser."
}

client_of() {
  local prefix="URL=$1 "
  [ "$1" != http://localhost:3000 ] || prefix=
  echo "${prefix}npm run dev:client -- "
}

# Of two at once, each would write over the traces of the other, and nobody would know of one of the servers.
claim_start() {
  local other
  mkdir -p "$run_dir"
  [ -w "$run_dir" ] || { echo "$PWD/$run_dir belongs to somebody else: it cannot be written" >&2; return 1; }
  until (set -o noclobber && echo $$ >"$run_dir/up.pid") 2>/dev/null; do
    other="$(process_id up)"
    [ -z "$other" ] || { echo "Another make up is at work (process $other)" >&2; return 1; }
    # It was killed.
    rm "$run_dir/up.pid"
  done
  trap 'rm -f "$run_dir/up.pid"' EXIT
}

# A service takes 0 for any free port; here it must be known before. In a settings file it would not be.
require_port() {
  [[ "$PORT" =~ ^[1-9][0-9]{0,4}$ ]] && [ "$PORT" -le 65535 ] && return
  echo "PORT must be a whole number from 1 to 65535, not \"$PORT\"" >&2
  return 1
}

load_environment
export PORT="${PORT:-3000}"
require_port
require_tools
claim_start
tell_that_it_runs && exit
stop_all_processes
require_free_port "$PORT"
choose_mode
tell_mode
echo "$mode" >"$mode_file"
if [ "$mode" = compose ] && [ -z "${MODE:-}" ]; then
  # Nobody asked for Docker, so nobody has to mend it.
  up_compose || {
    mode=standalone reason='docker compose could not start the fleet'
    tell_mode
    echo "$mode" >"$mode_file"
    up_standalone
  }
else
  "up_$mode"
fi
tell_what_to_try "$(recorded "$url_file")"
