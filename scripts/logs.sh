#!/usr/bin/env bash
# Follows the log of what up.sh started.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/run-state.sh
load_environment

case "$(recorded "$mode_file")" in
  compose) exec docker compose logs --tail 50 --follow ;;
  # shellcheck disable=SC2046,SC2086
  processes) exec tail -n 20 -f $(for name in $fronts $backs $stores; do ls "$(log_of "$name")" 2>/dev/null; done) ;;
  standalone) exec tail -n 50 -f "$(log_of standalone)" ;;
  *) echo 'Tidemark is not running. Start it with: make up' && exit 3 ;;
esac
