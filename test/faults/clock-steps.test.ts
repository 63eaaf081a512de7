import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { Ledger } from '../helpers/ledger.js'
import { folderWithDatabase } from '../helpers/database-folder.js'
import { startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy } from '../helpers/server-session.js'
import { STEPPED_CLOCK, stepClock } from '../helpers/stepped-clock.js'
import { LOADED, untilAcknowledged } from '../helpers/stores.js'
import { timedCall } from '../helpers/timed-calls.js'

t.test('a clock step of 6 minutes loses no event, admits no duplicate and extends no limit, ' +
  'and tokens recover', async (t) => {
  const server = await startServerProcess(t, await folderWithDatabase(t), {
    ...LOADED,
    ...STEPPED_CLOCK,
    EMBED_RATE_MAX: '5'
  })
  const { password, pipelineKey } = printedBy(server)
  const me = async (token: string) => (await timedCall('me', `${server.origin}/v1/admin/auth/me`, { token })).status
  const widget = () => timedCall('widget', `${server.origin}/api/generate-token`)
  const repeated = () =>
    timedCall('event', `${server.origin}/v1/t`, {
      token: pipelineKey,
      body: '{"event":"Again","userId":"u","messageId":"again"}'
    })
  const first = await logIn(server, password)
  t.equal((await repeated()).status, 200)
  for (let times = 0; times < 5; times++) await widget()
  const load = sendEvents(server.origin, pipelineKey, { connections: 8, batching: 2 })
  await untilAcknowledged(load, 100)

  for (let offset = await stepClock(server); offset !== null; offset = await stepClock(server)) {
    await untilAcknowledged(load, load.acknowledged.length + 100)
    t.equal((await repeated()).status, 200)
    const refused = await widget()
    t.ok(
      refused.status === 429 && Number(refused.retryAfter) <= 60,
      `at ${offset} ms the limit is ${refused.status}, for ${refused.retryAfter} s`
    )
    t.equal(await me(first), offset < 0 ? 401 : 200, `at ${offset} ms a token from before`)
    t.equal(await me(await logIn(server, password)), 200, `at ${offset} ms a new token`)
  }

  await load.stop()
  t.same([...load.statuses], [], 'every status is 200')
  const ledger = new Ledger()
  ledger.note({ ...load, acknowledged: [...load.acknowledged, 'again'], sent: [...load.sent, 'again'] })
  t.comment(await ledger.settle(t, server, password))
  t.equal((await server.stop()).code, 0)
})
