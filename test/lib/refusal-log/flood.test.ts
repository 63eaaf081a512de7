import Fastify, { LogController } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { INVALID_REQUEST, UNAUTHORIZED, UNAVAILABLE } from '../../../lib/errors.js'
import { refuse, refusedOrigin } from '../../../lib/refuse.js'
import errorEnvelope from '../../../plugins/error-envelope.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { logReader } from '../../helpers/log-reader.js'
import { stopClock } from '../../helpers/stopped-clock.js'

const MINUTE = 60_000

async function refusingApp (t: Test, level = 'info') {
  const log = logReader()
  const app = Fastify({
    logger: { level, stream: log.stream },
    logController: new LogController({ disableRequestLogging: true })
  })
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  app.get('/origin', (request, reply) => refuse(reply, refusedOrigin(request.headers.origin ?? '')))
  app.get('/bare', (_request, reply) => refuse(reply, new UNAUTHORIZED()))
  app.get('/other', (_request, reply) => refuse(reply, new UNAUTHORIZED()))
  app.get('/store', (_request, reply) => refuse(reply, new UNAVAILABLE({ cause: new Error('the store is down') })))
  app.get('/reason/:reason', (request, reply) =>
    refuse(reply, new INVALID_REQUEST({ reason: (request.params as { reason: string }).reason })))
  await app.ready()
  const linesOf = (wanted: string) => log.lines().filter(({ msg }) => msg === wanted)
  return {
    app,
    log,
    refused: () => linesOf('request refused'),
    omitted: () => linesOf('request refused; lines left out')
  }
}

t.test('10 000 refused requests are 10 lines, and one line with the count of the others at close', async (t) => {
  const { app, log, refused, omitted } = await refusingApp(t)
  for (let at = 0; at < 10_000; at++) {
    const response = await app.inject({ url: '/origin', headers: { origin: `https://${at}.evil.test` } })
    if (response.statusCode !== 403) t.equal(response.statusCode, 403)
  }
  t.equal(log.lines().length, 10)
  t.equal(refused().length, 10)
  await app.close()
  t.equal(log.lines().length, 11)
  t.match(omitted(), [{ level: 40, code: 'ORIGIN_NOT_ALLOWED', status: 403, route: '/origin', omitted: 9_990 }])
})

t.test('repeats of one reason leave half of the lines to other reasons', async (t) => {
  const { app, refused, omitted } = await refusingApp(t)
  for (let at = 0; at < 100; at++) await app.inject('/reason/usual')
  t.equal(refused().length, 5)
  await app.inject('/reason/rare')
  t.match(refused().at(-1), { reason: 'rare' })
  await app.close()
  t.match(omitted(), [{ omitted: 95 }])
})

t.test('a flood of one route or of one code does not hide the refusals of another', async (t) => {
  const { app, refused } = await refusingApp(t)
  for (let at = 0; at < 100; at++) await app.inject('/bare')
  await app.inject('/other')
  await app.inject({ url: '/origin', headers: { origin: 'https://evil.test' } })
  t.match(refused().slice(5), [{ route: '/other' }, { code: 'ORIGIN_NOT_ALLOWED' }])
})

t.test('a failure of the server is one line for each of the first requests, with its cause', async (t) => {
  const { app, log } = await refusingApp(t, 'error')
  for (let at = 0; at < 100; at++) await app.inject('/store')
  const lines = log.lines()
  t.equal(lines.length, 5)
  t.match(lines[0], { msg: 'request failed', level: 50, code: 'UNAVAILABLE', err: { message: 'the store is down' } })
  await app.close()
  t.match(log.lines().at(-1), { msg: 'request failed; lines left out', level: 50, omitted: 95 })
})

t.test('after a minute one timer writes the counts, and refusals are logged again', async (t) => {
  const timers = holdTimers(t, MINUTE)
  const clock = stopClock(t)
  const { app, refused, omitted } = await refusingApp(t)
  for (let at = 0; at < 20; at++) {
    await app.inject('/bare')
    await app.inject('/other')
  }
  t.equal(timers.waiting(), 1)
  t.equal(omitted().length, 0)
  clock.advance(MINUTE)
  timers.run()
  t.equal(timers.waiting(), 0)
  t.match(omitted(), [{ route: '/bare', omitted: 15 }, { route: '/other', omitted: 15 }])
  await app.inject('/bare')
  t.equal(refused().length, 11)
})

t.test('the next refusal after a minute writes the count too, if the timer is late', async (t) => {
  holdTimers(t, MINUTE)
  const clock = stopClock(t)
  const { app, omitted } = await refusingApp(t)
  for (let at = 0; at < 20; at++) await app.inject('/bare')
  clock.advance(MINUTE)
  await app.inject('/bare')
  t.match(omitted(), [{ omitted: 15 }])
  await app.close()
  t.equal(omitted().length, 1)
})

t.test('refusals below the level of the logger are neither logged nor counted', async (t) => {
  const timers = holdTimers(t, MINUTE)
  const { app, log } = await refusingApp(t, 'warn')
  for (let at = 0; at < 100; at++) await app.inject('/bare')
  t.equal(timers.waiting(), 0)
  await app.close()
  t.equal(log.text(), '')
})
