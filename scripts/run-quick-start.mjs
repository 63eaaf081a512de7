// Runs a file of the README with the installed package, and requests its page and its guarded route.
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'

const [file] = process.argv.slice(2)
const secret = () => randomBytes(32).toString('base64url')
const env = {
  ...process.env,
  PORT: '0',
  DATABRAIN_API_KEY: 'an-api-key',
  DATABRAIN_PROXY_KEY: secret(),
  USER_REFERENCE_KEY: secret()
}
const server = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })

try {
  let origin
  for await (const chunk of server.stdout) {
    origin = /Server listening at (http:[^"]+)/.exec(chunk)?.[1]
    if (origin !== undefined) break
  }
  const page = await (await fetch(`${origin}/dashboard`)).text()
  assert.match(
    page,
    /window\.dbn = \{"baseUrl":"https:\/\/app\.usedatabrain\.com","proxyAuthUrl":"https:\/\/app\.example\.com\/api\/databrain\/guest-token\?ref=v1\./
  )
  assert.equal((await fetch(`${origin}/api/databrain/guest-token`)).status, 401)
  console.log('the quick start runs')
} finally {
  server.kill('SIGKILL')
}
