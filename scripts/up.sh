#!/usr/bin/env bash
# Starts a server in the background and waits until it is ready. MODE chooses what is started; PORT, DATA_DIR and every
# other setting reach it through the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/install.sh
. scripts/run-state.sh

up_standalone() {
  local port="${PORT:-3000}" pid
  local url="http://localhost:$port" client=
  [ "$port" = 3000 ] || client="URL=$url "
  pid="$(running_pid)"
  if [ -n "$pid" ]; then
    echo "Tidemark is running already: $(cat "$url_file") (process $pid). Stop it with: make down"
    return
  fi
  if curl --silent --output /dev/null --noproxy '*' --max-time 2 "$url"; then
    echo "Something else answers on port $port. Choose another: PORT=3001 make up" >&2
    return 1
  fi
  ensure_node_modules
  npm run --silent build
  mkdir -p "$run_dir"
  nohup node "$standalone_main" >"$log_file" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$pid_file"
  echo "$url" >"$url_file"
  wait_until_ready "$url" "$pid"
  cat <<TEXT
Tidemark is ready: $url
  stop it   make down          its log   make logs
Try it in two terminals; what one writes, the other sees:
  ${client}npm run dev:client -- alice
  ${client}npm run dev:client -- bob
TEXT
}

wait_until_ready() {
  local deadline=$((SECONDS + ${UP_TIMEOUT:-60}))
  until answers "$1/ready"; do
    if ! kill -0 "$2" 2>/dev/null; then
      rm -f "$pid_file"
      printf 'Tidemark did not start. Its log (%s) ends with:\n' "$log_file" >&2
      tail -n 20 "$log_file" >&2
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'Tidemark runs, but is not ready: %s\nIts log: make logs. Stop it: make down\n' "$(curl -s --noproxy '*' "$1/ready")" >&2
      return 1
    fi
    sleep 0.1
  done
}

case "$mode" in
  standalone) up_standalone ;;
  *) echo "MODE=$mode is not known; there is: standalone" >&2; exit 1 ;;
esac
