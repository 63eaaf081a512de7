#!/usr/bin/env bash
# Runs the tests of the routes and of plugins that use a store on each store, or on the given ones:
# memory pglite postgres redis.
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
