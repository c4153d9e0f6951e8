# Sourced: the fleet of docker-compose.yml.
images_log="$run_dir/images.log"

# Why the fleet of docker-compose.yml cannot be started here; nothing when it can. Fetches and builds the images.
compose_obstacle() {
  command -v docker >/dev/null || { echo 'there is no docker'; return; }
  within 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || { echo "Docker's engine does not answer"; return; }
  docker compose version >/dev/null 2>&1 || { echo 'Docker has no compose plugin'; return; }
  mkdir -p "$run_dir"
  echo "Docker answers: fetching and building images, which takes minutes the first time ($images_log)" >&2
  within "${IMAGES_TIMEOUT:-900}" docker compose pull --quiet --policy missing balancer redis mongo >"$images_log" 2>&1 ||
    { echo "images cannot be pulled ($(last_words "$images_log"))"; return; }
  within "${IMAGES_TIMEOUT:-900}" docker compose build >"$images_log" 2>&1 ||
    { echo "the image cannot be built ($(last_words "$images_log"))"; return; }
}

last_words() {
  local line
  line="$(grep -v '^[[:space:]]*$' "$1" | tail -n 1)"
  echo "${line:0:160}"
}

up_compose() {
  local url="http://localhost:$PORT" obstacle
  [ -z "${MONGODB_URI:-}${REDIS_URL:-}" ] ||
    echo 'MONGODB_URI and REDIS_URL are not used: docker-compose.yml brings its own' >&2
  if [ -n "${MODE:-}" ]; then
    obstacle="$(compose_obstacle)"
    [ -z "$obstacle" ] || { echo "Tidemark did not start: $obstacle" >&2; return 1; }
  fi
  # For the clients that are tried next.
  ! command -v npm >/dev/null || ensure_node_modules
  mkdir -p "${CONFIG_DIR:-config}"
  docker compose up --detach --wait --wait-timeout "${UP_TIMEOUT:-120}" >"$(log_of compose)" 2>&1 &&
    wait_for_balancer "$url" && echo "$url" >"$url_file" && return
  {
    printf 'Tidemark did not start. What docker compose says (%s) ends with:\n' "$(log_of compose)"
    tail -n 5 "$(log_of compose)"
    docker compose ps --all 2>/dev/null
    docker compose logs --no-color --tail 10 gateway-1 writer-1 janitor 2>/dev/null
  } >&2
  docker compose down >/dev/null 2>&1
  return 1
}

wait_for_balancer() {
  local deadline=$((SECONDS + 30))
  until answers "$1/ready"; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "the balancer says: $(ask "$1/ready")" >>"$(log_of compose)"; return 1; }
    sleep 0.2
  done
}

compose_runs() {
  [ "$(recorded "$mode_file")" = compose ] && [ -n "$(docker compose ps --quiet 2>/dev/null)" ]
}
