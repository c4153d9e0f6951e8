# Sourced by up.sh, down.sh, status.sh and logs.sh, which run in the repository's root: where a server that runs in the
# background leaves its traces. Works with bash 3.2, which macOS has.
run_dir=.run
mode_file="$run_dir/mode"
url_file="$run_dir/url"
# Who serves clients stops first, and what the others stand on last.
fronts='standalone gateway-1 gateway-2'
backs='writer-1 writer-2 janitor'
stores='mongo redis'

# What the scripts and all that they start go by. Relative paths begin at the repository; to Docker a bare name would be a
# volume.
load_environment() {
  [ ! -f .env ] || export_env_file
  local name
  for name in DATA_DIR RULES_FILE CONFIG_DIR WEB_ROOT; do
    case "${!name:-}" in
      '' | /*) ;;
      *) export "$name=$PWD/${!name}" ;;
    esac
  done
}

# As docker compose does: what .env says holds, unless the environment says otherwise. A comment begins at the start of a
# word, so that a password may hold a "#".
export_env_file() {
  local line key value
  while IFS= read -r line || [ -n "$line" ]; do
    [[ "$line" =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=(.*)$ ]] || continue
    key="${BASH_REMATCH[2]}" value="${BASH_REMATCH[3]}"
    if [[ "$value" =~ ^[[:space:]]*\"([^\"]*)\"[[:space:]]*(#.*)?$ || "$value" =~ ^[[:space:]]*\'([^\']*)\'[[:space:]]*(#.*)?$ ]]; then
      value="${BASH_REMATCH[1]}"
    else
      value=" ${value}"
      [[ "${value%%[[:space:]]#*}" =~ ^[[:space:]]*(.*[^[:space:]])?[[:space:]]*$ ]] && value="${BASH_REMATCH[1]}"
    fi
    [ -n "${!key+set}" ] || export "$key=$value"
  done <.env
}

recorded() { cat "$1" 2>/dev/null || true; }

log_of() { echo "$run_dir/$1.log"; }

# start_process NAME COMMAND…: in the background, in a process group of its own.
start_process() {
  local name="$1"
  shift
  set -m
  nohup "$@" >"$(log_of "$name")" 2>&1 </dev/null &
  echo $! >"$run_dir/$name.pid"
  set +m
  # Before that its command line is that of this script, and its log may be that of the last time.
  until [ -n "$(process_id "$name")" ] || ! lives "$!"; do sleep 0.02; done
}

# The process id of NAME, nothing when it does not run. A pid file may outlive its process and name another one.
process_id() {
  local pid
  pid="$(recorded "$run_dir/$1.pid")"
  [ -n "$pid" ] || return 0
  case "$(ps -o command= -p "$pid" 2>/dev/null || true)" in
    *"$(command_part "$1")"*) echo "$pid" ;;
  esac
}

# What stands in the command line of NAME. Redis and Valkey put their own there.
command_part() {
  case "$1" in
    redis) echo '-server ' ;;
    mongo) echo scripts/mongo-server.mjs ;;
    up) echo up.sh ;;
    *) echo "services/${1%-[12]}/dist/main.js" ;;
  esac
}

# Names of ours that run, of those given.
running_names() {
  local name
  for name in "$@"; do
    [ -z "$(process_id "$name")" ] || echo "$name"
  done
}

# Those of the names given that have ended and left something running: the database of a mongo-server.mjs that was killed.
orphaned_names() {
  local name pid
  for name in "$@"; do
    pid="$(recorded "$run_dir/$name.pid")"
    if [ -n "$pid" ] && ! lives "$pid" && group_lives "$pid"; then echo "$name"; fi
  done
}

# Asks all of them to finish what they have taken, waits for all, and only then insists.
stop_processes() {
  local name pid deadline=$((SECONDS + ${DOWN_TIMEOUT:-25}))
  for name in "$@"; do
    pid="$(recorded "$run_dir/$name.pid")"
    lives "$pid" || pid="-$pid"
    kill -TERM -- "$pid" 2>/dev/null || true
  done
  for name in "$@"; do
    pid="$(recorded "$run_dir/$name.pid")"
    while group_lives "$pid"; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        echo "$name did not stop in time and was killed; nothing that was acknowledged is lost." >&2
        kill -KILL -- "-$pid" 2>/dev/null || true
        break
      fi
      sleep 0.1
    done
    rm -f "$run_dir/$name.pid"
  done
}

# One that has ended and that nobody has asked for its exit code is a zombie.
lives() {
  case "$(ps -o state= -p "$1" 2>/dev/null || true)" in
    '' | Z*) return 1 ;;
  esac
}

# Whether any of a process group does. Its number is given to no other one before.
group_lives() {
  ps -A -o pgid= -o state= | awk -v group="$1" '$1 == group && $2 !~ /^Z/ { found = 1 } END { exit !found }'
}

stop_all_processes() {
  local group
  for group in "$fronts" "$backs" "$stores"; do
    # shellcheck disable=SC2046,SC2086
    stop_processes $(running_names $group) $(orphaned_names $group)
  done
  # Those that had ended by themselves.
  for group in $fronts $backs $stores; do rm -f "$run_dir/$group.pid"; done
}

# wait_until_ready NAME URL. Says why when it does not get ready: 1 when it still runs, 2 when it has ended.
wait_until_ready() {
  local deadline=$((SECONDS + ${UP_TIMEOUT:-60}))
  until answers "$2/ready"; do
    if [ -z "$(process_id "$1")" ]; then
      printf 'Tidemark did not start: %s has ended. Its log (%s) ends with:\n' "$1" "$(log_of "$1")" >&2
      tail -n 20 "$(log_of "$1")" >&2
      return 2
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'Tidemark runs, but %s is not ready: %s\nThe log: make logs. Stop it: make down\n' "$1" "$(ask "$2/ready")" >&2
      return 1
    fi
    sleep 0.1
  done
}

# Where a service is that listens on HOST and the port given.
url_of() {
  case "${HOST:-0.0.0.0}" in
    0.0.0.0 | ::) echo "http://localhost:$1" ;;
    *:*) echo "http://[$HOST]:$1" ;;
    *) echo "http://$HOST:$1" ;;
  esac
}

answers() {
  curl --silent --fail --output /dev/null --noproxy '*' --max-time 2 "$1"
}

# What a server says, whatever its status.
ask() {
  curl --silent --noproxy '*' --max-time 2 "$1" || echo 'no answer'
}

# Fails when somebody else's server is there.
require_free_port() {
  ! curl --silent --output /dev/null --noproxy '*' --max-time 2 "$(url_of "$1")" || {
    echo "Something else answers on port $1. Choose another: PORT=$(($1 + 10)) make up" >&2
    return 1
  }
}

# within SECONDS COMMAND…, where the system can bound it.
within() {
  if command -v timeout >/dev/null; then timeout "$@"; else "${@:2}"; fi
}
