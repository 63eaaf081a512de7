import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { FORBIDDEN, UNAVAILABLE } from '../../lib/errors.js'
import { refuse, refusedOrigin } from '../../lib/refuse.js'
import refusalLog from '../../plugins/refusal-log.js'
import type { RefusalLogOptions } from '../../plugins/refusal-log.js'
import { logReader } from '../helpers/log-reader.js'

async function refusingApp (t: Test, options: RefusalLogOptions, level = 'trace') {
  const log = logReader()
  const app = Fastify({ logger: { level, stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(async (scope) => { await scope.register(refusalLog, options) })
  app.get('/client', (_request, reply) => refuse(reply, new FORBIDDEN({ reason: 'for a test' })))
  app.get('/operator', (_request, reply) => refuse(reply, refusedOrigin('https://evil.test')))
  app.get('/server', (_request, reply) => refuse(reply, new UNAVAILABLE()))
  const lines = () => log.lines().filter(({ msg }) => /^request (refused|failed)/.test(String(msg)))
  return { app, lines, levels: () => lines().map(({ level }) => level) }
}

async function callAll (app: Awaited<ReturnType<typeof refusingApp>>['app']): Promise<void> {
  for (const [path, status] of [['/client', 403], ['/operator', 403], ['/server', 503]] as const) {
    if ((await app.inject(path)).statusCode !== status) throw new Error(path)
  }
}

t.test('the levels are info, warn and error by default', async (t) => {
  const { app, levels } = await refusingApp(t, {})
  await callAll(app)
  t.same(levels(), [30, 40, 50])
})

t.test('each level can be chosen for the whole app, and silent writes nothing', async (t) => {
  const { app, levels } = await refusingApp(t, { levels: { client: 'debug', operator: 'silent', server: 'fatal' } })
  for (let at = 0; at < 20; at++) await callAll(app)
  await app.close()
  t.same(new Set(levels()), new Set([20, 60]))
  t.equal(levels().length, 5 + 5 + 2)
})

t.test('perMinute sets the lines of a minute, and the rest is counted', async (t) => {
  const { app, lines } = await refusingApp(t, { perMinute: 3 })
  for (let at = 0; at < 10; at++) await app.inject('/client')
  t.equal(lines().length, 2)
  await app.close()
  t.match(lines()[2], { msg: 'request refused; lines left out', omitted: 8 })
})

t.test('a wrong option and a second registration in the app are refused', async (t) => {
  const wrong: Array<[options: object, message: RegExp]> = [
    [{ levels: { client: 'loud' } }, /"levels.client" must be one of fatal, .*; got "loud"/],
    [{ levels: 'info' }, /"levels" must be an object/],
    [{ levels: { clients: 'info' } }, /unknown option "levels.clients"; did you mean "levels.client"/],
    [{ perMinute: 0 }, /"perMinute" must be a whole number of lines, 1 to 100000; got 0/]
  ]
  for (const [options, message] of wrong) {
    await t.rejects(refusingApp(t, options), { code: 'INVALID_OPTIONS', message })
  }
  const { app } = await refusingApp(t, {})
  app.register(refusalLog)
  await t.rejects(async () => await app.ready(), { code: 'INVALID_OPTIONS', message: /already registered in this app/ })
})
