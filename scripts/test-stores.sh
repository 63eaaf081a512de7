#!/usr/bin/env bash
# The tests of the routes, and of the plugins that meet a store, on each store that they can run on, or on those named: memory pglite postgres redis.
set -euo pipefail
cd "$(dirname "$0")/.."

stores=("$@")
[ ${#stores[@]} -gt 0 ] || stores=(memory pglite postgres redis)
mapfile -t plugins < <(grep -rlE "helpers/(admin|backend|gateway|signed-app)\.js'" test/plugins --include='*.test.ts')
for store in "${stores[@]}"; do
  printf '\n== %s\n' "$store"
  SECONDS=0
  GATEHOUSE_TEST_STORE=$store npx --no-install tap --disable-coverage --reporter=terse test/routes "${plugins[@]}"
  printf '%s: %d s\n' "$store" "$SECONDS"
done
