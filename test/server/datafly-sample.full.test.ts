import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import t from 'tap'

import { folderWithDatabase } from '../helpers/database-folder.js'
import { startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy, storedEvents } from '../helpers/server-session.js'

const run = promisify(execFile)

// Datafly Signal, authentication page, "Example", word for word.
const SAMPLE = String.raw`# Compute the signature
BODY='{"type":"track","event":"Order Completed","userId":"user_123","properties":{"total":99.99}}'
SIGNATURE=$(echo -n "$BODY" | openssl dgst -sha256 -hmac "your_server_secret" | awk '{print $2}')
# Send the request
curl -X POST https://data.example.com/v1/t \
-H "Content-Type: application/json" \
-H "Authorization: Bearer dk_live_abc123" \
-H "X-Datafly-Signature: sha256=$SIGNATURE" \
-d "$BODY"`

t.test("the product's openssl and curl lines store a signed event, with the published key and secret", async (t) => {
  const server = await startServerProcess(t, await folderWithDatabase(t), { ALLOW_WEAK_SECRET: 'on' })
  const token = await logIn(server, printedBy(server).password)
  const created = await fetch(`${server.origin}/v1/admin/sources`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Shop', pipeline_key: 'dk_live_abc123', server_secret: 'your_server_secret' })
  })
  t.equal(created.status, 201)

  const script = SAMPLE.replace('https://data.example.com', server.origin)
  for (let orders = 1; orders <= 2; orders++) {
    const { stdout } = await run('bash', ['-c', script])
    t.equal(stdout, '{"success":true}')
  }
  const { stdout: refused } = await run('bash', ['-c', script.replace('your_server_secret', 'another_secret')])
  t.match(JSON.parse(refused), { error: { code: 'INVALID_SIGNATURE' } })

  const stored: Array<Record<string, unknown>> = []
  for await (const event of storedEvents(server, token)) stored.push(event)
  const order = {
    type: 'track',
    event: 'Order Completed',
    userId: 'user_123',
    properties: { total: 99.99 },
    authMethod: 'signature'
  }
  t.match(stored, [order, order])
  t.equal(stored.length, 2, 'two equal orders are two orders')
})
