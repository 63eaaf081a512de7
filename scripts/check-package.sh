#!/usr/bin/env bash
# What npm would publish: linted as a package, then installed into an empty project where every export must import with its types.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tarball=$folder/$(npm pack --silent --pack-destination "$folder")
npx --no-install publint run "$tarball" --strict
npx --no-install attw "$tarball" --profile esm-only --quiet

cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
# The host has Fastify and nothing else of ours; the rest are the optional peers, so that every subpath can be imported.
version () { node -p "JSON.parse(require('fs').readFileSync('$root/package.json')).devDependencies['$1']"; }
packages=("$tarball")
for name in fastify kysely @electric-sql/pglite @node-rs/argon2 ioredis @fastify/csrf-protection altcha-lib @nats-io/transport-node @nats-io/jetstream typescript @types/node; do packages+=("$name@$(version "$name")"); done
npm install --silent --no-audit --no-fund "${packages[@]}"

node --input-type=module <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
const { exports } = JSON.parse(readFileSync('node_modules/fastify-gatehouse/package.json', 'utf8'))
const names = Object.keys(exports).filter((name) => !name.endsWith('.json')).map((name) => name.replace(/^\./, 'fastify-gatehouse'))
for (const name of names) await import(name)
writeFileSync('all.ts', names.map((name, at) => `import * as part${at} from '${name}'\nexport const used${at}: object = part${at}\n`).join(''))
console.log(`${names.length} exports import`)

const app = (await import('fastify')).default()
await app.register((await import('fastify-gatehouse/ingestion')).default)
const { statusCode, body } = await app.inject('/d.js')
if (statusCode !== 200 || !body.includes('data-pipeline-key')) throw new Error(`/d.js: ${statusCode}`)
await app.close()
console.log('the collector is in it')
JS
npx --no-install tsc --noEmit --strict --module nodenext --target es2022 --types node --skipLibCheck false all.ts
echo 'and so do their types'

# The README's quick start, word for word.
awk '/^## In your app/ { found = 1 } found && /^```$/ && code { exit } code { print } found && /^```js$/ { code = 1 }' "$root/README.md" > quick-start.js
node "$root/scripts/run-quick-start.mjs" quick-start.js
