import Fastify from 'fastify'
import t from 'tap'

import embedAuthorize from '../../../routes/embed-authorize/index.js'
import { embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { logReader } from '../../helpers/log-reader.js'

t.test('an embed secret that changes in Bold BI is used without a restart, only for its server', async (t) => {
  const first = await embedApp(t)
  const second = await embedApp(t)
  let secret = 'the first secret'
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: first.apiUrl, embedSecret: async () => secret }, {
      apiUrl: second.apiUrl,
      embedSecret: 'the other server'
    }],
    authorize: () => ({ email: 'viewer@example.com' }),
    secretMaxAge: 0
  })
  for (const now of ['the first secret', 'the second secret']) {
    secret = now
    for (const [{ apiUrl, bi }, expectedSecret] of [[first, now], [second, 'the other server']] as const) {
      t.equal((await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode, 200)
      const { signature, expected } = readCall(bi.calls.at(-1), expectedSecret)
      t.equal(signature, expected)
    }
  }
})

t.test('a secret function is called once within "secretMaxAge"', async (t) => {
  const { apiUrl, bi } = await embedApp(t)
  let asked = 0
  const app = Fastify()
  t.teardown(() => app.close())
  // One hour: longer than this test runs on any machine.
  const servers = [{ apiUrl, embedSecret: () => `secret ${++asked}` }]
  await app.register(embedAuthorize, {
    servers,
    authorize: () => ({ email: 'viewer@example.com' }),
    secretMaxAge: 3_600_000
  })
  for (let times = 0; times < 5; times++) {
    await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })
  }
  t.equal(asked, 1)
  const { signature, expected } = readCall(bi.calls.at(-1), 'secret 1')
  t.equal(signature, expected)
})

t.test('a function that fails or returns no secret leaves the last valid secret in use, and its error is not ' +
  'logged', async (t) => {
  const { apiUrl, bi } = await embedApp(t)
  const log = logReader()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  let give = (): string => 'the good secret'
  await app.register(embedAuthorize, {
    servers: [{ apiUrl, embedSecret: () => give() }],
    authorize: () => ({ email: 'viewer@example.com' }),
    secretMaxAge: 0
  })
  for (
    give of [() => {
      throw new Error('hunter2 was wrong')
    }, () => '', () => 5 as unknown as string]
  ) {
    t.equal((await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode, 200)
    const { signature, expected } = readCall(bi.calls.at(-1), 'the good secret')
    t.equal(signature, expected)
  }
  t.match(log.text(), /"servers\[0\]\.embedSecret\\": the function returned no valid secret/)
  t.notMatch(log.text(), /hunter2|the good secret/)
})
