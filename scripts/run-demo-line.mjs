// Checks, in a project with only this package, that `npx fastify-gatehouse demo` prints a command that starts the demo.
import assert from 'node:assert'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const first = spawnSync('npx', ['fastify-gatehouse', 'demo'], { encoding: 'utf8' })
assert.equal(first.status, 2, first.stderr)
const lines = first.stderr.split('\n').filter((line) => /^\s*npx /.test(line))
assert.equal(lines.length, 1, first.stderr)

const folder = mkdtempSync(join(tmpdir(), 'demo-'))
const demo = spawn('sh', ['-c', `exec ${lines[0].trim()}`], {
  env: { ...process.env, npm_config_yes: 'true', PORT: '0', DATA_DIR: join(folder, 'data') },
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true
})
try {
  let text = ''
  let origin
  const limit = setTimeout(() => process.kill(-demo.pid, 'SIGKILL'), 180_000)
  for await (const chunk of demo.stdout) {
    text += chunk
    origin ??= /listens on (\S+)\n/.exec(text)?.[1]
    if (origin !== undefined && text.includes('Health')) break
  }
  clearTimeout(limit)
  assert.ok(origin, `the demo did not start: ${text}`)
  assert.equal((await fetch(origin)).status, 200)
  assert.equal((await fetch(`${origin}/readyz`)).status, 200)
  console.log('npx fastify-gatehouse demo prints the line that starts it')
} finally {
  if (demo.exitCode === null) {
    process.kill(-demo.pid, 'SIGTERM')
    await once(demo, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
