# Sourced: the fleet as processes of this machine, on the Redis and the MongoDB that it finds or installs. The gateways
# listen on PORT and the port after it.

up_processes() {
  local port="$PORT" ports name
  require_free_port "$((port + 1))"
  ensure_node_modules
  npm run --silent build
  # shellcheck disable=SC2207
  ports=($(free_ports 5))
  start_redis "${ports[0]}"
  start_mongo "${ports[1]}"
  start_service writer-1 "${ports[2]}"
  start_service writer-2 "${ports[3]}"
  start_service janitor "${ports[4]}"
  start_service gateway-1 "$port"
  start_service gateway-2 "$((port + 1))"
  url_of "$port" >"$url_file"
  for name in $backs gateway-1 gateway-2; do
    wait_until_ready "$name" "$(recorded "$run_dir/$name.url")" || {
      # Where one has ended, the others are of no use.
      [ $? = 1 ] || stop_all_processes
      return 1
    }
  done
}

start_service() {
  url_of "$2" >"$run_dir/$1.url"
  PORT="$2" start_process "$1" node "$(command_part "$1")"
}

start_redis() {
  [ -z "${REDIS_URL:-}" ] || return 0
  command -v redis-server >/dev/null || install_package redis-server
  command -v redis-server >/dev/null || {
    echo 'MODE=processes needs Redis: install redis-server, or set REDIS_URL.' >&2
    return 1
  }
  local folder="${DATA_DIR:-./data}/redis"
  mkdir -p "$folder"
  start_process redis redis-server --bind 127.0.0.1 --port "$1" --dir "$folder" --save '' \
    --appendonly yes --maxmemory-policy noeviction
  wait_for_line redis 'Ready to accept connections' "${UP_TIMEOUT:-60}" >/dev/null
  export REDIS_URL="redis://127.0.0.1:$1"
}

start_mongo() {
  [ -z "${MONGODB_URI:-}" ] || return 0
  ensure_mongodb
  start_process mongo node scripts/mongo-server.mjs --port "$1" --data "${DATA_DIR:-./data}/mongo"
  # The first time it may be fetched.
  local line
  line="$(wait_for_line mongo '^MONGODB_URI=' 300)"
  export "$line"
}

# wait_for_line NAME PATTERN SECONDS: prints the line of its log; stops everything when there is none.
wait_for_line() {
  local deadline=$((SECONDS + $3))
  until grep -m 1 -e "$2" "$(log_of "$1")" 2>/dev/null; do
    if [ -z "$(process_id "$1")" ] || [ "$SECONDS" -ge "$deadline" ]; then
      printf 'Tidemark did not start: %s does not. Its log (%s) ends with:\n' "$1" "$(log_of "$1")" >&2
      tail -n 20 "$(log_of "$1")" >&2
      stop_all_processes
      return 1
    fi
    sleep 0.1
  done
}

free_ports() {
  node -e '
    const servers = Array.from({ length: process.argv[1] }, () => require("node:net").createServer().listen(0, "127.0.0.1"));
    Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve)))).then(() => {
      for (const server of servers) { console.log(server.address().port); server.close(); }
    });' "$1"
}
