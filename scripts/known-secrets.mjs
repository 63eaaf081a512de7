// Writes signing/secret-strength/known-secret-digests.ts from the list of public JWT secrets of Wallarm, Inc.
// (github.com/wallarm/jwt-secrets, file jwt.secrets.list, MIT licence): a digest of each secret of at least 16 bytes, so
// that the package can recognise the secrets without containing them.
// Run: node --import=@tapjs/typescript/import scripts/known-secrets.mjs <jwt.secrets.list>
import { readFileSync, writeFileSync } from 'node:fs'

import { foldSecret, secretDigest } from '../signing/secret-strength/secret-digest.js'

const MIN_BYTES = 16
const PER_ROW = 14
const [, , list] = process.argv
if (list === undefined) throw new Error('Give the path of jwt.secrets.list from github.com/wallarm/jwt-secrets')

const secrets = readFileSync(list, 'utf8').split(/\r?\n/).filter((secret) => Buffer.byteLength(secret) >= MIN_BYTES)
const digests = [...new Set(secrets.map((secret) => secretDigest(foldSecret(secret))))].sort()
const rows = Array.from({ length: Math.ceil(digests.length / PER_ROW) }, (_, row) => digests.slice(row * PER_ROW, (row + 1) * PER_ROW).join(''))

writeFileSync(new URL('../signing/secret-strength/known-secret-digests.ts', import.meta.url), `// Written by scripts/known-secrets.mjs; do not edit.
// The ${digests.length} digests stand for the entries of at least ${MIN_BYTES} bytes in Wallarm's list of public JWT secrets
// (github.com/wallarm/jwt-secrets), Copyright (c) 2020 Wallarm, MIT licence.

/** Digests of publicly known secrets, each as \`secretDigest\` makes it: sorted, and joined without separators. */
export const KNOWN_SECRET_DIGESTS = [
${rows.map((row) => `  '${row}'`).join(',\n')}
].join('')
`)
console.log(`${digests.length} digests of ${secrets.length} secrets`)
