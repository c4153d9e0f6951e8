# Sourced by the other scripts, which run in the repository's root: what must be installed before anything can run.

# npm ci only when it is due: it removes node_modules first, which takes a minute and disturbs what is running.
ensure_node_modules() {
  node scripts/is-install-current.mjs || npm ci --no-audit --no-fund
}

# ensure_command COMMAND PACKAGE: what tests need from the system. Only root can install; others are told what is missing.
ensure_command() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "warning: $1 is not installed, tests that need it will fail (Debian: apt-get install $2)" >&2
    return
  fi
  [ -n "${apt_lists_updated:-}" ] || apt-get update -qq
  apt_lists_updated=yes
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null ||
    echo "warning: $2 could not be installed, tests that need $1 will fail" >&2
}

# A MongoDB to test on. The script, when there is one, exports what tests look for.
ensure_mongodb() {
  if [ -f scripts/ensure-mongodb.sh ]; then . scripts/ensure-mongodb.sh; fi
}
