// Rewrites package.json for an image: optional peer dependencies become dependencies in the version of the lock file,
// and development dependencies are removed.
import { readFileSync, writeFileSync } from 'node:fs'

const { devDependencies, peerDependencies, peerDependenciesMeta, ...manifest } = JSON.parse(
  readFileSync('package.json', 'utf8')
)
const peers = Object.keys(peerDependencies).map((name) => [name, devDependencies[name] ?? peerDependencies[name]])
manifest.dependencies = { ...manifest.dependencies, ...Object.fromEntries(peers) }
writeFileSync('package.json', JSON.stringify(manifest, null, 2))
