import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import t from 'tap'

import ingestion from '../routes/ingestion/index.js'
import { adminApp } from './helpers/admin.js'
import { caller } from './helpers/admin-caller.js'
import eventSink, { memorySink } from '../plugins/event-sink/index.js'
import { viewEvent } from '../plugins/event-sink/event-view.js'

const run = promisify(execFile)

t.test('the commands of docs/webhooks.md create a webhook, call it and store its event', async (t) => {
  const page = await readFile(new URL('../docs/webhooks.md', import.meta.url), 'utf8')
  const script = page.split('```sh\n')[1]?.split('```')[0] ?? ''
  const sink = memorySink()
  const admin = await adminApp(t, {
    before: async (app) => {
      await app.register(eventSink, { sink })
      await app.register(ingestion)
    }
  })
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const origin = await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const { stdout } = await run('sh', ['-c', script], {
    env: { ...process.env, ORIGIN: origin, SOURCE: id, TOKEN: owner.token }
  })
  t.same(JSON.parse(stdout), { success: true, accepted: 1 })
  const { data } = await sink.list('default', {}, { limit: 10 })
  t.match(data.map(viewEvent), [{
    event: 'invoice.paid',
    messageId: 'evt_1',
    userId: 'cus_42',
    sourceId: id,
    authMethod: 'signature'
  }])
})
