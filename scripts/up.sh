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
  [ "$mode" != processes ] || second="http://localhost:$((${PORT:-3000} + 1))"
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

load_environment
tell_that_it_runs && exit
stop_all_processes
require_free_port "${PORT:-3000}"
choose_mode
tell_mode
mkdir -p "$run_dir"
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
