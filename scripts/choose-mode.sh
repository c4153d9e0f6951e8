# Sourced by up.sh: what to start. Sets mode and reason.

choose_mode() {
  local obstacle
  if [ -n "${MODE:-}" ]; then
    mode="$MODE" reason='MODE asks for it'
  elif [ -n "${REDIS_URL:-}" ]; then
    mode=processes reason='REDIS_URL is set'
  elif [ -n "${MONGODB_URI:-}" ]; then
    mode=standalone reason='MONGODB_URI is set, REDIS_URL is not'
  elif obstacle="$(compose_obstacle)"; [ -z "$obstacle" ]; then
    mode=compose reason='Docker answers and has the images'
  else
    mode=standalone reason="$obstacle"
  fi
  case "$mode" in
    standalone | processes | compose) ;;
    *)
      echo "MODE=$mode is not known; there are: standalone, processes, compose" >&2
      return 1
      ;;
  esac
}

tell_mode() {
  echo "Mode $mode, because $reason. Choose with make up MODE=standalone|processes|compose"
}
