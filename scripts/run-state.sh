# Sourced by up.sh, down.sh and status.sh: where a server that runs in the background leaves its traces.
mode="${MODE:-standalone}"
run_dir=.run
pid_file="$run_dir/$mode.pid"
log_file="$run_dir/$mode.log"
url_file="$run_dir/$mode.url"
standalone_main=services/standalone/dist/main.js

# The process id of the server, nothing when it does not run. A pid file may outlive its process and name another one.
running_pid() {
  [ -f "$pid_file" ] || return 0
  local pid
  pid="$(cat "$pid_file")"
  case "$(ps -o command= -p "$pid" 2>/dev/null || true)" in
    *"$standalone_main"*) echo "$pid" ;;
  esac
}

answers() {
  curl --silent --fail --output /dev/null --noproxy '*' --max-time 2 "$1"
}
