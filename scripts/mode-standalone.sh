# Sourced: one process with everything in it, on the embedded store or on MONGODB_URI.

up_standalone() {
  local url
  url="$(url_of "$PORT")"
  ensure_node_modules
  npm run --silent build
  start_process standalone node services/standalone/dist/main.js
  echo "$url" >"$url_file"
  wait_until_ready standalone "$url"
}
