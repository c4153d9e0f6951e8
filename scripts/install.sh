# Sourced by the other scripts, which run in the repository's root: what must be installed before anything can run.

# npm ci only when it is due: it removes node_modules first, which takes a minute and disturbs what is running.
ensure_node_modules() {
  node scripts/is-install-current.mjs || npm ci --no-audit --no-fund || {
    echo 'warning: npm ci failed, trying npm install. If it was package-lock.json that does not fit: node scripts/complete-lock.mjs' >&2
    npm install --no-audit --no-fund
  }
}

# ensure_command COMMAND PACKAGE
ensure_command() {
  command -v "$1" >/dev/null || install_package "$2"
}

# What the scripts ask servers and processes with. A small Debian has neither.
require_tools() {
  local tool
  ensure_command curl curl
  ensure_command ps procps
  for tool in curl ps; do
    command -v "$tool" >/dev/null || { echo "Nothing was started: $tool is missing" >&2; return 1; }
  done
}

# Tests find a MongoDB by themselves; the last that they try is one from PyPI, in an environment of its own, and Debian's
# Python cannot make one without python3-venv.
ensure_mongodb() {
  [ -z "${MONGODB_URI:-}" ] || return 0
  command -v mongod >/dev/null || command -v secantusd-rs >/dev/null || python3 -c 'import ensurepip' 2>/dev/null ||
    install_package python3-venv
}

# Only root of a Debian can install; others are told what is missing. What needs it fails, the rest goes on.
install_package() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "warning: $1 is missing, what needs it will fail (Debian: apt-get install $1)" >&2
    return 0
  fi
  [ -n "${apt_lists_updated:-}" ] || apt-get update -qq || true
  apt_lists_updated=yes
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null ||
    echo "warning: $1 could not be installed, what needs it will fail" >&2
}
