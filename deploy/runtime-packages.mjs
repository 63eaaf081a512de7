// Rewrites package.json for an image: what is an optional peer of the package is needed there, in the version of the lock file, and what
// builds and tests is not.
import { readFileSync, writeFileSync } from 'node:fs'

const { devDependencies, peerDependencies, peerDependenciesMeta, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'))
const peers = Object.keys(peerDependencies).map((name) => [name, devDependencies[name] ?? peerDependencies[name]])
manifest.dependencies = { ...manifest.dependencies, ...Object.fromEntries(peers) }
writeFileSync('package.json', JSON.stringify(manifest, null, 2))
