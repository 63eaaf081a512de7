#!/usr/bin/env bash
# Checks the tarball that npm would publish: linted as a package, then installed into empty projects. In one of them, without
# optional packages, each entry loads and compiles alone; in the other, with them, so do the entries that need them.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tarball=$folder/$(npm pack --silent --pack-destination "$folder")
npx --no-install publint run "$tarball" --strict
# A CommonJS project loads the package by require(), which supports ESM from Node.js 20.19 on.
npx --no-install attw "$tarball" --profile strict --ignore-rules cjs-resolves-to-esm --quiet

version () { node -p "JSON.parse(require('fs').readFileSync('$root/package.json')).devDependencies['$1']"; }
install () {
  mkdir -p "$folder/$1"
  echo '{ "private": true, "type": "module" }' > "$folder/$1/package.json"
  npm install --silent --no-audit --no-fund --prefix "$folder/$1" "${@:2}"
}

install typescripts $(for ts in 5.4 5.5 5.6 5.7 5.8 5.9 6.0; do echo "typescript-$ts@npm:typescript@$ts"; done)
install bare "$tarball" "fastify@$(version fastify)" "@types/node@$(version @types/node)"
# kysely as `npm i kysely` installs it; the tests of the repository run on 0.28.
peers=(kysely@0.29)
for name in fastify @types/node @electric-sql/pglite @node-rs/argon2 otplib @simplewebauthn/server ioredis @fastify/csrf-protection altcha-lib @nats-io/transport-node @nats-io/jetstream; do
  peers+=("$name@$(version "$name")")
done
install full "$tarball" "${peers[@]}"

with_peers=fastify-gatehouse/token-store/sql,fastify-gatehouse/event-sink/sql,fastify-gatehouse/event-sink/jetstream,fastify-gatehouse/database
alone=$(node -p "const peers = '$with_peers'.split(','); Object.keys(JSON.parse(require('fs').readFileSync('package.json')).exports)
  .filter((name) => !name.endsWith('.json')).map((name) => name.replace('.', 'fastify-gatehouse')).filter((name) => !peers.includes(name)).join()")
cp scripts/load-entries.cjs "$folder/bare"
cp scripts/load-entries.cjs "$folder/full"
(cd "$folder/bare" && node load-entries.cjs "$alone")
(cd "$folder/full" && node load-entries.cjs "$with_peers,$alone")
node scripts/check-links.mjs "$folder/bare/node_modules/fastify-gatehouse"

# Two in parallel, for two processors.
node scripts/check-types.mjs "$folder/full" "$with_peers" "$folder/typescripts" &
peer_types=$!
node scripts/check-types.mjs "$folder/bare" "$alone" "$folder/typescripts"
wait $peer_types

# The README's quick start, unchanged.
cd "$folder/bare"
awk '/^## Quick start/ { found = 1 } found && /^```$/ && code { exit } code { print } found && /^```js$/ { code = 1 }' "$root/README.md" > quick-start.js
node "$root/scripts/run-quick-start.mjs" quick-start.js

# `npx fastify-gatehouse demo` must also print the correct command if the package comes from a tarball.
node "$root/scripts/run-demo-line.mjs"
