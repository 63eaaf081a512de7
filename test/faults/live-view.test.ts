import t from 'tap'

import { openStream } from '../helpers/live-stream.js'
import { folderWithDatabase } from '../helpers/database-folder.js'
import { startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy } from '../helpers/server-session.js'

t.test('the time limits of the built-in server do not end a live view, and a live view does ' +
  'not delay SIGTERM', async (t) => {
  const server = await startServerProcess(t, await folderWithDatabase(t), {
    LOG_LEVEL: 'warn',
    REQUEST_TIMEOUT_MS: '500',
    HEADERS_TIMEOUT_MS: '500',
    KEEP_ALIVE_TIMEOUT_MS: '500'
  })
  const { password, pipelineKey } = printedBy(server)
  const stream = await openStream(t, server.origin, await logIn(server, password))
  t.equal(stream.response.status, 200)
  t.equal(stream.response.headers.get('x-content-type-options'), 'nosniff')
  await stream.untilText(/(event: stats[^]*){2}/)
  const sent = await fetch(`${server.origin}/v1/t`, {
    method: 'POST',
    headers: { authorization: `Bearer ${pipelineKey}`, 'content-type': 'application/json' },
    body: '{"event":"Late","userId":"u"}'
  })
  t.equal(sent.status, 200)
  t.match((await stream.until('accepted')).data, { event: 'Late' })

  // A stop that the stream delays ends with exit code 1.
  const { code } = await server.stop()
  t.equal(code, 0, server.stderr())
  t.equal((await stream.over).how, 'ended')
})
